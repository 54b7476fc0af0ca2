"""The state machine of one shard's deploy: apply, settle, verify, health, deletes, verify, promoted; or back.

state_machine.py   drives it: each phase does its work and names the next
forward.py         the phases on the way forward        destroy.py, before_destroy.py   those of a destroy
rollback.py        the phases on the way back           rollback_inputs.py   what it is built from
irreversible.py    why there is no way back
assessment.py      what an apply has left               verification.py   what a verify plan proves
state_recovery.py  a state that was not saved is put right
object_lookup.py, tag_search.py   is an object there, and is it ours?
health.py          health checks                        rollback_plan.py   the plan to go back by
letting_go.py, held_removals.py, readers.py   deletes that others must be asked about first
"""
