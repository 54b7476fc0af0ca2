"""Terraform's and the providers' versions, as lock files and constraints write them.

A state written by a newer provider cannot be read by an older one ("Resource instance managed by newer
provider version"), so a rollback always keeps the newer of two versions.
"""

import re

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(-[0-9A-Za-z.-]+)?")

Ordering = tuple[int, int, int, int, str]


def ordering(version: str) -> Ordering | None:
    """Return a sort key of the highest version named in a version or constraint; None for none.

    A prerelease comes before its release.
    """
    return max(map(_key, _VERSION.finditer(version)), default=None)


def newest(one: str, other: str) -> str:
    """Return the one of two versions or constraints that names the higher version; the first when equal."""
    first, second = ordering(one), ordering(other)
    return other if second is not None and (first is None or second > first) else one


def is_older(version: str, than: str) -> bool:
    """Whether `version` is older than `than`; an unreadable version counts as older than any."""
    mine, theirs = ordering(version), ordering(than)
    return mine is None or (theirs is not None and mine < theirs)


def _key(match: re.Match[str]) -> Ordering:
    major, minor, patch, prerelease = match.groups()
    return int(major), int(minor), int(patch or 0), 0 if prerelease else 1, prerelease or ""
