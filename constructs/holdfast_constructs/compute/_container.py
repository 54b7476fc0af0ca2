"""One container of a task, as minimal JSON for ECS.

It runs as somebody who is not root, without Linux capabilities, on a root file system it cannot write to;
`/tmp`, and each path named besides, is a volume. Its log never holds it up: lines are dropped when CloudWatch
is slower than it is.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdktf import Token

from holdfast_constructs.compute import _container_rules as rules
from holdfast_constructs.compute._secret_places import value_from
from holdfast_constructs.compute._volumes import Mount
from holdfast_constructs.compute.container_health import ContainerHealth
from holdfast_constructs.security.secret_value import SecretValue

LOG_BUFFER = "25m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The settings of a container; `user` is `uid[:gid]`, `stop_seconds` the time to finish requests.

    `waits_for` are containers of the task that start before it, each with the condition ECS waits for.
    Raises ConstructError for root, for what looks like a secret in `environment`, for `secrets` without ARNs.
    """

    name: str
    image: str
    port: int | None
    user: str
    stop_seconds: int
    log_group: str
    region: str
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str | SecretValue] = field(default_factory=dict)
    essential: bool = True
    command: Sequence[str] = ()
    entry_point: Sequence[str] = ()
    health: ContainerHealth | None = None
    mounts: Sequence[Mount] = (Mount.of("/tmp"),)  # noqa: S108 - the container's own
    waits_for: Mapping[str, str] = field(default_factory=dict)
    least_stop_seconds: int = rules.DEREGISTRATION_SECONDS

    def __post_init__(self) -> None:
        rules.check_process(self.user, self.stop_seconds, at_least=self.least_stop_seconds)
        rules.check_environment(self.environment, self.secrets)
        rules.check_secrets(self.secrets)

    def definitions(self) -> str:
        """Return the definitions of a task of this container only."""
        return definitions([self])

    def definition(self) -> dict[str, Any]:
        """Return the container as ECS describes it; what is not set is left out."""
        return {
            "name": self.name,
            "image": self.image,
            "essential": self.essential,
            "environment": [
                {"name": name, "value": literal(value)} for name, value in sorted(self.environment.items())
            ],
            "secrets": [
                {"name": name, "valueFrom": value_from(secret)}
                for name, secret in sorted(self.secrets.items())
            ],
            "stopTimeout": self.stop_seconds,
            "user": self.user,
            "privileged": False,
            "readonlyRootFilesystem": True,
            "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
            "mountPoints": [
                {"sourceVolume": mount.volume, "containerPath": mount.path, "readOnly": False}
                for mount in self.mounts
            ],
            "logConfiguration": self._log(),
            **self._chosen(),
        }

    def _chosen(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {
            "portMappings": self._ports(),
            "entryPoint": [literal(each) for each in self.entry_point],
            "command": [literal(each) for each in self.command],
            "healthCheck": None if self.health is None else self.health.definition(),
            "dependsOn": [
                {"containerName": name, "condition": condition}
                for name, condition in sorted(self.waits_for.items())
            ],
        }
        return {name: value for name, value in chosen.items() if value}

    def _ports(self) -> list[dict[str, Any]]:
        if self.port is None:
            return []
        return [{"containerPort": self.port, "hostPort": self.port, "protocol": "tcp"}]

    def _log(self) -> dict[str, Any]:
        return {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": self.log_group,
                "awslogs-region": self.region,
                "awslogs-stream-prefix": self.name,
                "mode": "non-blocking",
                "max-buffer-size": LOG_BUFFER,
            },
        }


def definitions(containers: Iterable[Container]) -> str:
    """Return the definitions of a task of these containers; the same containers give the same bytes."""
    return json.dumps(
        [container.definition() for container in containers], sort_keys=True, separators=(",", ":")
    )


def literal(value: str) -> str:
    """Return `value` escaped, so that Terraform keeps it unchanged, unless it is a reference of cdktf."""
    if Token.is_unresolved(value):
        return value
    return value.replace("${", "$${").replace("%{", "%%{")
