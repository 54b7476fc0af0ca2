"""May a Terraform lock that was left behind be removed?

A lock is left when Terraform is killed (plans lock too), when releasing it fails, and when the answer to
taking it is lost: the retry then meets Terraform's own lock. Ours may be removed once our process has
ended; anybody else's, and one that cannot be read, is a person's to decide. The caller deletes with
`If-Match`, because `terraform force-unlock` cannot remove a damaged lock and is not atomic.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

# Terraform's clock and the orchestrator's are one machine's; this covers coarse time stamps.
SLACK_SECONDS = 1.0


class Owner(StrEnum):
    """Whose a lock is."""

    OURS = "ours"
    RUNNING = "ours, and our Terraform is still running"
    FOREIGN = "somebody else's"
    UNREADABLE = "unreadable"


class Lock(Protocol):
    """What is asked of a lock (`state.terraform_lock.TerraformLock`)."""

    @property
    def id(self) -> str: ...
    @property
    def readable(self) -> bool: ...
    @property
    def who(self) -> str: ...
    @property
    def created_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawned:
    """The Terraform process we started: `who` is user@host as Terraform writes it, `started` aware UTC."""

    who: str
    started: datetime
    ended: bool
    lock_id: str | None = None


def judge_lock(lock: Lock, spawned: Spawned | None) -> Owner:
    """Whose lock this is; only OURS may be removed.

    Args:
        lock: the lock as it lies in the bucket.
        spawned: the process of ours that may have left it, with the lock id if it was journalled.
    """
    if not lock.readable:
        return Owner.UNREADABLE
    if spawned is None or not _is_ours(lock, spawned):
        return Owner.FOREIGN
    return Owner.OURS if spawned.ended else Owner.RUNNING


def _is_ours(lock: Lock, spawned: Spawned) -> bool:
    if spawned.lock_id is not None:
        return lock.id == spawned.lock_id
    if lock.created_at is None or lock.who != spawned.who:
        return False
    return (lock.created_at - spawned.started).total_seconds() >= -SLACK_SECONDS
