"""Everything a command does, from Python: `Project`.

app.py         an app that can be synthesized, selected from and inspected
adopt.py       taking states over            move.py   moving objects between stacks
project.py     plan, deploy, destroy, rollback, resume; options.py says how
history.py     what the state buckets have on record
states.py      copies of states, restore, unlock
machine.py     what is there on this machine, and the local cloud
kept_plans.py  plans kept in a folder          buckets.py   a bucket known by its name alone
"""
