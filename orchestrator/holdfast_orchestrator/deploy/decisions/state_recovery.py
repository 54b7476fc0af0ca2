"""STATE_RECOVERY: after an apply that may not have saved everything, which state counts now?

Several things may hold a part of the truth: the stored object, `errored.tfstate` in the working folder,
the emergency dump in the event file, earlier versions and backups, and the events themselves. There is
no fencing in Terraform's S3 backend, so two writers may have used one serial. The rules:

    the stored object belongs to another lineage, or was edited by hand   → a person decides
    it has everything                                                     → use it, drop the rest
    the errored state continues exactly what was stored before            → put it, next serial
    both have something the other lacks                                   → stored one, import the rest
    the stored object is gone or damaged                                  → newest whole copy of our lineage
    nothing was ever saved                                                → import from the events

What is put always keeps the lineage and gets a serial above every serial seen. `terraform state push`
would do neither into an absent object, so the caller writes with a conditional PUT.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast_orchestrator.deploy.decisions.apply_progress import Step
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.state_file import (
    Condition,
    Recorded,
    Standing,
    StateObject,
    compare,
    next_serial,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known after an apply.

    `recorded` is the record made before it; `copies` are earlier versions and backups; `created` and
    `gone` ((type, id)) come from the events. `rescued` are the errored state and the emergency
    dump, each where there is one.
    """

    stored: StateObject
    recorded: Recorded | None
    rescued: Sequence[StateObject] = ()
    copies: Sequence[StateObject] = ()
    created: Sequence[Step] = ()
    gone: Collection[tuple[str, str]] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """No state exists, and nothing was created."""


@dataclass(frozen=True, slots=True)
class UseStored:
    """The stored state is the truth; the rescued ones named in `drop` can be archived."""

    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PutRescued:
    """Put `state` (the rescued state `source` with the next serial) over the stored object."""

    source: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MergeByImport:
    """The stored state stays; `missing` objects are imported into it. `drop` as in `UseStored`."""

    missing: tuple[Step, ...]
    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RebuildByImport:
    """Begin with `state` (None: empty) from the copy `source`, and import `missing` into it."""

    source: str | None
    state: dict[str, Any] | None
    missing: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RestoreCopy:
    """Put `state` (the copy `source` with the next serial); it knows every object the events speak of."""

    source: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AskOperator:
    """Only a person can decide: why, which objects to look for, and the next step."""

    why: str
    missing: tuple[Step, ...]
    next_step: str


Decision = NothingToDo | UseStored | PutRescued | MergeByImport | RebuildByImport | RestoreCopy | AskOperator


def decide(evidence: Evidence) -> Decision:
    """Which state counts, and what has to be done to it; nothing here changes anything."""
    standing = compare(evidence.stored, evidence.recorded)
    missing = _missing(evidence, evidence.stored)
    match standing:
        case Standing.FOREIGN | Standing.EDITED:
            return AskOperator(
                f"The stored state is {standing}: another program wrote it.",
                missing,
                "compare it with the backups, and restore the right one",
            )
        case Standing.SAME | Standing.NEWER:
            return _decide_whole(evidence)
        case Standing.UNRECORDED if evidence.stored.condition is Condition.WHOLE:
            return _decide_whole(evidence)
        case _:
            return _decide_lost(evidence)


def _decide_whole(evidence: Evidence) -> Decision:
    """The stored state is one of ours; something rescued may continue it or have forked from it."""
    stored = evidence.stored
    rescued = _of_lineage(evidence.rescued, stored.lineage)
    foreign = [state for state in evidence.rescued if state.condition is Condition.WHOLE]
    if len(foreign) != len(rescued):
        return AskOperator(
            "The rescued state belongs to another lineage than the stored one.",
            _missing(evidence, stored),
            "keep both files, and find out which shard the rescued one belongs to",
        )
    best = max(rescued, key=lambda state: state.serial, default=None)
    if best is not None and _continues(best, evidence):
        return PutRescued(best.source, _renumbered(best, evidence))
    missing = _missing(evidence, stored) + _only_in(best, evidence)
    drop = tuple(state.source for state in evidence.rescued)
    return MergeByImport(_distinct(missing), drop) if missing else UseStored(drop)


