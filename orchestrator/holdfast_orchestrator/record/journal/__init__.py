"""What a run was about to do and had done, shard by shard: what a restart reads.

journal.py, entry.py   in the bucket           local_file.py   its copy on this machine
saved_plan.py          plans kept for a restart
crash_points.py        where tests let a run die, on purpose
"""
