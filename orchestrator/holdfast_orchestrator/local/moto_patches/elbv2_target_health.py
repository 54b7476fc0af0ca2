"""The health of the targets that ECS registers.

In moto 5.2.1 ECS services never register their tasks with the target groups they name, so such a group
stays empty for ever and nobody who waits for healthy targets gets there.
AWS registers each running task under its own address, and takes it out when the task ends.
So do we: a target group shows a healthy target for every running task of the services that name it, beside
the targets somebody registered. A service whose tasks fail (see `ecs_services`) has none.
"""

import ipaddress
import zlib
from collections.abc import Iterator
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap

# Where the tasks of the local cloud seem to live; nothing answers there.
_TASKS = ipaddress.ip_network("10.0.0.0/8")


def close() -> None:
    """Show the tasks of ECS services among the targets."""

    @wrap(moto("elbv2.models").ELBv2Backend, "describe_target_health")
    def describe(original: Any, self: Any, target_group_arn: str, targets: list[dict[str, Any]]) -> Any:
        shown = list(original(self, target_group_arn, targets))
        if targets:
            return shown
        group = self.target_groups[target_group_arn]
        return [*shown, *_tasks(self, group)]


def _tasks(elb: Any, group: Any) -> Iterator[Any]:
    health = moto("elbv2.models").FakeHealthStatus
    port_of_check = group.health_check_port
    ecs = moto("ecs.models").ecs_backends[elb.account_id][elb.region_name]
    for service in ecs.services.values():
        for backend in _backends(service, group.arn):
            for number in range(service.running_count):
                yield health(
                    _address(service.arn, number), backend["containerPort"], port_of_check, "healthy"
                )


def _backends(service: Any, arn: str) -> Iterator[Any]:
    return (each for each in service.load_balancers if each.get("targetGroupArn") == arn)


def _address(service: str, number: int) -> str:
    return str(_TASKS[(zlib.crc32(service.encode()) & 0xFFFF00) + number + 1])
