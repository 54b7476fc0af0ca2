"""The outside world as far as a health check may use it: AWS, the clock, programs, HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.health.http_client import HttpDoor

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import Shard
    from holdfast_orchestrator.system.process import Processes
    from holdfast_orchestrator.system.runtime import Aws, Clock, Runtime

_SESSION = "holdfast-health"


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What the checks of one shard use.

    `environ` is the whole environment (credentials, endpoint, PATH); `role_arn` is assumed for AWS, as the
    shard's provider does. `cwd` is where commands run, `variables` are added to their environment. `started`
    are the tasks that checks have started, by the check's name.
    """

    aws: "Aws"
    clock: "Clock"
    processes: "Processes"
    http: HttpDoor
    environ: Mapping[str, str] = field(repr=False)
    region: str
    cwd: Path
    role_arn: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    started: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, shard: "Shard", runtime: "Runtime", *, environ: Mapping[str, str], project: Path
    ) -> "CheckContext":
        """Return this machine's doors for a shard; `environ` leads to the shard's cloud."""
        from holdfast_orchestrator.health.http_client import CarefulHttp  # noqa: PLC0415 - ssl, when it runs

        return cls(
            aws=runtime.aws,
            clock=runtime.clock,
            processes=runtime.processes,
            http=CarefulHttp(),
            environ=environ,
            region=shard.region,
            cwd=project,
            role_arn=shard.role_arn,
            variables={
                "HOLDFAST_SHARD": shard.name,
                "HOLDFAST_CHECK_SERVICE": shard.service,
                "HOLDFAST_CHECK_ENVIRONMENT": shard.environment,
                "HOLDFAST_CHECK_REGION": shard.region,
            },
        )

    def client(self, service: str, *, region: str | None = None) -> Any:
        """Return a boto3 client for the shard's account."""
        return self.aws.client(service, region=region or self.region, environ=self._credentials)

    @cached_property
    def _credentials(self) -> Mapping[str, str]:
        if self.role_arn is None:
            return self.environ
        sts = self.aws.client("sts", region=self.region, environ=self.environ)
        given = sts.assume_role(RoleArn=self.role_arn, RoleSessionName=_SESSION)["Credentials"]
        kept = {name: value for name, value in self.environ.items() if name != "AWS_PROFILE"}
        return {
            **kept,
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }
