"""From where on something is worth a word. Advice that comes too easily is not read."""

SPLIT_RESOURCES = 60
"""Objects in one state from which on a cut is looked for.

Terraform asks for ten objects at a time, and a deploy plans at least twice: 60 objects are a dozen rounds
of waiting for AWS. One lock, one restore and one mistake reach all of them. Stacks of this kind usually
have 10 to 45, so that nothing ordinary is found too large.
"""

SPLIT_SECONDS = 300.0
"""Seconds of a usual deploy from which on a cut is looked for: what takes longer, people walk away from."""

SPLIT_PLAN_SECONDS = 30.0
"""Seconds of one plan from which on a cut is looked for: every pull request waits that long, each time."""

PART_RESOURCES = 8
"""The least objects of a part: for fewer, a state, a lock and a backup of their own are not worth it."""

PART_SHARE = 0.2
"""The least share of a part: a cut that leaves more than four fifths together hardly changes anything."""

MOST_CROSSING = 10
"""References that may cross a cut. Each becomes an output and a value from elsewhere, to be looked after."""

KNOWN_CHANGES = 5
"""Earlier deploys to be known before anything is concluded from them: two or three happen by chance."""

ALONE_SHARE = 0.5
"""The least share of earlier changes that would have concerned one part only.

Below it most deploys would touch both parts, one after the other, and take longer than now.
"""

MERGE_RESOURCES = 15
"""The most objects of each of two shards to merge: both together stay far below what would be split."""

MERGE_RUNS = 5
"""Runs that changed both of two shards, before "always together" is believed (see KNOWN_CHANGES)."""

HISTORY_RUNS = 100
"""Runs that are looked back on: some weeks of a busy environment, one small read each."""

HISTORY_VERSIONS = 20
"""Earlier deployments of one shard that are compared with one another: two reads each."""
