"""Terraform's own lock, left behind: removed when a dead Terraform of ours left it, respected otherwise.

A lock names user, host and moment, and no process. It is ours when one of our own Terraforms, known by the
note beside its record of events, was at work just then and has ended since. Anybody else's stays.
"""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from holdfast_orchestrator.deploy.decisions.lock_owner import Owner, Spawned, judge_lock
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.engine.children import Child, children
from holdfast_orchestrator.errors import GateError, InterruptedSafelyError, LeasedError, NeedsPersonError
from holdfast_orchestrator.state.terraform_lock import TerraformLock, read_lock, remove_lock, user_at_host
from holdfast_orchestrator.terraform.error_patterns import says_lock_not_released
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.state_file import Condition, read_state

_POLL_SECONDS = 0.5
# Between the lock and the first event after it.
_SLACK = timedelta(seconds=5)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def release_our_lock(leased: LeasedShard) -> None:
    """Remove a lock that a Terraform of ours left on this machine; wait for one that still works.

    Raises GateError for somebody else's lock, NeedsPersonError for one that cannot be read, and as
    `wait_for_children` does.
    """
    if _lock_of(leased) is None:
        return
    wait_for_children(leased)
    if (lock := _lock_of(leased)) is None:
        return
    spawned = (_spawned(child) for child in children(leased.workdir, since=_LONG_AGO))
    if any(judge_lock(lock, process) is Owner.OURS and _in_time(lock, last) for process, last in spawned):
        with suppress(LeasedError):
            remove_lock(leased.store, lock)
        leased.say("removed the lock that a Terraform of ours had left on the state")
        return
    _refuse_lock(leased, lock)


def outwait_lock(leased: LeasedShard, *, seconds: float) -> None:
    """Release our lock, and give one that a Terraform on another machine holds that long to be given back.

    Raises as `release_our_lock` does.
    """
    began, is_told = leased.run.clock.monotonic(), False
    while True:
        try:
            return release_our_lock(leased)
        except GateError as held:
            if leased.run.clock.monotonic() - began >= seconds:
                raise
            if not is_told:
                leased.say(f"waits for a lock: {held.what}")
                is_told = True
        leased.run.clock.sleep(_POLL_SECONDS)


def _lock_of(leased: LeasedShard) -> TerraformLock | None:
    return read_lock(leased.store, leased.shard.state.key)


def _refuse_lock(leased: LeasedShard, lock: TerraformLock) -> NoReturn:
    unlock = f"holdfast state unlock {shlex.quote(leased.shard.name)}"
    if not lock.readable:
        raise NeedsPersonError(
            f"the lock object at {lock.key} cannot be read, so nobody knows who holds the state",
            next_step=f"make sure that nobody does, then: {unlock}",
        )
    raise GateError(
        f"the state is locked by {lock.who} since {lock.created} ({lock.operation}, lock {lock.id})",
        next_step=f"wait for it; if it is dead: {unlock}",
    )


def wait_for_children(leased: LeasedShard, *, next_step: str | None = None) -> None:
    """Wait for every Terraform of ours that still works in the shard's folder, of any run.

    A stop ends the wait where nothing was begun yet: InterruptedSafelyError, with `next_step`. Asked a second
    time, each is interrupted, as what we start ourselves is.
    """
    is_told = False
    while alive := _alive(leased):
        left = f"the {alive[0].verb} (process {alive[0].pid}) that a dead run left running"
        if leased.is_to_stop:
            raise InterruptedSafelyError(f"interrupted while it waited for {left}", next_step=next_step)
        if not is_told:
            leased.say(f"waits for {left}")
            is_told = True
        with leased.run.stop.interrupting(lambda: _interrupt_all(leased)):
            leased.run.clock.sleep(_POLL_SECONDS)


def _interrupt_all(leased: LeasedShard) -> None:
    for child in _alive(leased):
        child.interrupt(leased.run.runtime.processes)


def _alive(leased: LeasedShard) -> list[Child]:
    processes = leased.run.runtime.processes
    return [child for child in children(leased.workdir, since=_LONG_AGO) if child.lives(processes)]


def _spawned(child: Child) -> tuple[Spawned, datetime]:
    try:
        last = datetime.fromtimestamp(child.record.stat().st_mtime, UTC)
    except OSError:
        last = child.began
    return Spawned(who=user_at_host(), started=child.began, ended=True), last


def _in_time(lock: TerraformLock, last: datetime) -> bool:
    """Whether the lock was taken while that Terraform still told events."""
    return lock.created_at is not None and lock.created_at <= last + _SLACK


def note_stolen_lock(leased: LeasedShard, attempt: Attempt) -> None:
    """Right after an apply: its lock could not be released because it is not there any more."""
    if says_lock_not_released(attempt.evidence.errors) and _lock_of(leased) is None:
        attempt.evidence.lock_stolen = True


def refuse_stolen_lock(leased: LeasedShard, attempt: Attempt) -> None:
    """Raise NeedsPersonError, once, where the lock was taken away; names what no state knows any more."""
    if not attempt.evidence.lock_stolen:
        return
    attempt.evidence.lock_stolen = False
    lost = ", ".join(_overwritten(leased, attempt))
    named = f"; in no state any more: {lost}" if lost else ""
    raise NeedsPersonError(
        "the lock was taken away during the apply, so somebody else may have written the state as well"
        f"{named}",
        next_step="import what is missing and is this shard's, then: "
        f"holdfast resume {attempt.run} --continue",
    )


def _overwritten(leased: LeasedShard, attempt: Attempt) -> Iterator[str]:
    now = leased.index(leased.state().document)
    gone = attempt.progress().gone() | attempt.objects.let_go
    named: set[tuple[str, str]] = set()
    for index in _written_since(leased, attempt):
        for tracked in index:
            name = (tracked.identity.kind, tracked.id or tracked.address)
            if tracked.identity not in now and name not in gone and name not in named:
                named.add(name)
                yield f"{tracked.address} ({tracked.id})"


def _written_since(leased: LeasedShard, attempt: Attempt) -> Iterator[IdentityIndex]:
    """Each version of the state that was written since this run began, newest first."""
    key = leased.shard.state.key
    before = attempt.before.snapshot
    for version in leased.store.versions(key):
        stored = None if version.deleted else leased.store.get_version(key, version.version)
        if stored is None:
            continue
        if before is not None and stored.body == before.body:
            return
        state = read_state(version.version, stored.body)
        if state.condition is Condition.WHOLE:
            yield leased.index(state.document)
