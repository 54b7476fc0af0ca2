"""Python's garbage collector in programs of ours that load much and soon end."""

import gc

_NEW_OBJECTS = 20_000


def collect_seldom() -> None:
    """Look for garbage every 20,000 new objects and not every 700: what boto3 or moto loads stays anyway."""
    gc.set_threshold(_NEW_OBJECTS)
