"""Rewrites the last good deployments of two shards after a move: without what left, with what came.

So a deploy that fails afterwards is undone to what is right now: nothing that moved is
made again or destroyed.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from holdfast_orchestrator.app.inputs import Inputs
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.configuration import empty_like
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.inputs.keep import described
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.artifact import Artifact, keep_artifact, read_artifact
from holdfast_orchestrator.record.last_good import LastGood, promote, read_last_good
from holdfast_orchestrator.record.moving import Moving
from holdfast_orchestrator.record.shard_record import note_of
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state_admin.move import Proposal
from holdfast_orchestrator.terraform.handed_blocks import (
    NotWrittenOutError,
    StateValues,
    moved_blocks,
    with_blocks,
    without_blocks,
)
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.json_values import Document, digest, texts
from holdfast_orchestrator.terraform.references import declared


def promote_both(proposal: Proposal, moving: Moving, actor: Actor, now: datetime) -> str | None:
    """Write both records, the gainer's first; what was written already stays.

    Returns why that cannot be done, and then neither is written; None: both are.
    """
    store = proposal.wanted.store
    source, target = moving.folders
    giving, gaining = read_last_good(store, source), read_last_good(store, target)
    if giving is None:
        return f"{proposal.wanted.source.name} was never deployed well"
    if giving.record.run == moving.run:
        return None
    try:
        left, gained = _artifacts(proposal, giving.record, None if gaining is None else gaining.record)
    except HoldfastError as error:
        return error.what
    stamp = _Stamp(store, moving, actor, now)
    known = {known.identity for known in proposal.moved}
    unproven = giving.record.not_made & known
    if gaining is None or gaining.record.run != moving.run:
        before = _empty(proposal, giving.record) if gaining is None else gaining.record
        index = IdentityIndex((*_besides(before, known), *proposal.moved))
        record = stamp.on(before, gained, index, target)
        promote(store, target, replace(record, not_made=record.not_made | unproven), after=gaining)
    record = stamp.on(giving.record, left, IdentityIndex(_besides(giving.record, known)), source)
    promote(store, source, replace(record, not_made=record.not_made - unproven), after=giving)
    return None


@dataclass(frozen=True, slots=True)
class _Stamp:
    store: DurableStore
    moving: Moving
    actor: Actor
    now: datetime

    def on(self, record: LastGood, artifact: Artifact, index: IdentityIndex, folder: str) -> LastGood:
        """Return the record after the move."""
        return replace(
            record,
            run=self.moving.run,
            artifact=keep_artifact(self.store, artifact),
            state=self.moving.states[folder],
            state_version=None,
            index=index,
            actor=self.actor,
            git=None,
            at=self.now,
            verb="move",
            target=None,
        )


def _besides(record: LastGood, known: Collection[Identity]) -> tuple[TrackedObject, ...]:
    return tuple(entry for entry in record.index if entry.identity not in known)


def _empty(proposal: Proposal, giver: LastGood) -> LastGood:
    """Return the record to start from for a shard that was never deployed: the giver's, without objects."""
    return replace(
        giver,
        generation=0,
        outputs_sha256=digest({}),
        inputs=giver.inputs if _is_whole(proposal, giver) else {},
        index=IdentityIndex(),
        residual=None,
        health=(),
        shard=note_of(proposal.wanted.target),
        accepted=(),
        accepted_mark=None,
        rejected=(),
        not_made=frozenset(),
    )


def _is_whole(proposal: Proposal, giver: LastGood) -> bool:
    """Whether all that the giver has moves, to a shard that has nothing."""
    return not proposal.others and {known.address for known in giver.index} <= proposal.addresses


def _artifacts(proposal: Proposal, giver: LastGood, gainer: LastGood | None) -> tuple[Artifact, Artifact]:
    """Return the artifacts of giver and gainer after the move. Raises NotWrittenOutError."""
    store = proposal.wanted.store
    theirs = read_artifact(store, giver.artifact)
    configuration: Document = json.loads(theirs.configuration)
    values = StateValues([side.state.document or {} for side in (proposal.source, proposal.target)])
    if gainer is None and _is_whole(proposal, giver):
        left = _emptied(configuration, proposal, giver, values)
        return _with(theirs, left), _with(theirs, _in_place_of(proposal, configuration))
    come = moved_blocks([known.address for known in giver.index], proposal.addresses)
    _refuse_files(theirs, {str(entry): declared(configuration).get(entry) for entry in come})
    if gainer is None:
        ours = replace(theirs, assets={}, inputs=described(Inputs()))
        base = _in_place_of(proposal, empty_like(configuration))
    else:
        ours = read_artifact(store, gainer.artifact)
        base = json.loads(ours.configuration)
        base = empty_like(base) if gainer.is_destroy else base
    left = without_blocks(configuration, come, values)
    return _with(theirs, left), _with(ours, with_blocks(base, configuration, come, values))


def _emptied(
    configuration: Document, proposal: Proposal, giver: LastGood, values: StateValues
) -> dict[str, Any]:
    """A configuration out of which everything goes: with its outputs, where those can be written out."""
    try:
        gone = moved_blocks([known.address for known in giver.index], proposal.addresses)
        return without_blocks(configuration, gone, values)
    except NotWrittenOutError:
        return empty_like(configuration)


def _in_place_of(proposal: Proposal, configuration: Document) -> dict[str, Any]:
    """The configuration with the state of the shard that gains: a stack that left the app has no other."""
    target, settings = proposal.wanted.target, configuration["terraform"]
    ours: Document = json.loads(target.configuration)
    backend = ours["terraform"]["backend"] if "terraform" in ours else _with_key(settings["backend"], target)
    return {**configuration, "terraform": {**settings, "backend": backend}}


def _with_key(backend: Mapping[str, Any], shard: Shard) -> dict[str, Any]:
    """The backend of another shard of the same bucket, for this one."""
    return {kind: {**settings, "key": shard.state.key} for kind, settings in backend.items()}


def _with(artifact: Artifact, configuration: Mapping[str, Any]) -> Artifact:
    return replace(artifact, configuration=json.dumps(configuration, indent=1).encode())


def _refuse_files(artifact: Artifact, blocks: Mapping[str, Any]) -> None:
    """Raise NotWrittenOutError where a block reads a file, which the other shard does not keep."""
    files = [str(file["path"]) for file in (artifact.inputs or {}).get("files") or ()]
    for name, block in blocks.items():
        read = next((path for path in files for text in texts(block) if path in text), None)
        if read is not None:
            raise NotWrittenOutError(f"{name} reads {read}")
