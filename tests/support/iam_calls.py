"""Requests to AWS as IAM sees them, and whether the policies of a role allow them.

The operation of a request comes from botocore's own models. What IAM calls it differs in S3 alone of the
services that are used here.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from tests.faults.lab.matches import Request

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
# The prefix of a service's actions, where it is not the name that requests are signed for.
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
# The first needs no permission (AWS, STS API Reference). The provider makes the second only where it does not
# validate credentials, which is the local cloud; it goes on with the first where that is refused
# (aws-sdk-go-base, `GetAccountIDAndPartition`).
_FREE = {"sts:GetCallerIdentity", "iam:GetUser"}
_BUCKET = {
    "acl": "BucketAcl",
    "cors": "BucketCORS",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "accelerate": "AccelerateConfiguration",
    "encryption": "EncryptionConfiguration",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
_VERBS = {"GET": "Get", "PUT": "Put", "DELETE": "Put"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request: IAM's action, the resource where it is known (else `*`), and the keys of conditions."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...]


def calls(requests: Iterable[Request], earlier: Iterable[Request] = ()) -> list[Call]:
    """Return each call of these requests once, in their order.

    A role's boundary is that of its creation, which may be among `earlier` requests.
    """
    boundaries: dict[str, str] = {}
    for request in earlier:
        for _ in _calls(request, boundaries):
            pass
    return list(dict.fromkeys(call for request in requests for call in _calls(request, boundaries)))


def refused(call: Call, policies: Sequence[str], boundary: str) -> bool:
    """Tell whether the policies do not allow a call, or the boundary does not."""
    return not (_allows(call, policies) and _allows(call, [boundary]))


def _calls(request: Request, boundaries: dict[str, str]) -> Iterator[Call]:
    scope = _SCOPE.search(request.headers.get("authorization", ""))
    if scope is None:
        return
    service, region = scope["service"], scope["region"]
    context = {"aws:RequestedRegion": region}
    if service == "s3":
        bucket, _, key = unquote(request.path).lstrip("/").partition("/")
        for action in _of_s3(request, key):
            yield Call(f"s3:{action}", f"arn:aws:s3:::{bucket}{key and '/'}{key}", tuple(context.items()))
        return
    action = f"{_PREFIXES.get(service, service)}:{request.action or _operation(service, request)}"
    if action in _FREE:
        return
    if service == "iam":
        asked = {name: values[0] for name, values in parse_qs(request.text).items()}
        role = asked.get("RoleName", "")
        if "PermissionsBoundary" in asked:
            boundaries[role] = asked["PermissionsBoundary"]
        if role in boundaries:
            context["iam:PermissionsBoundary"] = boundaries[role]
        yield Call(action, f"arn:aws:iam::123456789012:role/{role}", tuple(context.items()))
    else:
        yield Call(action, "*", tuple(context.items()))


def _of_s3(request: Request, key: str) -> Iterator[str]:
    asked = parse_qs(request.query, keep_blank_values=True)
    if request.method == "POST" and "delete" in asked:
        yield "DeleteObjectVersion" if b"<VersionId>" in request.body else "DeleteObject"
    elif key:
        verb = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
        yield verb[request.method] + ("Version" if "versionId" in asked else "")
    elif setting := next((name for name in _BUCKET if name in asked), None):
        if (request.method, setting) == ("DELETE", "policy"):
            yield "DeleteBucketPolicy"
        else:
            yield _VERBS[request.method] + _BUCKET[setting]
    elif "versions" in asked:
        yield "ListBucketVersions"
    else:
        yield {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}[
            request.method
        ]


def _operation(service: str, request: Request) -> str:
    for name, method, path in _operations(service):
        if method == request.method and path.fullmatch(request.path.rstrip("/") or "/"):
            return name
    raise LookupError(f"no operation of {service} is {request.method} {request.path}")


@cache
def _operations(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    """The operations of a service that is REST, those with the longest fixed paths first."""
    model = botocore.session.Session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].partition("?")[0].rstrip("/") or "/"
        fixed = len(re.sub(r"\{[^}]+\}", "", path))
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.sub(r"\{([^}]+)\+\}", ".+", re.escape(path)))
        found.append((fixed, name, http["method"], re.compile(pattern)))
    return [(name, method, path) for _, name, method, path in sorted(found, key=lambda each: -each[0])]


def _allows(call: Call, policies: Sequence[str]) -> bool:
    statements = [each for policy in policies for each in json.loads(policy)["Statement"]]
    effects = {each["Effect"] for each in statements if _is_about(each, call)}
    return "Allow" in effects and "Deny" not in effects


def _is_about(statement: Mapping[str, Any], call: Call) -> bool:
    return (
        any(fnmatchcase(call.action, pattern) for pattern in statement["Action"])
        and any(fnmatchcase(call.resource, pattern) for pattern in statement["Resource"])
        and all(
            _holds(test, dict(call.context).get(key), values)
            for test, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(test: str, value: str | None, values: Sequence[str]) -> bool:
    match test:
        case "StringEquals":
            return value in values
        case "StringNotEquals":
            return value not in values
    raise NotImplementedError(test)
