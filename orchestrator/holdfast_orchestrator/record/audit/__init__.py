"""One record per action, chained and immutable; `athena.py` is for queries."""
