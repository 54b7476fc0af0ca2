"""The work on one shard in one run.

intent.py             what the turn is for
deploy.py             lease, look, plan, gates, start
planning.py           a shard that was planned
start.py              artifact, plan, backup and open record, before anything changes; what came of it
manual_rollback.py    going back because somebody asked
crash_recovery.py     what a dead run left is brought to its end first
journal_replay.py     the work as far as it had come, read from the journal
operator_decision.py  what a person decides about a run that is stuck, held against what there is
result.py             the result of the turn while it grows
"""
