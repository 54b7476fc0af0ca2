"""Names of runs: 26 letters and digits that sort by time (ULID: 48 bits of ms, 80 of chance)."""

import secrets
from datetime import datetime

# Crockford's base 32: no I, L, O, U.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_RANDOM_BITS = 80


def new_run_id(now: datetime) -> str:
    """Return a new name for a run begun at `now`."""
    return encoded(int(now.timestamp() * 1000), secrets.randbits(_RANDOM_BITS))


def encoded(milliseconds: int, chance: int) -> str:
    """Return the name for a time since 1970 and 80 random bits."""
    number = (milliseconds << _RANDOM_BITS) | chance
    letters = []
    for _ in range(_LENGTH):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return "".join(reversed(letters))
