"""ECS services: all of their settings, and a rollout that ends.

moto 5.2.1 drops most settings when a service is made (capacity providers, deployment configuration,
execute command, managed tags, grace period, zone rebalancing), so each is planned again and again, and
its services never get their tasks running: `wait_for_steady_state` waits for ever.
A service that was deleted stays in it for ever, as INACTIVE, and a new cluster of the same name has it.
AWS gives the settings back, with defaults, and starts as many tasks as are asked for; it may forget what is
INACTIVE at any time.
So do we: a service is steady at once, and one that was deleted is forgotten after KEPT_SECONDS, or with its
cluster. A task definition whose first container has the environment
variable `HOLDFAST_LOCAL_TASKS_FAIL=true` never becomes steady: tasks fail, and with a circuit breaker the
deployment is FAILED, so that failing deploys can be tried out here.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap

FAILING = {"name": "HOLDFAST_LOCAL_TASKS_FAIL", "value": "true"}

# Settings moto's CreateService drops; UpdateService keeps whatever it is given.
_DROPPED = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
)
_DEPLOYMENT_DEFAULTS = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
}
_FAILED_TASKS = 3
# Longer than the provider waits between two questions whether it is INACTIVE yet.
KEPT_SECONDS = 30


def close() -> None:
    """Keep every setting of a service, roll it out, and forget it once it was deleted."""
    _forget_deleted()
    responses = moto("ecs.responses").EC2ContainerServiceResponse
    snake = moto("core.utils").camelcase_to_underscores

    @wrap(responses, "create_service")
    def create(original: Any, self: Any) -> Any:
        answer = original(self)
        service = answer.result["service"]
        for name in _DROPPED:
            if (given := self._get_param(name)) is not None:
                setattr(service, snake(name), given)
        if getattr(service, "capacity_provider_strategy", None):
            service.launch_type = None
        _complete(service)
        _roll_out(service, self.ecs_backend)
        return answer

    @wrap(responses, "update_service")
    def update(original: Any, self: Any) -> Any:
        answer = original(self)
        service = answer.result["service"]
        _complete(service)
        _roll_out(service, self.ecs_backend)
        return answer


def _forget_deleted() -> None:
    """Let deleted services go in time, and with their cluster."""
    backend, now = moto("ecs.models").EC2ContainerServiceBackend, moto("core.utils").unix_time

    @wrap(backend, "delete_service")
    def delete(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        service = original(self, *args, **kwargs)
        service.desired_count, service.deleted_at = 0, now()
        return service

    @wrap(backend, "describe_services")
    def describe(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        for name, service in list(self.services.items()):
            if now() - getattr(service, "deleted_at", now()) > KEPT_SECONDS:
                del self.services[name]
        return original(self, *args, **kwargs)

    @wrap(backend, "delete_cluster")
    def delete_cluster(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        cluster = original(self, *args, **kwargs)
        for name, service in list(self.services.items()):
            if name.startswith(f"{cluster.name}:") and service.status == "INACTIVE":
                del self.services[name]
        return cluster


def _complete(service: Any) -> None:
    # The provider crashes where it finds an empty one; AWS leaves it out.
    service.network_configuration = service.network_configuration or None
    given = getattr(service, "deployment_configuration", None) or {}
    service.deployment_configuration = _DEPLOYMENT_DEFAULTS | given
    if getattr(service, "availability_zone_rebalancing", None) is None:
        service.availability_zone_rebalancing = "DISABLED"


def _roll_out(service: Any, backend: Any) -> None:
    fails = _fails(service, backend)
    service.running_count = 0 if fails else service.desired_count
    service.pending_count = service.desired_count - service.running_count
    for deployment in service.deployments[:1]:
        if deployment["taskDefinition"] != service.task_definition:
            deployment["id"] = f"ecs-svc/{moto('moto_api._internal').mock_random.randint(0, 32**12)}"
            deployment["createdAt"] = moto("core.utils").utcnow()
        deployment |= {
            "desiredCount": service.desired_count,
            "failedTasks": _FAILED_TASKS if fails else 0,
            "pendingCount": service.pending_count,
            "rolloutState": _state(service, fails=fails),
            "runningCount": service.running_count,
            "taskDefinition": service.task_definition,
            "launchType": service.launch_type,
            "updatedAt": moto("core.utils").utcnow(),
        }
        deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']}: {deployment['rolloutState']}."


def _state(service: Any, *, fails: bool) -> str:
    if not fails:
        return "COMPLETED"
    return (
        "FAILED" if service.deployment_configuration["deploymentCircuitBreaker"]["enable"] else "IN_PROGRESS"
    )


def _fails(service: Any, backend: Any) -> bool:
    if service.task_definition is None:
        return False
    containers = backend.describe_task_definition(service.task_definition).container_definitions
    return any(FAILING in container.get("environment", ()) for container in containers)
