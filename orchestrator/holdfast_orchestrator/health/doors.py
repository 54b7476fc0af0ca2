"""The outside world as far as a health check may use it: AWS, the clock, programs, HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from holdfast_orchestrator.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast_orchestrator.manifest import Shard
    from holdfast_orchestrator.process import Processes
    from holdfast_orchestrator.runtime import Aws, Clock, Runtime

_SESSION = "holdfast-health"


class RefusedUrlError(HoldfastError):
    """A URL that is not asked, whatever it would answer."""


class NoAnswerError(HoldfastError):
    """A URL that did not answer: no name, no connection, no valid certificate, no time left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer. `body` has at most the bytes asked for; `cut`: there were more."""

    status: int
    location: str | None = None
    body: bytes = field(default=b"", repr=False)
    cut: bool = False


class HttpDoor(Protocol):
    """The door to HTTP."""

    def get(self, url: str, *, timeout: float, limit: int) -> Answer:
        """Ask once, follow nothing, read at most `limit` bytes within `timeout` seconds in all.

        Raises RefusedUrlError for a URL that must not be asked, NoAnswerError where none came.
        """


@dataclass(frozen=True, kw_only=True)
class Doors:
    """What the checks of one shard use.

    `environ` is the whole environment (credentials, endpoint, PATH); `role_arn` is assumed for AWS, as the
    shard's provider does. `cwd` is where commands run, `variables` are added to their environment.
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

    @classmethod
    def of(cls, shard: "Shard", runtime: "Runtime", *, environ: Mapping[str, str], project: Path) -> "Doors":
        """Return this machine's doors for a shard; `environ` leads to the shard's cloud."""
        from holdfast_orchestrator.health.http_door import CarefulHttp  # noqa: PLC0415 - ssl, when it runs

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
