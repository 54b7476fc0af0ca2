"""Decides which backups may be deleted: surplus and old ones, never one that may be needed.

Kept in any case are the newest of each lineage and the state of the last good deployment. A backup goes
only when there are `count` newer ones *and* it is older than `days`: a day of many deploys does not push
out last week's state, and a shard nobody touches for a year keeps what it has.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.state.backups import Backup
from holdfast_orchestrator.state.object_store import DeletingStore, ObjectExistsError
from holdfast_orchestrator.terraform.state_file import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How many backups of a shard are kept at least, and for how many days at least."""

    count: int = 50
    days: int = 90

    def __post_init__(self) -> None:
        if self.count < 1 or self.days < 0:
            raise SettingsError(
                f"backups must be kept at least 1 in number and 0 days, got {self.count} and {self.days}"
            )


def may_go(
    backups: Sequence[Backup], retention: Retention, *, now: datetime, last_good: Recorded | None
) -> tuple[Backup, ...]:
    """Return the backups that may be deleted.

    `backups` are all of one shard, newest first (`list_backups`); `now` is the bucket's time.
    """
    oldest = now - timedelta(days=retention.days)
    kept_lineages: set[str] = set()
    surplus = []
    for place, backup in enumerate(backups):
        newest_of_lineage = backup.lineage not in kept_lineages
        kept_lineages.add(backup.lineage)
        needed = newest_of_lineage or _is_last_good(backup, last_good)
        if not needed and place >= retention.count and backup.written < oldest:
            surplus.append(backup)
    return tuple(surplus)


def prune(store: DeletingStore, surplus: Sequence[Backup]) -> None:
    """Delete backups and their descriptions; one that somebody else deleted is no error."""
    for backup in surplus:
        described = store.head(backup.meta_key)
        with suppress(ObjectExistsError):
            store.delete(backup.key, etag=backup.etag)
        if described is not None:
            with suppress(ObjectExistsError):
                store.delete(described.key, etag=described.etag)


def _is_last_good(backup: Backup, last_good: Recorded | None) -> bool:
    return last_good is not None and backup.sha256 == last_good.sha256
