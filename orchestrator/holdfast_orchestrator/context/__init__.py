"""What the commands of a run share: `run.py`, `tools.py` (engines, folders, buckets), `warm_up.py`."""
