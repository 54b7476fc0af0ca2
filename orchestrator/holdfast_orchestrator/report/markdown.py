"""The plan as a pull-request comment: losses first, details folded."""

from collections.abc import Iterator

from holdfast_orchestrator.plan.result import Plan, PlanOutcome, ShardPlan
from holdfast_orchestrator.report.plan_text import change_words, shown
from holdfast_orchestrator.report.wording import counted
from holdfast_orchestrator.terraform.accepted import count_words

# GitHub refuses comments over 65,536 characters.
_LONGEST = 60_000


def plan_comment(plan: Plan) -> str:
    """Return the comment. Its first line names the environments, so that CI finds the comment again."""
    comment = "\n".join(_lines(plan))
    if len(comment) <= _LONGEST:
        return comment + "\n"
    return "\n".join(_lines(plan, folded=False)) + "\n\nThe differences are too long to be shown here.\n"


def _lines(plan: Plan, *, folded: bool = True) -> Iterator[str]:
    environments = ", ".join(plan.environments)
    yield f"<!-- holdfast plan {environments} -->"
    changed = sum(shard.has_changes for shard in plan.shards)
    verb = "changes" if changed == 1 else "change"
    yield f"### {environments}: {changed} of {counted(len(plan.shards), 'shard')} {verb}"
    yield ""
    for loss in plan.destroys:
        yield f"- **{loss}**"
    for refusal in plan.refusals:
        yield f"- **would be refused**: {_plain(refusal.what)}"
    if plan.destroys or plan.refusals:
        yield ""
    yield from _overview(plan)
    yield from _accepted(plan)
    if folded:
        for shard in plan.shards:
            yield from _details(shard)


def _overview(plan: Plan) -> Iterator[str]:
    for shard in plan.shards:
        if shard.outcome is not PlanOutcome.UNCHANGED:
            yield f"- `{shard.label}` {_words(shard)}"
    unchanged = [f"`{shard.label}`" for shard in plan.shards if shard.outcome is PlanOutcome.UNCHANGED]
    if unchanged:
        yield f"- unchanged: {', '.join(unchanged)}"


def _accepted(plan: Plan) -> Iterator[str]:
    if words := count_words([use for shard in plan.shards for use in shard.accepted]):
        yield f"- {words}:"
    for shard in plan.shards:
        yield from (f"  - `{shard.label}` `{_plain(use)}`" for use in shard.accepted)


def _plain(use: object) -> str:
    return " ".join(str(use).replace("`", "'").split())


def _words(shard: ShardPlan) -> str:
    match shard.outcome:
        case PlanOutcome.FAILED:
            return f"**could not be planned**: {shard.summary.splitlines()[0]}"
        case PlanOutcome.DEFERRED:
            return f"is planned later: {shard.summary}"
        case _:
            return shard.summary


def _details(shard: ShardPlan) -> Iterator[str]:
    if shard.document is None or shard.document.is_empty:
        return
    yield ""
    yield f"<details><summary>{shard.label}</summary>"
    yield ""
    yield "```diff"
    for change in shard.document.changes:
        yield change_words(change)
        for attribute in change.attributes if change.before is not None and change.after is not None else ():
            yield f"    {attribute.path}: {shown(attribute.before)} → {shown(attribute.after)}"
    yield "```"
    yield "</details>"
