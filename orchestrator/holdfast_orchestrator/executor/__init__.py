"""Deploys the shards of a run on the workers of a Dask cluster.

    dask_cluster.py the cluster, seen from the machine that deploys
    address.py      the scheduler's address, and whether it is safe: loopback, TLS, or explicitly insecure
    messages.py     the messages between both sides, in JSON
    unpickling.py   restricts what Dask may load from a cluster to plain values
    job.py          what a worker needs to know about a shard
    dask_worker.py  what a worker does

The machine that deploys keeps the schedule, the records of the run and the terminal. A worker does for one
shard what a thread would do here: lease, backup, journal and rollback included. A worker needs this package,
Terraform, its own credentials and the bucket. Environment and credentials are never sent to it.

A worker may die at any moment, and Dask then gives its task to another worker. That is safe because all
records are in the bucket: a worker first looks whether this run has begun its shard already. If so, it waits
for the dead worker's lease to expire, and completes the work as `holdfast resume` would. A worker that is
alive after all renews its lease, so the other waits. If the whole cluster is gone, the machine that deploys
does the same.
"""
