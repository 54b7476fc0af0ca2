"""Settles a destroy: takes what no longer exists out of the state, and names what is left.

Terraform's events tell which deletes were completed. Of everything else, a destroy plan tells: it reads
each object first, and plans to delete only those that it finds. An object that it does not find leaves the
state; nothing is ever deleted here.
"""

from collections.abc import Collection, Iterable
from typing import Any

from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import destroy_command
from holdfast_orchestrator.deploy.work.preflight import refuse_other_state
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.plan import read_plan
from holdfast_orchestrator.terraform.state_edits import forget_in_state

_FILE = "remaining.tfplan"


def settle_destroy(leased: LeasedShard, attempt: Attempt) -> tuple[str, ...]:
    """Take out of the state what does not exist any more; return the addresses of what does.

    Raises HoldfastError where it cannot be found out.
    """
    drop_deleted(leased, attempt.progress().gone())
    snapshot = leased.snapshot()
    if snapshot is None or not snapshot.manages_something:
        return ()
    leased.step("looking at what is left")
    terraform = leased.terraform()
    outcome = terraform.plan(out=_FILE, destroy=True)
    refuse_other_state(leased, outcome.plan)
    if outcome.changes:
        shown = terraform.show_plan(outcome.plan)
        outcome.plan.unlink(missing_ok=True)
        return _drop_missing(leased, snapshot, shown)
    _save_refreshed(leased, snapshot, terraform, outcome.plan)
    return ()


def drop_deleted(leased: LeasedShard, gone: Collection[tuple[str, str]]) -> None:
    """Take objects out of the state that Terraform reported as deleted; `gone` are their types and ids."""
    snapshot = leased.snapshot()
    if snapshot is None:
        return
    _forget(leased, snapshot, _addresses_of(snapshot.document, gone))


def refuse_more_than_agreed(attempt: Attempt, plan: Document) -> None:
    """Raise GateError where a plan deletes something that no plan before it did: nobody agreed to that."""
    planned = {change.address for change in read_plan(plan) if change.touches}
    if more := sorted(planned - attempt.touched):
        raise GateError(f"the plan to go on would also change {', '.join(more)}, which nobody agreed to")


def destroy_again(leased: LeasedShard, attempt: Attempt) -> str:
    """Return the command that goes on with this destroy."""
    return destroy_command(leased.shard, attempt.policy.allowed & attempt.touched)


def _save_refreshed(leased: LeasedShard, snapshot: StateSnapshot, terraform: Any, plan: Any) -> None:
    """Save what Terraform has just read, by an apply of the empty plan: no object exists any more."""
    gone = sorted({address for address, _, _ in managed(snapshot.document)})
    leased.back_up(snapshot, "before what does not exist any more leaves the state")
    leased.lease.confirm()
    terraform.apply(plan)
    leased.say(f"did not exist any more, and left the state: {', '.join(gone)}")


def _drop_missing(leased: LeasedShard, snapshot: StateSnapshot, plan: Document) -> tuple[str, ...]:
    planned = {change.address for change in read_plan(plan) if change.touches}
    recorded = {address for address, _, _ in managed(snapshot.document)}
    _forget(leased, snapshot, recorded - planned - _read(plan))
    return tuple(sorted(planned))


def _read(plan: Document) -> set[str]:
    """The addresses of the objects that Terraform found while it planned."""
    values = (plan.get("prior_state") or {}).get("values") or {}
    return set(_resources(values.get("root_module") or {}))


def _resources(module: Document) -> Iterable[str]:
    yield from (resource["address"] for resource in module.get("resources") or ())
    for child in module.get("child_modules") or ():
        yield from _resources(child)


def _addresses_of(state: Document, gone: Collection[tuple[str, str]]) -> set[str]:
    """Addresses at which every object, deposed ones too, is gone."""
    deleted: set[str] = set()
    kept: set[str] = set()
    for address, resource, instance in managed(state):
        kind_and_id = (resource["type"], (instance.get("attributes") or {}).get("id"))
        (deleted if kind_and_id in gone else kept).add(address)
    return deleted - kept


def _forget(leased: LeasedShard, snapshot: StateSnapshot, addresses: Collection[str]) -> None:
    if not addresses:
        return
    edited = forget_in_state(snapshot.document, sorted(addresses))
    leased.put_state(edited, reason="before what was destroyed leaves the state")
    leased.say(f"destroyed, and out of the state now: {', '.join(sorted(addresses))}")
