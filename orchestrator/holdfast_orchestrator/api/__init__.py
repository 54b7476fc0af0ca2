"""The automation API: a program can do everything that a command does, with `Project`.

app.py         synthesize an app, choose and inspect its shards
adopt.py       take states over                move.py      move objects between stacks
project.py     plan, deploy, destroy, rollback, resume; options.py has the options
history.py     runs, journals and the audit trail
states.py      copies of states, restore, unlock; by_hand.py records what a person does by hand
machine.py     checks of this machine, and the local cloud
kept_plans.py  plans kept in a folder          buckets.py   a bucket known by its name alone
"""
