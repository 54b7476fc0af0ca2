"""Stage 2: what Terraform would do, as data.

document.py   a plan as frozen values: each change, its actions, what would be lost; sensitive
              values are masked here and never stored
preview.py    the plan of one shard and of a whole run; a shard that waits for another's first
              deploy is *deferred*, which is no error
upstream.py   whose outputs a shard still waits for
shard.py      init, plan and show of one shard       run.py   all shards of a run
kept.py       plans kept in a folder, and why a kept plan may no longer be applied
"""
