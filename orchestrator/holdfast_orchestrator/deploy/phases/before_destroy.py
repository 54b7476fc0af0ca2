"""Prepares a shard's protected objects for a destroy that somebody allowed by name.

Deletion protection is switched off, and final snapshots get names that no earlier destroy has used, by an
apply that may do nothing else. It comes before anything is deleted: where it fails, everything still exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast_orchestrator.deploy.phases.destroy import refuse_more_than_agreed
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import deploy_command
from holdfast_orchestrator.deploy.work.preflight import refuse_other_state
from holdfast_orchestrator.errors import EngineError, GateError
from holdfast_orchestrator.gate.destroys import is_declared, protections_of
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.addresses import parse_address
from holdfast_orchestrator.terraform.deletion_protection import (
    differing,
    prepared_arguments,
    with_arguments,
)
from holdfast_orchestrator.terraform.json_values import Document, blocks, parsed

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.outcomes import PlanOutcome
    from holdfast_orchestrator.engine.terraform import Terraform

_FILE = "prepare.tfplan"
Resource = tuple[str, str]


def prepare_destroy(leased: LeasedShard, attempt: Attempt) -> None:
    """Prepare the objects of the newest state, and plan the destroy again where that has changed it.

    Raises GateError where more than that would change, EngineError where it fails.
    """
    snapshot = leased.snapshot()
    if snapshot is None or not _prepare(leased, snapshot):
        return
    terraform = leased.terraform()
    outcome = terraform.plan(destroy=True)
    refuse_other_state(leased, outcome.plan)
    refuse_more_than_agreed(attempt, terraform.show_plan(outcome.plan))
    attempt.planning.terraform = terraform
    attempt.planning.plan_file = outcome.plan if outcome.changes else None


def _prepare(leased: LeasedShard, snapshot: StateSnapshot) -> bool:
    """Whether the state is another one now."""
    wanted = _wanted(leased, snapshot.document)
    if not wanted:
        return False
    leased.step("preparing protected objects")
    preparation = _Preparation(leased=leased, configuration=parsed(leased.shard.configuration), wanted=wanted)
    try:
        terraform, outcome = preparation.planned()
    except GateError as error:
        if protections_of(leased.shard, snapshot.document).switches:
            raise
        leased.say(f"final snapshots keep their names: {error.what}")
        return False
    if not outcome.changes:
        return False
    refuse_other_state(leased, outcome.plan)
    leased.back_up(snapshot, "before protected objects are prepared for their destroy")
    leased.lease.confirm()
    applied = terraform.apply(outcome.plan)
    if applied.code:
        reasons = "; ".join(each.text for each in applied.diagnostics if each.is_error)
        raise EngineError(f"protected objects could not be prepared for their destroy: {reasons}")
    for address, arguments in sorted(wanted.items()):
        values = ", ".join(f"{name} is {value}" for name, value in sorted(arguments.items()))
        leased.say(f"{address}: {values} now, so that it can be destroyed")
    return True


def _wanted(leased: LeasedShard, state: Document) -> dict[str, dict[str, object]]:
    """For each object that has to be prepared the arguments it gets."""
    configuration, suffix = parsed(leased.shard.configuration), f"{leased.run.clock.now():%Y%m%d-%H%M%S}"
    prepared = prepared_arguments(state, suffix)
    return {address: prepared[address] for address in prepared if is_declared(configuration, address)}


@dataclass(frozen=True, kw_only=True)
class _Preparation:
    leased: LeasedShard
    configuration: Document
    wanted: Mapping[str, Mapping[str, object]]

    def planned(self) -> "tuple[Terraform, PlanOutcome]":
        """A plan that gives the objects those arguments and does nothing else."""
        terraform, outcome, more = self._plan({})
        if more:
            terraform, outcome, more = self._plan(more)
        if more:
            addresses = ", ".join(sorted(f"{kind}.{name}" for kind, name in more))
            raise GateError(
                f"protected objects cannot be prepared alone: {addresses} would change as well",
                next_step=f"deploy the app as it is, and destroy then: {deploy_command(self.leased.shard)}",
            )
        return terraform, outcome

    def _plan(
        self, ignored: Mapping[Resource, frozenset[str]]
    ) -> "tuple[Terraform, PlanOutcome, dict[Resource, frozenset[str]]]":
        """Plan; also return what else would change, by resource."""
        arguments = {_resource(address): values for address, values in self.wanted.items()}
        terraform = self.leased.terraform(with_arguments(self.configuration, arguments, ignored))
        with self.leased.run.stop.interrupting(terraform.cancel):
            outcome = terraform.plan(out=_FILE, targets=tuple(self.wanted))
            shown = terraform.show_plan(outcome.plan) if outcome.changes else {}
        return terraform, outcome, self._more(shown)

    def _more(self, shown: Document) -> dict[Resource, frozenset[str]]:
        bodies = {(kind, name): body for kind, name, body in blocks(self.configuration, "resource")}
        more: dict[Resource, frozenset[str]] = {}
        for planned in shown.get("resource_changes") or ():
            change, resource = planned["change"], (planned["type"], planned["name"])
            if planned.get("mode") != "managed" or change["actions"] in (["no-op"], ["read"]):
                continue
            names = (
                differing(change, bodies.get(resource, {})) - self.wanted.get(planned["address"], {}).keys()
            )
            if names or change["actions"] != ["update"] or planned["address"] not in self.wanted:
                more[resource] = more.get(resource, frozenset()) | names
        return more


def _resource(address: str) -> Resource:
    parts = parse_address(address)
    return parts.kind, parts.name
