"""Stage 4: deploy shard by shard, along the graph; what fails is rolled back.

    order.py            what a run is to do
    run.py              order, buckets, which shards are skipped and why, the result
    resume.py           brings a run to its end whose process died
    atomic.py           --atomic: one failure takes the whole run back
    removals.py         what had to wait for dependents is removed
    skip_check.py       whether an unchanged shard is skipped
    workers.py          who works on a shard: a thread here, or a Dask worker
    background_init.py  folders made ready while other shards are deployed
    run_context.py      who deploys, and what was agreed to
    run_recorder.py     what is written of every run        cleanup.py   what is pruned after it
    outcome.py          what became of a shard and of a run
    shard/              one shard: lease, look, plan, gates, start, and what a dead run left
    phases/             the state machine, and what each phase does
    decisions/          what is decided, without any effect
    work/               what a phase works on

The rules: what is applied is the very plan that passed the gates. Nothing is changed before it is written
down where any machine can read it, and no apply starts before a copy of the state has been read back. An
apply's exit code is a hint, the verify is the verdict. The newest state is the truth: going back is a
guarded step forward to the last good configuration. A shard that fails takes its dependents out of the
run and nobody else. After a stop is asked for no new step begins, and Terraform is left to finish.
"""
