"""Requests to the cloud, and what a rule of the proxy matches of them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `action` is the AWS operation of services that are no REST, such as `PutParameter`."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def action(self) -> str:
        target = self.headers.get("x-amz-target", "")
        if target:
            return target.rpartition(".")[2]
        if "x-www-form-urlencoded" in self.headers.get("content-type", ""):
            return parse_qs(self.body.decode(errors="replace")).get("Action", [""])[0]
        return ""

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


Match = Callable[[Request], bool]


def asks(action: str, text: str = "") -> Match:
    """Requests of an AWS operation whose body contains `text`."""
    return lambda request: re.fullmatch(action, request.action) is not None and text in request.text


def puts(parameter: str) -> Match:
    """The request that makes or changes this parameter of the shard `shop`."""
    return asks("PutParameter", f'/shop/{parameter}"')


def s3(method: str, path: str) -> Match:
    """S3 requests by method and a pattern the whole path (without the bucket) matches."""
    pattern = re.compile(rf"/[^/]+/{path}")
    return lambda request: request.method in method.split("|") and pattern.fullmatch(request.path) is not None


def state(method: str) -> Match:
    """Terraform's own requests about a state; Holdfast's pass."""
    return by_terraform(s3(method, r"[^_].*/terraform\.tfstate"))


def lock(method: str) -> Match:
    """Terraform's own requests about its lock."""
    return by_terraform(s3(method, r".*\.tflock"))


def by_terraform(what: Match) -> Match:
    return lambda request: "Terraform" in request.headers.get("user-agent", "") and what(request)


def anything(_request: Request) -> bool:
    return True
