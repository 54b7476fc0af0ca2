"""The state bucket: what lies there, how it is read and written.

A state lies exactly at its shard's key, written by Terraform alone. Beside the states, below
`_holdfast/`, lies what Holdfast keeps: `backups/<state folder>/<lineage>/<serial>-<sha256>.json`, the
state as it was before each apply. Nothing there is ever overwritten.

    object_store.py   the protocols: read, write under a condition, list, versions, lifecycle
    s3.py       the bucket (SSE on every write; a missing bucket names the command that creates it)
    memory.py   the same in memory, for tests; both pass one contract suite
    snapshot.py a state's bytes, checked: what Terraform would silently take for "no state" is refused
    backups.py  copy, read back, compare: without that no apply starts
    backups.py, retention.py   what is known of each backup; finding one by the moment; which may go
    record_format.py, json_object.py   the documents kept in a bucket: written, read and described one way

One deployer at a time, from the plan to the last verify:

    lease.py               takes, renews, gives back; finds out when it was lost
    lease_record.py        what a lease says
    takeover.py            may a lease be taken from its holder? (pure)
    process_identity.py    a process named so exactly that its death can be proved
    conditional_writes.py  does the bucket really refuse what it must?
"""
