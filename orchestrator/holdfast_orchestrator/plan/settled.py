"""A plan that shows nothing but what somebody has accepted, just as the last verify did, is empty.

Anything else about it, another configuration first of all, makes it a plan like any other: what is accepted
is then counted beside what changes.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.plan.document import PlanDocument

if TYPE_CHECKING:
    from holdfast_orchestrator.context.run import Run


def with_accepted(
    document: PlanDocument, raw: Mapping[str, Any], *, shard: Shard, run: "Run"
) -> PlanDocument:
    """Return `document` with what of it is accepted; without changes where it is as the last verify left it.

    `raw` is Terraform's own document of the same plan.
    """
    from holdfast_orchestrator.terraform.differences import Accepting, judge_differences  # noqa: PLC0415
    from holdfast_orchestrator.terraform.plan import read_plan  # noqa: PLC0415 - rarely needed

    if not shard.accepted_differences:
        return document
    rules = Accepting(shard.accepted_differences, run.clock.now().date(), json.loads(shard.configuration))
    judged = judge_differences(read_plan(raw), rules)
    document = replace(document, accepted=judged.accepted, expired=judged.expired)
    only_accepted = {change.address for change in document.changes} == {
        use.resource for use in judged.accepted
    }
    if judged.open or judged.expired or document.outputs or not (judged.accepted and only_accepted):
        return document
    return replace(document, changes=()) if _was_verified(shard, run, mark=judged.mark) else document


def _was_verified(shard: Shard, run: "Run", *, mark: str) -> bool:
    """Whether the last good deployment was of this configuration and left just these differences."""
    from holdfast_orchestrator.record.artifact import read_artifact  # noqa: PLC0415 - rarely needed
    from holdfast_orchestrator.record.last_good import read_last_good  # noqa: PLC0415

    store = run.tools.store(shard)
    try:
        good = read_last_good(store, shard.state.folder)
        if good is None or good.record.accepted_mark != mark:
            return False
        deployed = read_artifact(store, good.record.artifact).configuration
    except HoldfastError:
        return False
    return bool(json.loads(deployed) == json.loads(shard.configuration))
