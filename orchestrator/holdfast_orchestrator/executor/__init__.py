"""Where the shards of a run are worked on: here, or by the workers of a Dask cluster.

    dask_cluster.py the workers of a Dask cluster, seen from the machine that was asked to deploy
    address.py      which cluster, and whether it may be used: loopback, TLS, or openly if asked for
    messages.py     what both sides say: JSON, and nothing else
    unpickling.py   what Dask itself may load from a cluster: plain values
    job.py          what a worker needs to know about a shard
    dask_worker.py  what a worker does

The machine that was asked keeps the schedule, the gates on what to begin, the records of the run and the
terminal; a worker does for one shard what a thread here would do, lease, backup, journal and rollback
included. It needs this package, Terraform, credentials of its own and the bucket. Neither the environment
nor the credentials of the one who asked are ever sent.

A worker may die at any moment, and Dask then hands its task to another one. That is safe because everything
that counts lies in the bucket: a worker that gets a shard looks first whether this very run has begun it.
If so, the lease of the dead is waited for, and its work is brought to an end as `holdfast resume` would. A
worker that was only given up for dead still renews its lease, and is waited for. Where the cluster itself
is gone, the machine that was asked does the same.
"""
