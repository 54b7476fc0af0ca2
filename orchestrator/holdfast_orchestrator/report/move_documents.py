"""The JSON document and the text of `holdfast move`."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.plan.document import PlanDocument
from holdfast_orchestrator.plan.result import ShardPlan
from holdfast_orchestrator.report.copying import copied
from holdfast_orchestrator.report.wording import counted
from holdfast_orchestrator.state_admin.move_result import Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedObject:
    """One object: its address in both states, its type and id. `there`: the receiver had it already."""

    address: str
    type: str
    id: str | None
    there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    """What the next deploy of a stack would do. `failure`: why it could not be planned, or waits."""

    shard: str
    added: int
    changed: int
    destroyed: int
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveDocument:
    """`holdfast move --json`. `stays` is how many objects the source keeps; `backups` are by shard.

    `demanded` says which moved objects the plans would create or destroy: none, if the move is right.
    `not_good` says why a failed deploy could not be rolled back to the states after the move, or is null.
    """

    schema: Literal["holdfast/move/v1"] = "holdfast/move/v1"
    source: str
    target: str
    moved: bool
    objects: tuple[MovedObject, ...]
    stays: int
    run: str | None = None
    backups: dict[str, str] | None = None
    next_step: str
    plans: tuple[MovePlan, ...] = ()
    demanded: tuple[str, ...] = ()
    not_good: str | None = None


def move_document(moved: Moved) -> MoveDocument:
    """Return the document of a move, proposed or done."""
    proposal, done = moved.proposal, moved.done
    return MoveDocument(
        source=moved.source.name,
        target=moved.target.name,
        moved=done is not None,
        objects=tuple(
            copied(MovedObject, tracked, type=tracked.identity.kind, there=tracked.address in proposal.there)
            for tracked in proposal.moved
        ),
        stays=proposal.stays,
        run=None if done is None else done.run,
        backups=None if done is None else dict(done.backups),
        next_step=_next(moved),
        plans=tuple(map(_plan, moved.plans)),
        demanded=moved.demanded,
        not_good=None if done is None else done.not_good,
    )


def _plan(plan: ShardPlan) -> MovePlan:
    failure = plan.failure or plan.waiting or None
    return copied(MovePlan, plan.document or PlanDocument(), shard=plan.label, failure=failure)


def move_lines(moved: Moved) -> Iterator[str]:
    """Yield what would move, or did."""
    document = move_document(moved)
    yield f"{'moved' if document.moved else 'would move'} from {document.source} to {document.target}:"
    for moved_object in document.objects:
        already = ", which is there already" if moved_object.there else ""
        yield f"  {moved_object.address} ({moved_object.id}){already}"
    yield f"{document.source} keeps {counted(document.stays, 'object')}"
    for shard, backup in (document.backups or {}).items():
        yield f"  backup of {shard}: {backup}"
    for plan in moved.plans:
        yield f"{plan.label} {'now' if document.moved else 'then'} plans: {plan.summary or 'no changes'}"
    yield from document.demanded
    if document.not_good is not None:
        yield (
            "a deploy that fails before both were deployed well cannot be undone by itself: "
            f"{document.not_good}"
        )
    yield f"next: {document.next_step}"


def _next(moved: Moved) -> str:
    """The command that carries the move out, or the next one after it.

    After a move that is `deploy`, or `plan` if a deploy would create or destroy moved objects. If the
    receiver left the app before the move ended, the command brings the objects back.
    """
    if moved.done is not None and not moved.target_in_app:
        names = (moved.target.name, moved.source.name)
        back = ("move", *names) if moved.source_in_app else ("plan",)
        return shlex.join(("holdfast", *back, "--env", moved.target.environment))
    options = ["--env", moved.target.environment, "--stack", moved.target.name]
    if moved.source_in_app:
        options += ["--stack", moved.source.name]
    if moved.done is None:
        chosen = [
            word for address in sorted(moved.proposal.wanted.addresses) for word in ("--address", address)
        ]
        names = (moved.source.name, moved.target.name)
        return shlex.join(("holdfast", "move", *names, "--env", moved.target.environment, *chosen, "--yes"))
    return shlex.join(("holdfast", "plan" if moved.demanded else "deploy", *options))
