"""Stage 2: what Terraform would do, as data.

document.py   a plan as frozen values: each change, its actions, what would be lost; sensitive
              values are masked here and never stored
shard.py      init, plan and show of one shard
result.py     the plan of one shard and of a whole run; a shard that waits for another's first
              deploy is *deferred*, which is no error
looks.py      is what a plan creates there already?
settled.py    differences that somebody has accepted
saved.py      plans kept in a folder, and why a saved plan may no longer be applied
"""
