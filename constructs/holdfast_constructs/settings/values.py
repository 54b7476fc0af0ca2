"""The kinds of value a settings file holds.

Each has a pattern or a range, and a description that says what is allowed: the same sentence shows up
in the editor (through the JSON schema) and in the error message.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    Strict,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from holdfast_constructs.app.production import LOG_RETENTION_DAYS
from holdfast_constructs.compute.image import Image
from holdfast_constructs.edge._path_patterns import ALLOWED as PATHS_ALLOWED
from holdfast_constructs.edge._path_patterns import check_paths
from holdfast_constructs.edge.domain import LONGEST_HOST
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.plain import Plain

AccountId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{12}$"),
    Field(description="an AWS account id: 12 digits, in quotes"),
]

RegionName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$"),
    Field(description="an AWS region such as eu-west-1"),
]

ZoneName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}[a-h]$"),
    Field(description="an availability zone such as eu-west-1a, its letter a to h"),
]

# RFC 1123, without a trailing dot; at least two labels.
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

DomainName = Annotated[
    str,
    StringConstraints(pattern=rf"^({_LABEL}\.)+{_LABEL}$", max_length=253),
    Field(description="a lower-case domain name such as example.com"),
]

# Stands for the domain itself, as it does in a zone file.
APEX = "@"

HostLabel = Annotated[
    str,
    StringConstraints(pattern=rf"^({_LABEL}|{APEX})$"),
    Field(
        description="the name below the domain: 1-63 of a-z, 0-9 and inner hyphens; or @, the domain itself"
    ),
]

HostName = Annotated[
    str,
    StringConstraints(pattern=rf"^(({_LABEL}\.)*{_LABEL}|\*(\.{_LABEL})*|{APEX})$", max_length=LONGEST_HOST),
    Field(
        description="a name below the domain (www, or * for every one), @ for the domain itself, or a whole"
        " name at or one level below one of the domains, such as shop.example.org"
    ),
]


def _path(path: str) -> str:
    try:
        check_paths([path])
    except ConstructError as error:
        what = "is no pattern a listener takes" if error.allowed else "means the whole host"
        raise refused(what, allowed=error.allowed or PATHS_ALLOWED, next_step=error.next_step or "") from None
    return path


PathPattern = Annotated[str, AfterValidator(_path), Field(description=PATHS_ALLOWED)]

ProjectName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$"),
    Field(description="the project's name: 1-20 of a-z, 0-9 and inner hyphens"),
]

Owner = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"),
    Field(description="a team's name: 1-63 of a-z, 0-9 and inner hyphens"),
]

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_BUCKET_RESERVED = re.compile(
    r"^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ols-s3|\.mrap|--x-s3|--table-s3)$|\.\.|^[0-9]+(\.[0-9]+){3}$"
)
_BUCKET_RULE = (
    "an S3 bucket name: 3-63 of a-z, 0-9, dots and hyphens, beginning and ending with a letter or digit,"
    " no two dots in a row, not an IP address, none of AWS's reserved prefixes and suffixes"
)


def refused(what: str, *, allowed: str, next_step: str = "") -> PydanticCustomError:
    """Build the error a validator raises; `explain` turns it into a Problem."""
    return PydanticCustomError("holdfast", "{what}", {"what": what, "allowed": allowed, "next": next_step})


def _bucket(name: str) -> str:
    if _BUCKET.fullmatch(name) is None or _BUCKET_RESERVED.search(name):
        raise refused("is not a bucket name S3 takes", allowed=_BUCKET_RULE)
    return name


BucketName = Annotated[
    str, AfterValidator(_bucket), Field(description=_BUCKET_RULE, min_length=3, max_length=63)
]

_CIDR_RULE = "an IPv4 network of /16 to /28 with no host bits set, such as 10.40.0.0/16"
_VPC_LARGEST, _VPC_SMALLEST = 16, 28


def _cidr(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise refused(f"is not an IPv4 network ({error})", allowed=_CIDR_RULE) from None
    if "/" not in text or not _VPC_LARGEST <= network.prefixlen <= _VPC_SMALLEST:
        raise refused("is not a size a VPC can have", allowed=_CIDR_RULE)
    return text


Cidr = Annotated[str, AfterValidator(_cidr), Field(description=_CIDR_RULE)]

_IMAGE_RULE = "a container image: repository@sha256:<64 hex digits>, or repository:tag outside production"


def _image(reference: str) -> str:
    try:
        Image.of(reference)
    except ConstructError:
        raise refused("is not a container image", allowed=_IMAGE_RULE) from None
    return reference


ImageReference = Annotated[str, AfterValidator(_image), Field(description=_IMAGE_RULE)]

CertificateArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]+$"),
    Field(description="the ARN of an ACM certificate: arn:aws:acm:<region>:<account>:certificate/<id>"),
]

SecretArn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/).+$"
    ),
    Field(description="the ARN of a Secrets Manager secret or SSM parameter; never the secret itself"),
]

RoleArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$"),
    Field(description="the ARN of an IAM role: arn:aws:iam::<account>:role/<name>"),
]

HostedZoneId = Annotated[
    str,
    StringConstraints(pattern=r"^Z[A-Z0-9]{7,31}$"),
    Field(description="the id of a Route 53 hosted zone: Z and 7-31 capitals or digits"),
]

KmsKeyId = Annotated[
    str,
    StringConstraints(
        pattern=r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/.+|alias/.+|[0-9a-f-]{36})$"
    ),
    Field(description="a KMS key: its id, its ARN, or alias/<name>"),
]

# The last part of an interface endpoint's name: com.amazonaws.<region>.<this>.
EndpointName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$"),
    Field(description="an AWS service reached without NAT, such as ecr.api or logs"),
]

VariableName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"),
    Field(description="the name of an environment variable: letters, digits and underscores"),
]

_PLAIN_RULE = 'a text that anybody may read; one that looks like a secret as { plain = "…", because = "…" }'
_PLAIN_KEYS = frozenset({"plain", "because"})


def _plain_text(value: Any, handler: ValidatorFunctionWrapHandler) -> str:
    if not isinstance(value, dict):
        return str(handler(value))
    if value.keys() != _PLAIN_KEYS or not all(isinstance(part, str) for part in value.values()):
        raise refused("is not a text with its reason", allowed=_PLAIN_RULE)
    try:
        return Plain(value["plain"], because=value["because"])
    except ConstructError as error:
        raise refused("is not a text with its reason", allowed=_PLAIN_RULE, next_step=str(error)) from None


# The value of an environment variable.
PlainText = Annotated[
    str,
    WrapValidator(_plain_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": sorted(_PLAIN_KEYS, reverse=True),
                    "properties": {
                        "plain": {"type": "string", "description": "the text, which is no secret"},
                        "because": {"type": "string", "description": "why it is none"},
                    },
                },
            ],
            "description": _PLAIN_RULE,
        }
    ),
]

InstanceClass = Annotated[
    str,
    StringConstraints(pattern=r"^db\.[a-z0-9-]+\.[a-z0-9]+$"),
    Field(description="an RDS instance class such as db.t4g.medium"),
]


def _retention(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        raise refused("is not a retention CloudWatch Logs has", allowed=_one_of(LOG_RETENTION_DAYS))
    return days


def _one_of(values: Iterable[object]) -> str:
    return "one of " + ", ".join(map(str, values))


RetentionDays = Annotated[
    int, AfterValidator(_retention), Field(json_schema_extra={"enum": [*LOG_RETENTION_DAYS]})
]

Mode = Literal["count", "block"]

_K = TypeVar("_K")
_V = TypeVar("_V")


def _read_only(mapping: Mapping[_K, _V]) -> Mapping[_K, _V]:
    return MappingProxyType(dict(mapping))


# TOML has arrays and tables where Python has tuples and read-only mappings.
Items = Annotated[tuple[_V, ...], Strict(strict=False)]
Table = Annotated[Mapping[_K, _V], AfterValidator(_read_only)]


def empty_table() -> Mapping[str, Any]:
    """Return the default of an optional table."""
    return MappingProxyType({})
