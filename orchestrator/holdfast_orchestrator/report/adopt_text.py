"""The text of `holdfast adopt`."""

import shlex
from collections.abc import Iterator

from holdfast_orchestrator.gate.elsewhere import adopt_command
from holdfast_orchestrator.plan.result import PlanOutcome, ShardPlan
from holdfast_orchestrator.report.adopt_documents import adopt_document, destroyed_addresses
from holdfast_orchestrator.report.wording import counted
from holdfast_orchestrator.state_admin.adopt_way import Way, count
from holdfast_orchestrator.state_admin.adoption import Adoption
from holdfast_orchestrator.terraform.backends import LOCAL

_SHOWN = 20


def adopt_lines(adoption: Adoption) -> Iterator[str]:
    """Yield what would be adopted and what a plan would then do, or what was done."""
    document = adopt_document(adoption)
    yield f"adopt {document.shard}"
    yield f"  from   {document.source}"
    yield f"  to     {adoption.proposal.wanted.target}"
    yield (
        f"  state  serial {document.serial}, lineage {document.lineage}, "
        f"{counted(document.objects, 'object')}, {counted(document.outputs, 'output')}"
    )
    yield f"  there  {_there(adoption)}"
    if adoption.done is None:
        yield from _preview_lines(adoption)
    else:
        yield from _done_lines(adoption)


def _preview_lines(adoption: Adoption) -> Iterator[str]:
    if adoption.preview is not None:
        yield f"  plan   {_planned(adoption.preview)}"
        destroys = destroyed_addresses(adoption.preview)
        yield from (f"         would be destroyed: {address}" for address in destroys[:_SHOWN])
        if len(destroys) > _SHOWN:
            yield f"         and {len(destroys) - _SHOWN} more"
    yield ""
    yield "nothing was changed; to adopt it:"
    yield f"  {adopt_command(adoption.shard, adoption.proposal.wanted.source.place)} --yes"


def _done_lines(adoption: Adoption) -> Iterator[str]:
    done, shard = adoption.done, adoption.shard
    if done is None:
        return
    verb = "was adopted before" if adoption.proposal.way is Way.THERE else "adopted"
    yield ""
    serial = max(adoption.proposal.given.serial, adoption.proposal.now.serial)
    yield f"{verb}: {shard.name} is at serial {serial}"
    if done.backup is not None:
        yield f"  what was there before  {done.backup}"
    yield f"  the old place says so  {done.mark}"
    if shard.elsewhere is not None and shard.elsewhere.kind != LOCAL:
        yield f"  remove from the app    the backend {shard.elsewhere.place}, so that nobody deploys there"
    look = f"holdfast plan --env {shard.environment} --stack {shlex.quote(shard.name)}"
    yield f"  next                   {look}"


def _planned(plan: ShardPlan) -> str:
    match plan.outcome:
        case PlanOutcome.UNCHANGED:
            return "no changes: the app and the state agree"
        case PlanOutcome.CHANGES:
            return f"then {plan.summary}"
        case PlanOutcome.DEFERRED:
            return plan.waiting
        case PlanOutcome.FAILED:
            return f"failed: {plan.summary}"


def _there(adoption: Adoption) -> str:
    now = adoption.proposal.now
    if now.document is None:
        return adoption.proposal.way.value
    return f"{adoption.proposal.way.value}: serial {now.serial}, {counted(count(now), 'object')}"
