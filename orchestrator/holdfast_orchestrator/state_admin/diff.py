"""Compares an old state with the newest one: what a restore would orphan, and what it would bring back.

A restore is the one way in which an old state may come back, and only because a person asked for it and
was shown this. Objects of the newest state that the old one does not know would live on unknown to anyone;
objects only the old one knows are perhaps gone, and the next plan would create them again, empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject, index_state
from holdfast_orchestrator.terraform.json_values import Document, digest, managed
from holdfast_orchestrator.terraform.state_edits import Move
from holdfast_orchestrator.terraform.state_file import Condition, StateObject, next_serial
from holdfast_orchestrator.terraform.stateful_types import Protection


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDiff:
    """What a restore would change in what the state knows. It must not go ahead with `refusals`.

    Attributes:
        orphaned: objects of now that nobody would know afterwards.
        resurrected: objects of then that are not in the state of now.
        moved: objects known under another address.
        changed: addresses whose recorded attributes differ; the next plan's refresh settles them.
        outputs: names of outputs that appear, vanish or change.
        refusals: why this must not be restored at all.
    """

    orphaned: tuple[TrackedObject, ...] = ()
    resurrected: tuple[TrackedObject, ...] = ()
    moved: tuple[Move, ...] = ()
    changed: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    refusals: tuple[str, ...] = field(default_factory=tuple)

    @property
    def empty(self) -> bool:
        """Whether the restore would change nothing that matters."""
        return not any((self.orphaned, self.resurrected, self.moved, self.changed, self.outputs))


def restore_diff(
    then: StateObject, now: StateObject, *, protection: Protection, lineage: str | None = None
) -> RestoreDiff:
    """Compare the state to restore with the newest one.

    Args:
        then: the state to restore.
        now: the newest state, in whatever condition.
        protection: what counts as stateful beyond the lists.
        lineage: the recorded lineage, where there is one.
    """
    refusals = _refusals(then, now, lineage)
    old = index_state(then.document, protection=protection)
    new = index_state(now.document, protection=protection)
    return RestoreDiff(
        orphaned=tuple(tracked for tracked in new if tracked.identity not in old),
        resurrected=tuple(tracked for tracked in old if tracked.identity not in new),
        moved=tuple(_moved(old, new)),
        changed=tuple(_changed(then, now, old, new)),
        outputs=_outputs(then.document or {}, now.document or {}),
        refusals=tuple(refusals),
    )


def restored(then: StateObject, *seen: StateObject) -> dict[str, Any]:
    """Return the state to write: the old one, with a serial above every serial seen."""
    return {**(then.document or {}), "serial": next_serial(then, *seen)}


def _refusals(then: StateObject, now: StateObject, lineage: str | None) -> list[str]:
    if then.condition is not Condition.WHOLE:
        return [f"{then.source} is {then.condition} and cannot be restored."]
    # What lies there may be a copy of another shard's state.
    expected = lineage or now.lineage
    if expected and then.lineage != expected:
        return [f"{then.source} has lineage {then.lineage}, the shard's state has {expected}."]
    if not expected:
        return [f"Nothing tells whether {then.source} belongs to this shard: no lineage is recorded."]
    return []


def _moved(old: IdentityIndex, new: IdentityIndex) -> Sequence[Move]:
    return [
        Move(new.by_identity[tracked.identity].address, tracked.address)
        for tracked in old
        if tracked.identity in new and new.by_identity[tracked.identity].address != tracked.address
    ]


def _changed(then: StateObject, now: StateObject, old: IdentityIndex, new: IdentityIndex) -> list[str]:
    before, after = _contents(then.document or {}, old), _contents(now.document or {}, new)
    return [
        old.by_identity[identity].address
        for identity in before
        if identity in after and before[identity] != after[identity]
    ]


def _contents(document: Document, index: IdentityIndex) -> dict[Identity, str]:
    instances = (instance for _, _, instance in managed(document))
    return {
        tracked.identity: digest(instance.get("attributes"))
        for tracked, instance in zip(index, instances, strict=True)
    }


def _outputs(then: Document, now: Document) -> tuple[str, ...]:
    old, new = then.get("outputs") or {}, now.get("outputs") or {}
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))
