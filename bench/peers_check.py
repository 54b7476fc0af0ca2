"""Is in the cloud what a peer says it made, and nothing else? A figure counts only if it is."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast_orchestrator.local.environment import STATE_BUCKET
from holdfast_orchestrator.local.inventory import inventory

PREFIX = "/peers/"
Client = Callable[[str], Any]
"""A boto3 client, by the name of its service."""


class NotSoError(Exception):
    """What was to be in the cloud, and what is."""


def check_shards(client: Client, writes: Mapping[str, int]) -> None:
    """Demand the quick shards of `writes`, each one's parameter written so often. Raises NotSoError."""
    names = set(writes)
    # A parameter's version in the cloud is how often it was written.
    _same("parameters", _parameters(client("ssm")), dict(writes))
    _same("topics", _topics(client("sns")), names)
    _same("log groups", _groups(client("logs")), names)
    s3 = client("s3")
    states = {key.partition("/")[0]: _managed(s3, key) for key in _state_keys(s3)}
    _same("states with something in them", {name for name, managed in states.items() if managed}, names)


def check_environment(client: Client, out: Path, *, image: str, exists: bool) -> None:
    """Demand every resource of the stacks in `out`, and `image` in a running service; or nothing at all.

    Raises NotSoError.
    """
    s3 = client("s3")
    states = {key: managed for key in _state_keys(s3) if (managed := _managed(s3, key))}
    _same("resources in states", states, dict(_synthesized(out)) if exists else {})
    if not exists:
        _same("objects", inventory(client), {})
        return
    running = [one for one in _images(client("ecs")) if one.endswith(image)]
    _same(f"services that run {image}", len(running), 1)


def _same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise NotSoError(f"{what} in the cloud: {found}; there were to be: {wanted}")


def _parameters(ssm: Any) -> dict[str, int]:
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=PREFIX, Recursive=True)
    return {one["Name"].removeprefix(PREFIX): one["Version"] for page in pages for one in page["Parameters"]}


def _topics(sns: Any) -> set[str]:
    pages = sns.get_paginator("list_topics").paginate()
    return {one["TopicArn"].rpartition(":")[2] for page in pages for one in page["Topics"]}


def _groups(logs: Any) -> set[str]:
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=PREFIX)
    return {one["logGroupName"].removeprefix(PREFIX) for page in pages for one in page["logGroups"]}


def _state_keys(s3: Any) -> list[str]:
    """Where a state lies, the same for every peer; Holdfast's own records have other names."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=STATE_BUCKET)
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    return [key for key in keys if key.endswith("/terraform.tfstate")]


def _managed(s3: Any, key: str) -> set[str]:
    """The addresses that the state manages."""
    state = json.loads(s3.get_object(Bucket=STATE_BUCKET, Key=key)["Body"].read())
    return {f"{one['type']}.{one['name']}" for one in state["resources"] if one["mode"] == "managed"}


def _synthesized(out: Path) -> Iterator[tuple[str, set[str]]]:
    """The key of each stack's state, and the addresses of its resources."""
    for file in (out / "stacks").glob("*/cdk.tf.json"):
        stack = json.loads(file.read_bytes())
        addresses = {f"{kind}.{name}" for kind, named in stack["resource"].items() for name in named}
        yield stack["terraform"]["backend"]["s3"]["key"], addresses


def _images(ecs: Any) -> Iterator[str]:
    """The image of every container of every service."""
    for cluster in ecs.list_clusters()["clusterArns"]:
        services = ecs.list_services(cluster=cluster)["serviceArns"]
        for service in ecs.describe_services(cluster=cluster, services=services)["services"]:
            described = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
            yield from (one["image"] for one in described["taskDefinition"]["containerDefinitions"])
