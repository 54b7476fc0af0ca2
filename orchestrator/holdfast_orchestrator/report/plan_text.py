"""A plan in text: losses first, then the changes of each shard, then the unchanged shards in one line."""

from collections.abc import Iterator
from typing import Any

from holdfast_orchestrator.plan.document import Action, ResourceChange
from holdfast_orchestrator.plan.result import Plan, PlanOutcome, ShardPlan
from holdfast_orchestrator.system.visible import json_text
from holdfast_orchestrator.terraform.output_names import is_for_people

SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.FORGET: "#",
    Action.NO_OP: ">",
    Action.READ: "<",
}
_LONGEST_VALUE = 60


def explained_lines(plan: Plan) -> Iterator[str]:
    """Yield for each shard why it was planned, or that it was not."""
    for shard in plan.shards:
        for reason in shard.reasons:
            yield f"{shard.label}: {reason}"
        if shard.skipped:
            yield f"{shard.label}: unchanged {shard.summary}"
    if plan.not_selected:
        yield f"not selected: {', '.join(plan.not_selected)}"


def plan_lines(plan: Plan, *, attributes: bool = True) -> Iterator[str]:
    """Yield the plan; with `attributes` also the attributes that change in each object."""
    for loss in plan.destroys:
        verb = "replaced" if loss.action is Action.REPLACE else "destroyed"
        yield f"! {plan.by_name[loss.shard].label}: {loss.address} would be {verb}"
    for refusal in plan.refusals:
        yield f"! {refusal.what}"
        yield f"    {refusal.next_step}"
    for shard in plan.shards:
        if shard.outcome is not PlanOutcome.UNCHANGED:
            yield from _shard_lines(shard, attributes=attributes)
    unchanged = [shard.label for shard in plan.shards if shard.outcome is PlanOutcome.UNCHANGED]
    if unchanged:
        yield f"unchanged: {', '.join(unchanged)}"
    for shard in plan.shards:
        for use in shard.accepted:
            yield f"accepted difference: {shard.label}: {use}"


def later_lines(plan: Plan) -> Iterator[str]:
    """Yield that a deploy of the plan also deploys the shards that could not be planned yet."""
    later = [shard.label for shard in plan.shards if shard.outcome is PlanOutcome.DEFERRED]
    if later:
        one = len(later) == 1
        yield ""
        yield (
            f"{', '.join(later)} {'reads' if one else 'read'} what others create, and cannot be planned yet."
        )
        yield f"Your yes is for {'it' if one else 'them'} too: planned and deployed in the same run."


def change_words(change: ResourceChange) -> str:
    """Return one change in a line: sign, address, and why it is replaced or its earlier address."""
    words = f"{SIGNS[change.action]} {change.address}"
    if change.replace_paths:
        words += f"  (replaced because of {', '.join(change.replace_paths)})"
    if change.previous_address is not None and change.previous_address != change.address:
        words += f"  (was {change.previous_address})"
    if change.ownership is not None:
        return f"{words}  ({change.ownership})"
    return words + ("  (imported)" if change.imported else "")


def shown(value: Any) -> str:
    """Return a JSON value in one short line."""
    text = json_text(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _shard_lines(shard: ShardPlan, *, attributes: bool) -> Iterator[str]:
    lead = "" if shard.outcome is PlanOutcome.CHANGES else f"{shard.outcome.value}: "
    yield f"{shard.label}  {lead}{shard.summary}"
    if shard.document is None:
        return
    for change in shard.document.changes:
        yield f"  {change_words(change)}"
        if attributes and change.action in (Action.UPDATE, Action.REPLACE):
            for attribute in change.attributes:
                yield f"      {attribute.path}: {shown(attribute.before)} → {shown(attribute.after)}"
    own = [name for name in shard.document.outputs if is_for_people(name)]
    if own:
        yield f"  outputs: {', '.join(own)}"
