"""The one container of a web service, as minimal JSON for ECS.

It runs as somebody who is not root, without Linux capabilities, on a root file system it cannot write to;
`/tmp` is a volume. Its log never holds it up: lines are dropped when CloudWatch is slower than it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cdktf import Token

from holdfast_constructs.compute import _container_rules as rules
from holdfast_constructs.compute._secret_places import value_from
from holdfast_constructs.security.secret_value import SecretValue

TMP_VOLUME = "tmp"
LOG_BUFFER = "25m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The settings of a container; `user` is `uid[:gid]`, `stop_seconds` the time to finish requests.

    Raises ConstructError for root, for what looks like a secret in `environment`, for `secrets` without ARNs.
    """

    name: str
    image: str
    port: int
    user: str
    stop_seconds: int
    log_group: str
    region: str
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str | SecretValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rules.check_process(self.user, self.stop_seconds)
        rules.check_environment(self.environment, self.secrets)
        rules.check_secrets(self.secrets)

    def definitions(self) -> str:
        """Return the task's container definitions; the same container gives the same bytes."""
        return json.dumps([self._definition()], sort_keys=True, separators=(",", ":"))

    def _definition(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "image": self.image,
            "essential": True,
            "portMappings": [{"containerPort": self.port, "hostPort": self.port, "protocol": "tcp"}],
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
            "mountPoints": [{"sourceVolume": TMP_VOLUME, "containerPath": "/tmp", "readOnly": False}],  # noqa: S108
            "logConfiguration": self._log(),
        }

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


def literal(value: str) -> str:
    """Return `value` escaped, so that Terraform keeps it unchanged, unless it is a reference of cdktf."""
    if Token.is_unresolved(value):
        return value
    return value.replace("${", "$${").replace("%{", "%%{")
