"""What S3 allows of a bucket's lifecycle and of a prefix."""

import hashlib
import re
from dataclasses import dataclass

from holdfast_constructs._tokens import is_number_token
from holdfast_constructs.errors import ConstructError

# Amazon S3 User Guide, "Object key naming guidelines": a key is at most 1,024 bytes.
LONGEST_PREFIX = 1024

# What names a grant by itself: one folder.
_FOLDER = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*/")
_LONGEST_PART = 48
_HASH_LENGTH = 8
_WILDCARD = re.compile(r"[*?]|\$\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """When objects go: all of them, old versions, uploads that were never finished; checked when made."""

    expire_days: int | None
    old_version_days: int
    unfinished_days: int
    intelligent_tiering: bool = False

    def __post_init__(self) -> None:
        for name in ("expire_days", "old_version_days", "unfinished_days"):
            days = getattr(self, name)
            if days is not None and not is_number_token(days) and days < 1:
                raise ConstructError(name, got=days, allowed="at least 1 day")


def below(prefix: str) -> str:
    """Return what the id of a grant says of a prefix, another text for each.

    Raises ConstructError for one that no key has.
    """
    check_prefix(prefix)
    if not prefix:
        return ""
    words = re.sub(r"[^A-Za-z0-9]+", "-", prefix).strip("-")
    if _FOLDER.fullmatch(prefix) and len(words) <= _LONGEST_PART:
        return words
    digest = hashlib.sha256(prefix.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{words[:_LONGEST_PART].rstrip('-')}-{digest}".lstrip("-")


def check_prefix(prefix: str) -> None:
    """Raise ConstructError for a prefix that no key has, or that a policy would read as a pattern."""
    if prefix.startswith("/") or len(prefix.encode()) > LONGEST_PREFIX or _WILDCARD.search(prefix):
        raise ConstructError(
            "prefix",
            got=prefix,
            allowed="the beginning of a key, such as invoices/, without * and ?",
            next_step="everything that begins with it is meant, so that no wildcard is needed",
        )
