"""One-off tasks of ECS on Fargate: they run, and they end.

moto 5.2.1 adds up the memory of the containers, and fails where a task has its memory only as a whole, which
is usual on Fargate; it needs `securityGroups`, knows the first container only, and lets a task run for ever.
AWS takes the memory of the task, and a task is STOPPED once its essential container has ended.
So do we: a task that no service started has ended by the time somebody asks for it, with exit code 0, or with
1 where the first container has the environment variable `HOLDFAST_LOCAL_TASKS_FAIL=true`.
"""

import copy
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import attach, moto, wrap
from holdfast_orchestrator.local.moto_patches.ecs_services import FAILING


def close() -> None:
    """Run a task of several containers without memory of their own, and end it."""
    models = moto("ecs.models")
    backend = models.EC2ContainerServiceBackend
    _count_no_memory(backend)
    # A network interface has no such name where its VPC gives none.
    attach(moto("ec2.models.elastic_network_interfaces").NetworkInterface, "private_dns_name", None)

    @wrap(models.Task, "__init__")
    def begin(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        placed = (kwargs.get("networking_configuration") or {}).get("awsvpcConfiguration", {})
        placed.setdefault("securityGroups", [])
        original(self, *args, **kwargs)
        definition = kwargs.get("task_definition") or args[1]
        containers = definition.container_definitions
        self.containers = [models.Container(_only(definition, each)) for each in containers]
        self.holdfast_exit_code = int(FAILING in containers[0].get("environment", ()))

    @wrap(backend, "describe_tasks")
    def describe(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        tasks = original(self, *args, **kwargs)
        for task in tasks:
            if task.launch_type == "FARGATE" and task.group.startswith("family:"):
                _end(task)
        return tasks


def _count_no_memory(backend: Any) -> None:
    original = backend._calculate_task_resource_requirements  # noqa: SLF001 - moto's own

    def requirements(definition: Any) -> Any:
        counted = copy.copy(definition)
        counted.container_definitions = [
            {"memoryReservation": 0, **each} for each in definition.container_definitions
        ]
        return original(counted)

    attach(backend, "_calculate_task_resource_requirements", staticmethod(requirements))


def _only(definition: Any, container: Any) -> Any:
    alone = copy.copy(definition)
    alone.container_definitions = [container]
    return alone


def _end(task: Any) -> None:
    task.desired_status = task.last_status = "STOPPED"
    task.stopped_reason = "Essential container in task exited"
    for container in task.containers:
        container.last_status, container.exitCode = "STOPPED", task.holdfast_exit_code
