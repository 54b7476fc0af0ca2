"""May a Terraform lock that was left behind be removed?

A lock is left when Terraform is killed (plans lock too), when releasing it fails, and when the answer to
taking it is lost: the retry then meets Terraform's own lock. Ours may be removed once our process has
ended; anybody else's, and one that cannot be read, is a person's to decide. The caller deletes with
`If-Match`, because `terraform force-unlock` cannot remove a damaged lock and is not atomic.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from holdfast_orchestrator.terraform.json_values import Document

# Terraform's clock and the orchestrator's are one machine's; this covers coarse time stamps.
SLACK_SECONDS = 1.0


class Owner(StrEnum):
    """Whose a lock is."""

    OURS = "ours"
    RUNNING = "ours, and our Terraform is still running"
    FOREIGN = "somebody else's"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawned:
    """The Terraform process we started: `who` is user@host as Terraform writes it, `started` aware UTC."""

    who: str
    started: datetime
    ended: bool
    lock_id: str | None = None


def judge_lock(lock: object, spawned: Spawned | None) -> Owner:
    """Whose lock this is; only OURS may be removed.

    Args:
        lock: the lock object as parsed JSON, None where it could not be parsed.
        spawned: the process of ours that may have left it, with the lock id if it was journalled.
    """
    if not isinstance(lock, dict) or not lock.get("ID"):
        return Owner.UNREADABLE
    if spawned is None or not _is_ours(lock, spawned):
        return Owner.FOREIGN
    return Owner.OURS if spawned.ended else Owner.RUNNING


def _is_ours(lock: Document, spawned: Spawned) -> bool:
    if spawned.lock_id is not None:
        return bool(lock["ID"] == spawned.lock_id)
    created = _time(lock.get("Created"))
    if created is None or lock.get("Who") != spawned.who:
        return False
    return (created - spawned.started).total_seconds() >= -SLACK_SECONDS


def _time(text: Any) -> datetime | None:
    """Go writes nanoseconds; Python reads at most microseconds."""
    try:
        head, _, fraction = str(text).removesuffix("Z").partition(".")
        digits = fraction[:6].ljust(6, "0")
        return datetime.fromisoformat(f"{head}.{digits}+00:00")
    except ValueError:
        return None
