"""Stage 4: make it so, shard by shard, along the graph; what fails undoes itself.

    whole run    run.py        order, buckets, who is skipped and why, the result
                 desk.py       who deploys, what is agreed to    books.py   what is written of every run
                 together.py   --atomic                          resume.py  a dead run taken up again
                 ahead.py      folders made ready meanwhile      turns.py   what is left alone
    one shard    shard.py      lease → look → plan → gates → launch
                 preflight.py  is the state the recorded one?    unfinished.py  what a dead run left, first
                 gates.py      what could not be undone          locks.py       Terraform's own locks
                 launch.py     artifact, plan, backup and open record, before anything changes
                 by_hand.py    going back because somebody asked
    the machine  machine.py    apply → settle → verify → health → deletes → verify → promoted, or classify
                 forward.py    its way forward                   undo.py        its way back
                 recovery.py   what only events or cloud know    probe.py       is it there, is it ours?
                 aftermath.py  what an apply has left            proof.py       the verify
                 health_gate.py, promotion.py                    stolen.py       the lock was taken away
                 decision.py   what a person says of it, held against what there is
    values       attempt.py    the work as far as it has come    reopen.py      read back from the journal
                 bench.py      every effect on one shard         outcome.py     what became of shard and run
                 draft.py, narration.py, ids.py

The rules: what is applied is the very plan that passed the gates. Nothing is changed before it is written
down where any machine can read it, and no apply starts before a copy of the state has been read back. An
apply's exit code is a hint, the verify is the verdict. The newest state is the truth: going back is a
guarded step forward to the last good configuration. A shard that fails takes its dependents out of the
run and nobody else. After a stop is asked for no new step begins, and Terraform is left to finish.
"""
