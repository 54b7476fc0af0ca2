"""Everything a command does, from Python: `Project`.

app.py       an app that can be synthesized, selected from and inspected
adopt.py     taking states over            move.py   moving objects between stacks
project.py   plan, deploy, destroy, rollback, resume
"""
