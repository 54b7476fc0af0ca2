"""Health checks of what was deployed, from data to a verdict.

Checks are declared by constructs, written into holdfast.json, and looked at after the apply and before
the deletes: as long as they have not passed, everything old is still there to go back to.

    checks.py        holdfast.json's entries as typed checks, overrides of the environment applied
    readiness.py     before anything changes: is a check in the way of this deploy already?
    watch.py         look again and again, all checks side by side, until each has passed or one has failed
    tally.py         what a row of looks comes to; pure
    observation.py   what one look saw
    kinds/           one file a kind: one look at one target, through doors only
    context.py       what a check may use: AWS, the clock, programs, HTTP
    http_client.py   HTTP that reaches no metadata service, whatever a name resolves to

A verdict says whether, and why, in lines. What follows from it (commit, roll back) is not decided here.
"""
