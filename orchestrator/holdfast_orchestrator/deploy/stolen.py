"""A lock that was taken away while Terraform applied: two wrote one state, and neither knew of the other.

Terraform only says that it could not release its lock. State writes carry no condition, so the later one
has overwritten what the earlier one recorded. The bucket's versions still have it: what any of them knows
and the newest state does not is named, for a person.
"""

from collections.abc import Iterator

from holdfast_orchestrator.deploy.attempt import Attempt
from holdfast_orchestrator.deploy.bench import Bench
from holdfast_orchestrator.deploy.locks import lock_key
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.rollback.classify import says_lock_not_released
from holdfast_orchestrator.rollback.identities import IdentityIndex
from holdfast_orchestrator.rollback.state_objects import Condition, read_state


def note_stolen_lock(bench: Bench, attempt: Attempt) -> None:
    """Right after an apply: its lock could not be released because it is not there any more."""
    if says_lock_not_released(attempt.errors) and bench.store.head(lock_key(bench)) is None:
        attempt.lock_stolen = True


def refuse_stolen_lock(bench: Bench, attempt: Attempt) -> None:
    """Raise NeedsPersonError, once, where the lock was taken away; names what no state knows any more."""
    if not attempt.lock_stolen:
        return
    attempt.lock_stolen = False
    lost = ", ".join(_overwritten(bench, attempt))
    named = f"; in no state any more: {lost}" if lost else ""
    raise NeedsPersonError(
        "the lock was taken away during the apply, so somebody else may have written the state as well"
        f"{named}",
        next_step="import what is missing and is this shard's, then: "
        f"holdfast resume {attempt.run} --continue",
    )


def _overwritten(bench: Bench, attempt: Attempt) -> Iterator[str]:
    now = bench.index(bench.state().document)
    gone = attempt.progress().gone() | attempt.let_go
    told: set[tuple[str, str]] = set()
    for index in _written_since(bench, attempt):
        for known in index:
            name = (known.identity.kind, known.id or known.address)
            if known.identity not in now and name not in gone and name not in told:
                told.add(name)
                yield f"{known.address} ({known.id})"


def _written_since(bench: Bench, attempt: Attempt) -> Iterator[IdentityIndex]:
    """Each version of the state that was written since this run began, newest first."""
    key = bench.shard.state.key
    before = attempt.before.snapshot
    for version in bench.store.versions(key):
        stored = None if version.deleted else bench.store.get_version(key, version.version)
        if stored is None:
            continue
        if before is not None and stored.body == before.body:
            return
        state = read_state(version.version, stored.body)
        if state.condition is Condition.WHOLE:
            yield bench.index(state.document)
