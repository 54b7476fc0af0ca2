"""Objects only the event file knows: import blocks that bring them back into a state.

An event has the provider's `id`; an import needs the import id. For most types they are the same; the
table names those where they differ, from the "Import" section of each type's page in the provider's
documentation (hashicorp/aws 5.100.0), and those that cannot be imported at all. A wrong import id does no
harm: the plan with the import blocks is only read, and `judge_import_plan` accepts nothing but the
imports asked for (at the recorded id) and creates that had not begun.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from holdfast_orchestrator.deploy.decisions.apply_progress import Step
from holdfast_orchestrator.terraform.import_ids import ImportBlock, import_id
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.object_keys import STATE_ONLY_PREFIXES
from holdfast_orchestrator.terraform.plan import Action, Change, read_plan


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What to do with objects that have to come into a state.

    `blocks` can be imported. `create_again` live in a state only (a random value, `terraform_data`):
    nothing in the cloud is lost by making them anew. `by_hand` needs a person; a second object of one
    address (an old one that waited for its destruction) is among them.
    """

    blocks: tuple[ImportBlock, ...]
    create_again: tuple[Step, ...]
    by_hand: tuple[Step, ...]


def plan_imports(steps: Iterable[Step], planned: Mapping[str, Document]) -> ImportPlan:
    """The import blocks for creates that no state knows.

    Args:
        steps: the creates, each with the id its event gave.
        planned: address to planned values, from the forward plan (`planned_values_by_address`).
    """
    blocks, again, by_hand = dict[str, ImportBlock](), list[Step](), list[Step]()
    for step in steps:
        by_id = import_id(step.kind, step.id_value, planned.get(step.address) or {})
        if step.kind.startswith(STATE_ONLY_PREFIXES):
            again.append(step)
        elif by_id is None or step.address in blocks:
            by_hand.append(step)
        else:
            blocks[step.address] = ImportBlock(step.address, by_id, step.id_value)
    return ImportPlan(tuple(blocks.values()), tuple(again), tuple(by_hand))


def planned_values_by_address(plan: Document) -> dict[str, Document]:
    """The values a plan knows beforehand for each object it would create or update."""
    return {change.address: change.after for change in read_plan(plan) if change.after is not None}


def judge_import_plan(
    plan: Document, *, expected: Collection[ImportBlock], may_create: Collection[str]
) -> tuple[str, ...]:
    """Why a plan with import blocks must not be applied (empty: nothing against it).

    It may import what is expected, at the recorded id and without a replacement, and create what had
    not begun. An imported object may be updated in place: some arguments exist in the configuration
    only and are written at the first apply.
    """
    wanted, planned = {block.address: block for block in expected}, read_plan(plan)
    problems = [problem for change in planned if (problem := _import_problem(change, wanted, may_create))]
    imported = {change.address for change in planned if change.importing}
    absent = [f"{address} would not be imported." for address in wanted if address not in imported]
    return (*planned.problems, *problems, *absent)


def _import_problem(
    change: Change, wanted: Mapping[str, ImportBlock], may_create: Collection[str]
) -> str | None:
    if not change.touches:
        return None
    if change.importing and change.address in wanted:
        recorded, import_id_read = wanted[change.address].id, str((change.before or {}).get("id") or "")
        if change.action not in (Action.NOTHING, Action.UPDATE):
            return f"{change.address} would be imported and then change: {change.action}."
        if recorded is not None and import_id_read != recorded:
            return f"{change.address}: the import found {import_id_read!r}, the event file says {recorded!r}."
        return None
    if change.action is Action.CREATE and change.address in may_create:
        return None
    return f"{change.address} is no import and had not been left to create: {change.action}."
