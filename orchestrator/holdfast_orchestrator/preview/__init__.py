"""Plans that are shown: `run.py` (all shards of a run), `shard.py`, `ownership.py`, `refusals.py`."""
