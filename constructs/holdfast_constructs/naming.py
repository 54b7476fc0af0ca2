"""Names in AWS: readable, within each service's limit, and the same in every run.

A name is made of the project where it has a name, the service, the environment and what the construct
calls its part, joined by hyphens. What is global in an account (roles, buckets) also carries the region, so
that a service may be in two regions. A name too long for its kind is cut and ends in eight hex digits of
the hash of the whole name: two long names that begin alike stay two names.
"""

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from holdfast_constructs.app.target import Target
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

Kind = Literal[
    "load_balancer",
    "target_group",
    "role",
    "bucket",
    "database",
    "security_group",
    "cluster",
    "web_acl",
    "key_alias",
    "log_group",
    "tag",
    "queue",
    "topic",
    "secret",
    "parameter",
    "cache",
    "repository",
    "alarm",
    "dashboard",
    "chat_configuration",
]

# The longest name that AWS accepts, in characters, from each resource's page in the API references.
LIMITS: Mapping[Kind, int] = MappingProxyType(
    {
        "load_balancer": 32,
        "target_group": 32,
        "role": 64,
        "bucket": 63,
        "database": 63,
        "security_group": 255,
        "cluster": 255,
        "web_acl": 128,
        "key_alias": 250,
        "log_group": 512,
        "tag": 256,
        "queue": 80,
        "topic": 256,
        "secret": 512,
        # 1011 with the ARN before it, of which partition, region and account take 60 at most.
        "parameter": 900,
        "cache": 40,
        "repository": 256,
        "alarm": 255,
        "dashboard": 255,
        "chat_configuration": 128,
    }
)
# What the parts of a name are joined by, and what a name begins with, where that is not a hyphen and nothing.
_PATHS: Mapping[Kind, str] = MappingProxyType({"secret": "", "parameter": "/", "repository": ""})
# What AWS keeps for itself or does not take: RDS, CreateDBInstance, DBInstanceIdentifier; ElastiCache,
# CreateReplicationGroup; Elastic Load Balancing, CreateLoadBalancer; EC2, CreateSecurityGroup; S3, "General
# purpose bucket naming rules"; ECR, CreateRepository; Systems Manager, PutParameter.
_IDENTIFIER = (re.compile(r"[a-z](?!.*--)[a-z0-9-]*"), "a name that begins with a letter, without --")
_ALLOWED: Mapping[Kind, tuple[re.Pattern[str], str]] = MappingProxyType(
    {
        "database": _IDENTIFIER,
        "cache": _IDENTIFIER,
        "load_balancer": (re.compile(r"(?!internal-).*"), "a name that does not begin with internal-"),
        "security_group": (re.compile(r"(?!sg-).*"), "a name that does not begin with sg-"),
        "bucket": (
            re.compile(r"(?!xn--|sthree-|amzn-s3-demo-).*"),
            "a name that begins with none of xn--, sthree-, amzn-s3-demo-, which S3 keeps",
        ),
        "repository": (re.compile(r"(?!.*--).*"), "a name without --"),
        "parameter": (
            re.compile(r"/(?!aws|ssm).*"),
            "a name that begins with neither aws nor ssm, which Parameter Store keeps",
        ),
    }
)
_HASH_LENGTH = 8
_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


@checked
def aws_name(kind: Kind, target: Target, service: str, *parts: str) -> str:
    """Return the lower-case name of a `kind` of resource; `parts` tell it from others of the service.

    Raises ConstructError for a part that is not letters, digits and inner hyphens.
    """
    scope: tuple[str, ...]
    match kind:
        case "bucket":
            scope = (target.account, target.region)
        case "role":
            scope = (target.region,)
        case _:
            scope = ()
    project = () if target.project is None else (target.project,)
    for part in parts:
        if _PART.fullmatch(part) is None:
            raise ConstructError("a construct's id", got=part, allowed="letters, digits and inner hyphens")
    words = (*project, service, target.environment, *parts, *scope)
    if kind in _PATHS:
        return _checked(kind, f"{_PATHS[kind]}{'/'.join(words)}".lower())
    return _checked(kind, "-".join(words).lower())


def _checked(kind: Kind, name: str) -> str:
    allowed = _ALLOWED.get(kind)
    if allowed is not None and allowed[0].fullmatch(name) is None:
        raise ConstructError(
            f"the name of a {kind.replace('_', ' ')}",
            got=name,
            allowed=allowed[1],
            next_step="give another id, or another name to the stack, of which it is made",
        )
    return limited(name, LIMITS[kind])


def name_in_cluster(target: Target, service: str, part: str) -> str:
    """Return the name of a part of `service` among those of its cluster, which two projects may share."""
    project = () if target.project is None else (target.project,)
    return "-".join((*project, service, part))


def limited(name: str, limit: int) -> str:
    """Return `name`; if it is longer than `limit` characters, its beginning and a hash of all of it."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: limit - _HASH_LENGTH - 1].rstrip('-')}-{digest}"
