"""Whose is an object? Asked of every state in the bucket, before a plan is gated.

settle.py         a plan held against the owners: what moves, what is let go of, what is refused
conflicts.py      what is said of an object that another state has
handover.py       what the shards of one run hand to each other
bucket_owners.py  the owners of each bucket, and what this process is about to make
"""