def _continues(rescued: StateObject, evidence: Evidence) -> bool:
    """Whether nothing in the stored state would be lost by putting the rescued one over it."""
    stored = evidence.stored
    if rescued.serial <= stored.serial:
        return False
    untouched = evidence.recorded is not None and stored.sha256 == evidence.recorded.sha256
    return untouched or stored.ids - frozenset(evidence.gone) <= rescued.ids


def _decide_lost(evidence: Evidence) -> Decision:
    """The stored object is absent, damaged or older than recorded: what is the newest whole copy?"""
    lineage = _lineage(evidence)
    candidates = _of_lineage((*evidence.rescued, *evidence.copies, evidence.stored), lineage)
    best = max(candidates, key=lambda state: (state.serial, state is not evidence.stored), default=None)
    if best is None or (evidence.recorded is not None and best.serial < evidence.recorded.serial):
        return _without_copy(evidence, best)
    state, missing = _renumbered(best, evidence), _missing(evidence, best)
    if missing:
        return RebuildByImport(best.source, state, missing)
    rescued = any(best is each for each in evidence.rescued)
    return PutRescued(best.source, state) if rescued else RestoreCopy(best.source, state)


def _lineage(evidence: Evidence) -> str | None:
    """The lineage to look for. Before the first record, the rescued state's own; copies have no say."""
    if evidence.recorded is not None:
        return evidence.recorded.lineage
    lineages = {state.lineage for state in evidence.rescued if state.condition is Condition.WHOLE}
    return lineages.pop() if len(lineages) == 1 else None


def _without_copy(evidence: Evidence, best: StateObject | None) -> Decision:
    created = tuple(evidence.created)
    whole = [state for state in evidence.rescued if state.condition is Condition.WHOLE]
    if evidence.recorded is not None or whole:
        found = (
            f"the newest copy found is {best.source}, serial {best.serial}" if best else "no copy was found"
        )
        return AskOperator(
            f"The stored state is {compare(evidence.stored, evidence.recorded)}, and {found}.",
            created,
            "look for a copy of the recorded serial, or restore an older one",
        )
    if evidence.stored.condition is not Condition.ABSENT and not created:
        return AskOperator(
            f"There is a state object {evidence.stored.condition}, and no record of one.",
            created,
            "find out who wrote it, or restore a copy over it",
        )
    return RebuildByImport(None, None, created) if created else NothingToDo()


def _of_lineage(states: Sequence[StateObject], lineage: str | None) -> list[StateObject]:
    return [
        state
        for state in states
        if state.condition is Condition.WHOLE and lineage is not None and state.lineage == lineage
    ]


def _missing(evidence: Evidence, state: StateObject) -> tuple[Step, ...]:
    """What was created and, as far as the events tell, not destroyed again, and is not in this state."""
    return tuple(
        step
        for step in evidence.created
        if (step.kind, step.id_value) not in evidence.gone
        and (step.kind, step.id_value or step.address) not in state.ids
    )


def _only_in(rescued: StateObject | None, evidence: Evidence) -> tuple[Step, ...]:
    """Objects a forked rescued state has beyond the stored one; one without an id goes to a person."""
    if rescued is None:
        return ()
    return tuple(
        step
        for step in _objects(rescued)
        if (step.kind, step.id_value or step.address) not in evidence.stored.ids
        and (step.kind, step.id_value) not in evidence.gone
    )


def _objects(state: StateObject) -> list[Step]:
    return [
        Step(address=address, action="create", id_value=(instance.get("attributes") or {}).get("id"))
        for address, _, instance in managed(state.document or {})
    ]


def _distinct(steps: Sequence[Step]) -> tuple[Step, ...]:
    return tuple({(step.address, step.id_value): step for step in steps}.values())


def _renumbered(state: StateObject, evidence: Evidence) -> dict[str, Any]:
    states = (evidence.stored, *evidence.rescued, *evidence.copies)
    ours = [each for each in states if each.lineage == state.lineage]
    return {**(state.document or {}), "serial": next_serial(*ours, recorded=evidence.recorded)}
