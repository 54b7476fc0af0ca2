"""What the tests deploy, as small values: a version of an app is a mapping of stacks.

    V1 = {"shop": stack(parameter("kept", "1"), parameter("changed", "1"))}

Names in the cloud are the Terraform names behind `/<stack>/`, so that an object tells where it comes from.
"""

import json
from collections.abc import Mapping
from typing import Any

Block = tuple[str, str, dict[str, Any]]
Stack = dict[str, Any]
Version = Mapping[str, Stack]

SHARD = "shop"
# Written into secret places only; wherever a person or a log could read it, it must not be.
CANARY = "canary-7Qe0xVb1zKfT9mWq"

_PROVIDER: dict[str, Any] = {
    "region": "eu-west-1",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "skip_requesting_account_id": True,
    "skip_region_validation": True,
    "s3_use_path_style": True,
    "max_retries": 5,
}


def parameter(name: str, value: str = "1", *, after: str | None = None, **more: Any) -> Block:
    """An SSM parameter; `after` is the parameter it waits for."""
    block: dict[str, Any] = {"name": f"/{SHARD}/{name}", "type": "String", "value": value, **more}
    if after is not None:
        block["depends_on"] = [f"aws_ssm_parameter.{after}"]
    return ("aws_ssm_parameter", name, block)


def table(name: str, *, key: str = "id", after: str | None = None, **more: Any) -> Block:
    """A DynamoDB table: stateful, what it holds is gone for ever when it is replaced."""
    block: dict[str, Any] = {
        "name": f"{SHARD}-{name}",
        "billing_mode": "PAY_PER_REQUEST",
        "hash_key": key,
        "attribute": [{"name": key, "type": "S"}],
        **more,
    }
    if after is not None:
        block["depends_on"] = [f"aws_ssm_parameter.{after}"]
    return ("aws_dynamodb_table", name, block)


def network(name: str, **more: Any) -> Block:
    """A VPC: AWS alone chooses its id."""
    return ("aws_vpc", name, {"cidr_block": "10.9.0.0/16", "tags": {"Name": name}, **more})


def topic(name: str, **more: Any) -> Block:
    return ("aws_sns_topic", name, {"name": f"{SHARD}-{name}", **more})


def data(name: str, value: str = "1", **more: Any) -> Block:
    """An object that lives in the state alone."""
    return ("terraform_data", name, {"input": value, **more})


def impossible(name: str = "impossible", *, after: str | None = None, shard: str = SHARD) -> Block:
    """A parameter the cloud refuses (the name is AWS's own): the apply fails here, for a definite reason."""
    kind, label, block = parameter(name, after=after)
    return kind, label, {**block, "name": f"/aws/{shard}/{name}"}


def stack(*blocks: Block, name: str = SHARD, **more: Any) -> Stack:
    """A stack of these resources; `more` is merged in as it is (outputs, moved, import, dependencies)."""
    resources: dict[str, dict[str, Any]] = {}
    for kind, label, block in blocks:
        resources.setdefault(kind, {})[label] = block
    written: Stack = {"resource": resources, **more}
    if any(kind.startswith("aws_") for kind in resources):
        written.setdefault("terraform", {})["required_providers"] = {
            "aws": {"source": "aws", "version": "5.100.0"}
        }
        written.setdefault("provider", {"aws": [provider(name)]})
    return written


def provider(shard: str = SHARD, **more: Any) -> dict[str, Any]:
    """The AWS provider, with the stable tag of the shard on everything it makes."""
    tags = {"HoldfastShard": shard, "Service": shard, "Environment": "dev", "ManagedBy": "holdfast"}
    return {**_PROVIDER, "default_tags": [{"tags": tags}], **more}


def app(*blocks: Block, **more: Any) -> Version:
    """An app of one stack."""
    return {SHARD: stack(*blocks, **more)}


def patience(version: Version, max_retries: int) -> Version:
    """The same version, its provider asking again as often as this."""
    again: dict[str, Any] = json.loads(json.dumps(version))
    for each in again.values():
        each["provider"]["aws"][0]["max_retries"] = max_retries
    return again


FIRST = app(parameter("kept"), parameter("changed"), parameter("gone"))
# Changes one, takes one away, makes one, and then fails.
FAILING = app(
    parameter("kept"),
    parameter("changed", "2"),
    parameter("fresh", after="changed"),
    impossible(after="fresh"),
)
SECOND = app(parameter("kept"), parameter("changed", "2"), parameter("fresh", after="changed"))
# The names in the cloud after each of them.
AS_FIRST = {"/shop/kept", "/shop/changed", "/shop/gone"}
AS_SECOND = {"/shop/kept", "/shop/changed", "/shop/fresh"}

# The same without a provider, for faults of the state alone: such a deploy takes a second.
PLAIN = app(data("kept"), data("changed"), data("gone"))
PLAIN_SECOND = app(data("kept"), data("changed", "2"), data("fresh"))
