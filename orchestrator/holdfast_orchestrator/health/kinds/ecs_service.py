"""An ECS service is steady: rolled out, as many tasks as asked for, and of the planned definition.

The last is not a formality. A service with a circuit breaker goes back to its old tasks by itself when the
new ones fail; it is then steady again, with everything green, and runs what was there before.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.health.observation import Observation, Standing

if TYPE_CHECKING:
    from holdfast_orchestrator.health.checks import EcsServiceSteady
    from holdfast_orchestrator.health.context import CheckContext


def look(check: "EcsServiceSteady", doors: "CheckContext") -> Observation:
    """Ask ECS for the service and judge it."""
    answer = doors.client("ecs").describe_services(cluster=check.cluster, services=[check.service])
    services = [service for service in answer["services"] if service.get("status") != "INACTIVE"]
    if not services:
        return Observation(Standing.FAILED, f"there is no service {check.service} in {check.cluster}")
    return judge(
        services[0], planned=check.task_definition if isinstance(check.task_definition, str) else None
    )


def judge(service: Mapping[str, Any], *, planned: str | None) -> Observation:
    """Say whether a service, as DescribeServices gives it, runs the planned task definition."""
    deployments: Sequence[Mapping[str, Any]] = service.get("deployments") or ()
    primary = next((each for each in deployments if each["status"] == "PRIMARY"), None)
    if primary is None:
        return Observation(Standing.WAITING, "it has no primary deployment")
    if planned is not None and _revision(primary["taskDefinition"]) != _revision(planned):
        return _another(deployments, primary, planned)
    return _rolled_out(service, primary, deployments)


def _another(
    deployments: Sequence[Mapping[str, Any]], primary: Mapping[str, Any], planned: str
) -> Observation:
    running, asked = _revision(primary["taskDefinition"]), _revision(planned)
    failures = (
        each
        for each in deployments
        if each.get("rolloutState") == "FAILED" and _revision(each["taskDefinition"]) == asked
    )
    failed = next(failures, None)
    if failed is not None or primary.get("rolloutState") == "COMPLETED":
        why = "" if failed is None else f": {failed.get('rolloutStateReason', '')}"
        return Observation(Standing.FAILED, f"ECS went back to {running}; {asked} was planned{why}")
    return Observation(Standing.WAITING, f"{running} is primary; {asked} was planned")


def _rolled_out(
    service: Mapping[str, Any], primary: Mapping[str, Any], deployments: Sequence[Mapping[str, Any]]
) -> Observation:
    running, desired = service["runningCount"], service["desiredCount"]
    counts = f"{running} of {desired} tasks of {_revision(primary['taskDefinition'])}"
    # Services that others deploy (CodeDeploy, external) have no rollout state of their own.
    rollout = primary.get("rolloutState") or ("COMPLETED" if len(deployments) == 1 else "IN_PROGRESS")
    match rollout:
        case "FAILED":
            reason = primary.get("rolloutStateReason", "no reason given")
            return Observation(Standing.FAILED, f"the rollout failed ({counts}): {reason}")
        case "COMPLETED" if running == desired:
            return Observation(Standing.HEALTHY, f"{counts}, rollout completed")
        case _:
            failed = primary.get("failedTasks", 0)
            lost = f", {failed} failed" if failed else ""
            return Observation(Standing.WAITING, f"{counts}, rollout {rollout.lower()}{lost}")


def _revision(task_definition: str) -> str:
    return task_definition.rpartition("/")[2]
