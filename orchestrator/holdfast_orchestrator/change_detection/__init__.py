"""Skip what has not changed, and say why the rest has.

A shard is unchanged when the fingerprint of its last good deployment (`record/fingerprint.py`) still matches:
configuration, settings, environment, upstream outputs, engine and providers, and the very object that is its
state. Who proved it well writes that down; any doubt means that Terraform is asked, as if nothing were known.

    normalize.py a configuration without what Terraform does not read; what of it cannot be judged from
                 outside (files, modules, variables, other apps' states)
    decide.py    the decision: pure, from frozen values, with every reason in words
    environment.py   which variables of the environment count
    upstream.py  what a shard reads from others, and whose outputs it still waits for
    inspect.py   gathers what is now: a few reads a shard, all shards at once, nothing is ever locked
    fingerprinting.py   what is written down after a proof
    git_diff.py  the app at another git revision, to compare with
    retired.py   what was deployed once and is not in the app any more

A skip is a statement about a moment, made by reading only. What it never does: change a record, take a
lease, or start Terraform.
"""
