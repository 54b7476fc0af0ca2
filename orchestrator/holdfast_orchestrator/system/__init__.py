"""The doors to the machine: what is asked of its threads, memory and disks.

workers    threads and pools of threads that make do with what the machine has
"""
