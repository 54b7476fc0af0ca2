"""What services need of a cluster, and a cluster that another app or another tool manages."""

import re
from dataclasses import dataclass
from typing import Protocol

from cdktf import Fn, Token

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute._calls import NamedServices
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security._arns import parse_arn

# Amazon ECS, CreateCluster: "Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens".
_CLUSTER = re.compile(r"cluster/([A-Za-z0-9_-]{1,255})")
_EXAMPLE = "arn:aws:ecs:eu-west-1:210987654321:cluster/shop"


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class ExecAudit:
    """What a cluster records sessions of ECS Exec with: its log group, and the key that encrypts them."""

    log_group_arn: str
    key_arn: str


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterCalls:
    """Where the services of a cluster that exists find each other, for `Cluster.import_`.

    `namespace_id` is that of the private Cloud Map namespace of the DNS zone `domain`, `group_id` that of the
    security group of callers and called. The app that makes the cluster has them as `cluster.calls`.
    """

    domain: str
    namespace_id: str
    group_id: str


class ServiceCluster(Protocol):
    """What services need of a cluster, whether Holdfast made it or not."""

    @property
    def arn(self) -> str:
        """The cluster's ARN."""

    @property
    def name(self) -> str:
        """The cluster's name."""

    @property
    def exec_audit(self) -> ExecAudit | None:
        """What sessions of ECS Exec are recorded with, where they are."""

    @property
    def calls(self) -> NamedServices | None:
        """Where its services find each other, if they do."""


@checked
class ImportedCluster:
    """A cluster that exists already; `Cluster.import_` returns one."""

    def __init__(
        self, arn: str, *, exec_audit: ExecAudit | None = None, calls: ClusterCalls | None = None
    ) -> None:
        self.arn, self.exec_audit = arn, exec_audit
        self.calls: NamedServices | None = calls
        self.name = _name(arn)


def _name(arn: str) -> str:
    parts = parse_arn(arn, "ecs", what="the ARN of a cluster", example=_EXAMPLE)
    if parts is None:
        if is_text_token(arn):
            return Token.as_string(Fn.element(Fn.split("/", arn), 1))
        # cdktf's functions would write a reference that is a text as that text.
        return f'${{element(split("/", "{arn}"), 1)}}'
    match = _CLUSTER.fullmatch(parts.resource)
    if match is None:
        raise ConstructError("the ARN of a cluster", got=arn, allowed=f"an ARN such as {_EXAMPLE}")
    return match[1]
