"""A target group has targets, and they are all healthy. Those that are leaving (draining) do not count."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.health.observation import Observation, Standing

if TYPE_CHECKING:
    from holdfast_orchestrator.health.checks import AlbTargetsHealthy
    from holdfast_orchestrator.health.context import CheckContext

_LEAVING = frozenset({"draining", "unhealthy.draining"})


def look(check: "AlbTargetsHealthy", doors: "CheckContext") -> Observation:
    """Ask the load balancer for the targets' health and judge it."""
    answer = doors.client("elbv2").describe_target_health(TargetGroupArn=check.target_group_arn)
    return judge([target["TargetHealth"] for target in answer["TargetHealthDescriptions"]], check.at_least)


def judge(targets: Sequence[Mapping[str, Any]], at_least: int) -> Observation:
    """Say how healthy targets are, as DescribeTargetHealth gives them."""
    staying = [target for target in targets if target["State"] not in _LEAVING]
    states = Counter(target["State"] for target in staying)
    if states["healthy"] == len(staying) >= at_least:
        return Observation(Standing.HEALTHY, f"{len(staying)} targets, all healthy")
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no targets"
    why = next((target["Reason"] for target in staying if target.get("Reason")), None)
    words = f"{counts}; wanted at least {at_least}, all healthy{f' ({why})' if why else ''}"
    bad = states.keys() - {"healthy", "initial"}
    return Observation(Standing.UNHEALTHY if bad else Standing.WAITING, words)
