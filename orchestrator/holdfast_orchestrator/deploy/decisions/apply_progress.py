"""How far an apply came, from Terraform's own events; the exit code is only a hint.

Terraform writes `apply_start`, then `apply_complete` or `apply_errored`, for each step. For the first
20 seconds of an apply against S3 these events are the only record of what exists. Seen with Terraform
1.11.4: the id of a created object is in `apply_complete`, that of a deleted one in `apply_start`; a
deposed object has no mark of its own, only the id tells it from the current one; and when destroying
a deposed object fails, no `apply_errored` follows its `apply_start`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.terraform.addresses import object_type
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.plan import Action, PlannedChanges

Verb = Literal["create", "update", "delete"]
Phase = Literal["start", "complete", "errored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyStep:
    """One event of an apply. `id_value` is the provider's id where the event has one."""

    address: str
    action: str
    phase: Phase
    id_key: str | None = None
    id_value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an apply as it ended. `id_value` as in `ApplyStep`, from whichever event had it."""

    address: str
    action: str
    id_value: str | None = None

    @property
    def kind(self) -> str:
        """The Terraform type of the object."""
        return object_type(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """How many objects were created, updated and deleted; a replacement counts as one of each end."""

    added: int = 0
    changed: int = 0
    destroyed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Steps done, steps begun that did not end well or at all, and planned steps not begun."""

    done: tuple[Step, ...]
    unfinished: tuple[Step, ...]
    not_started: tuple[Step, ...]

    @property
    def doubt(self) -> tuple[Step, ...]:
        """Creates of which nobody knows whether they happened.

        An update or delete is never in doubt: the refresh of the next plan shows the truth.
        """
        return tuple(step for step in self.unfinished if step.action == "create")

    def counts(self) -> StepCounts:
        """Count the steps that are done."""
        number = Counter(step.action for step in self.done)
        return StepCounts(added=number["create"], changed=number["update"], destroyed=number["delete"])

    def created(self) -> tuple[Step, ...]:
        """The creates that were completed."""
        return tuple(step for step in self.done if step.action == "create")

    def destroyed(self) -> frozenset[tuple[str, str]]:
        """(type, id) of each object destroyed for certain, whether or not a namesake was made after it."""
        return frozenset(
            (step.kind, step.id_value) for step in self.done if step.action == "delete" and step.id_value
        )

    def gone(self) -> frozenset[tuple[str, str]]:
        """(type, id) of each object destroyed for certain and not created again afterwards."""
        gone: set[tuple[str, str]] = set()
        for step in self.done:
            if step.id_value and step.action == "delete":
                gone.add((step.kind, step.id_value))
            elif step.id_value and step.action == "create":
                gone.discard((step.kind, step.id_value))
        return frozenset(gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The events held against the newest state.

    `created`: identities this run made and the state knows; a namesake counts when the run destroyed the
    object that had the identity before. `unsaved`: creates done that the state
    does not know; the state has to be recovered first. `in_doubt`: creates to look for in the cloud.
    `taken`: objects that a create of this run was answered with, and nobody can tell whether it made them or
    took them over.
    """

    created: frozenset[Identity]
    unsaved: tuple[Step, ...]
    in_doubt: tuple[Step, ...]
    taken: frozenset[Identity] = frozenset()


def planned_steps(planned: PlannedChanges) -> tuple[Step, ...]:
    """The steps an apply of this plan consists of; a replacement is a delete and a create."""
    steps = []
    for change in planned:
        id_value = str((change.before or {}).get("id") or "") or None
        if change.deletes:
            steps.append(Step(address=change.address, action="delete", id_value=id_value))
        if change.creates:
            steps.append(Step(address=change.address, action="create"))
        if change.action is Action.UPDATE:
            steps.append(Step(address=change.address, action="update", id_value=id_value))
    return tuple(steps)


def measure(planned: Iterable[Step], events: Sequence[ApplyStep]) -> Progress:
    """Sort every step into done, unfinished and not started.

    Events are taken in their order; one that ends a step ends the oldest open one of the same address
    and action. An event that ends a step nobody started counts all the same: the file may have lost
    its head to a full disk.
    """
    done: list[Step] = []
    failed: list[Step] = []
    open_steps: list[Step] = []
    started: Counter[tuple[str, str]] = Counter()
    for event in events:
        step = Step(address=event.address, action=event.action, id_value=event.id_value)
        if event.phase == "start":
            open_steps.append(step)
            started[event.address, event.action] += 1
            continue
        (done if event.phase == "complete" else failed).append(_close(open_steps, step, started))
    return Progress(
        done=tuple(done),
        unfinished=(*failed, *open_steps),
        not_started=_not_started(planned, started),
    )


def settle(
    progress: Progress,
    *,
    before: IdentityIndex,
    now: IdentityIndex,
    imported: Collection[str] = (),
    unproven: Collection[Identity] = (),
) -> Settled:
    """What this run created, what the state misses, what is still in doubt.

    Args:
        progress: the events, measured.
        before: the index of the state the run began with.
        now: the index of the newest stored state.
        imported: addresses this run imported: in the state for the first time, but not created.
        unproven: identities of which a completed create does not prove that they are new.
    """
    destroyed, gone = progress.destroyed(), progress.gone()
    fresh = [
        tracked
        for tracked in now
        if tracked.address not in imported
        and (tracked.identity not in before or (tracked.identity.kind, tracked.id) in destroyed)
    ]
    made = frozenset(tracked.identity for tracked in fresh if _made_by(progress, tracked))
    saved = {(tracked.identity.kind, tracked.id) for tracked in now}
    return Settled(
        created=made.difference(unproven),
        taken=made.intersection(unproven),
        unsaved=tuple(
            step
            for step in progress.created()
            if (step.kind, step.id_value) not in gone and not _is_saved(step, saved, now)
        ),
        in_doubt=tuple(step for step in progress.doubt if not _is_at(step.address, fresh)),
    )


def _close(open_steps: list[Step], ended: Step, started: Counter[tuple[str, str]]) -> Step:
    for position, step in enumerate(open_steps):
        if (step.address, step.action) == (ended.address, ended.action):
            del open_steps[position]
            return Step(address=ended.address, action=ended.action, id_value=ended.id_value or step.id_value)
    started[ended.address, ended.action] += 1
    return ended


def _not_started(planned: Iterable[Step], started: Counter[tuple[str, str]]) -> tuple[Step, ...]:
    remaining, waiting = Counter(started), []
    for step in planned:
        if remaining[step.address, step.action] > 0:
            remaining[step.address, step.action] -= 1
        else:
            waiting.append(step)
    return tuple(waiting)


def _made_by(progress: Progress, tracked: TrackedObject) -> bool:
    """Whether our own events speak of the object; another run may have written to this state."""
    if any(step.address == tracked.address for step in progress.doubt):
        return True
    return any(
        step.address == tracked.address and (step.id_value is None or step.id_value == tracked.id)
        for step in progress.created()
    )


def _is_saved(step: Step, saved: Collection[tuple[str, str | None]], now: IdentityIndex) -> bool:
    if step.id_value is None:
        return step.address in now.by_address
    return (step.kind, step.id_value) in saved


def _is_at(address: str, fresh: Iterable[TrackedObject]) -> bool:
    return any(tracked.address == address for tracked in fresh)
