"""The configuration between two versions: the new one, with what others still read of the earlier one.

An output that a dependent's last good deployment reads must stay until that dependent has moved on, or it
could not be taken back; so must the objects behind the output. The bridge is deployed like any configuration.
Once nobody reads what it keeps, the new configuration itself is deployed, and its plan is the deletes.
"""

from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.deploy.decisions.deferred_deletes import stage
from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.json_values import Document, as_list
from holdfast_orchestrator.terraform.plan import Action, read_plan
from holdfast_orchestrator.terraform.references import Reference, closure, declared, references

# What can be read again without an object of its own behind it.
_CARRIED = ("data", "locals", "variable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The configuration, and what it keeps: the addresses of objects, and names of outputs."""

    configuration: Document
    objects: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        """Everything that is kept, in words."""
        return (*self.objects, *(f"output {name}" for name in self.outputs))


def build_bridge(
    new: Document,
    *,
    plan: Document,
    earlier: Sequence[Document],
    outputs: Collection[str],
    every_delete: bool,
) -> Bridge | None:
    """Return the bridge; None where nothing of what is asked for can be kept.

    Args:
        new: the configuration to deploy.
        plan: its plan against the present state, as `terraform show -json` prints it.
        earlier: configurations that may have what is removed, newest first.
        outputs: names of removed outputs that are to stay.
        every_delete: whether all deletes are to wait, not only those of objects behind `outputs`.
    """
    sources = {name: source for name in sorted(outputs) if (source := _source(name, earlier)) is not None}
    behind = {
        str(reference)
        for name, source in sources.items()
        for reference in closure(references(_outputs(source)[name]), declared(source))
    }
    if not every_delete:
        behind = _with_attached(behind, plan, earlier)
    staging = stage(new, plan=_with_deletes(plan, None if every_delete else behind), earlier=earlier)
    built: dict[str, Any] = deepcopy(dict(new if staging.stage_one is None else staging.stage_one))
    built["output"] = {
        name: body for name, body in _outputs(built).items() if name in _outputs(new) or name in outputs
    }
    for name, source in sources.items():
        _keep_output(built, name, source)
    kept = tuple(name for name in sources if name in built["output"] and name not in _outputs(new))
    if not built["output"]:
        del built["output"]
    if not kept and not staging.put_off:
        return None
    return Bridge(configuration=built, objects=staging.put_off, outputs=kept)


def _with_attached(behind: set[str], plan: Document, earlier: Sequence[Document]) -> set[str]:
    """`behind`, and what would be deleted while it works through what stays: a subnet's route table, for one.

    It refers to an object that stays only for now, or is referred to by what does.
    """
    available = {
        str(block): (source, block)
        for source in reversed(earlier)
        for block in declared(source)
        if block.section in ("resource", "module")
    }
    deleted = {
        configuration_address(change.address)
        for change in read_plan(plan)
        if change.action is Action.DELETE and configuration_address(change.address) in available
    }
    reached = {
        name: {str(each) for each in closure([block], declared(source))} & deleted
        for name in deleted
        for source, block in [available[name]]
    }
    staying = set(behind)
    while attached := {name for name in deleted - staying if reached[name] & staying}:
        staying.update(*(reached[name] for name in attached))
    return staying


def _source(output: str, earlier: Sequence[Document]) -> Document | None:
    return next((each for each in earlier if output in _outputs(each)), None)


def _outputs(configuration: Document) -> dict[str, Any]:
    return {name: body for group in as_list(configuration.get("output")) for name, body in group.items()}


def _with_deletes(plan: Document, blocks: Collection[str] | None) -> Document:
    """The plan without the deletes of other blocks than these; None: with all of them."""
    if blocks is None:
        return plan
    left_out = {
        change.address
        for change in read_plan(plan)
        if change.action is Action.DELETE and configuration_address(change.address) not in blocks
    }
    changes = plan.get("resource_changes") or ()
    return {**plan, "resource_changes": [change for change in changes if change["address"] not in left_out]}


def _keep_output(built: dict[str, Any], name: str, source: Document) -> None:
    """Add the output, and what it reads, where the objects it refers to are there."""
    available, body = declared(source), _outputs(source)[name]
    needed = [reference for reference in closure(references(body), available) if reference in available]
    declared_now = declared(built)
    missing = [reference for reference in needed if reference not in declared_now]
    if name in built["output"] or any(reference.section not in _CARRIED for reference in missing):
        return
    for reference in missing:
        _carry(built, reference, available[reference])
    built["output"][name] = deepcopy(body)


def _carry(built: dict[str, Any], reference: Reference, body: object) -> None:
    section = {key: value for group in as_list(built.get(reference.section)) for key, value in group.items()}
    if reference.kind:
        by_name = {
            key: value for group in as_list(section.get(reference.kind)) for key, value in group.items()
        }
        section[reference.kind] = {**by_name, reference.name: deepcopy(body)}
    else:
        section[reference.name] = deepcopy(body)
    built[reference.section] = section
