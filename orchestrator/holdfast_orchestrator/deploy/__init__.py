"""Stage 4: make it so, shard by shard, along the graph.

    whole run   run.py       order, buckets, who is skipped and why, the result
    one shard   shard.py     init → plan → show → gates → backup → apply that plan → record
                draft.py     its result in the making    narration.py  the engine's words made ours
    values      outcome.py   what became of a shard and of a run
                ids.py       the name of a run: sorts by time, never twice

The rules: what is applied is the very plan that passed the gates. No apply starts before a copy of the
state has been read back and compared. A failed apply leaves Terraform's newest state where it is, for
that state alone knows what exists; the result says `failed`, why, and what to do. A shard that fails
takes its dependents out of the run and nobody else. After a stop is asked for no new step begins, and
Terraform is left to finish. Taking down is the same walk with the arrows turned round.
"""
