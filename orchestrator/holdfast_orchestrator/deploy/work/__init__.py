"""What a phase works on.

leased_shard.py     every effect on one shard whose lease is held
task.py             what is to be done, and what was there before
attempt.py          the work as far as it has come
failure.py          why it failed, in words             ending.py    how it ended
preflight.py        is the state the recorded one?
promotion.py        the new last good deployment
sightings.py        what was seen of objects before their creates
kept_inputs.py      inputs kept before an apply, had again to go back
terraform_locks.py  Terraform's own locks
next_commands.py    the commands that are printed
"""
