"""Is in the cloud what a peer says it made, and nothing else? A figure counts only if it is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.local.environment import STATE_BUCKET

PREFIX = "/peers/"


class NotSoError(Exception):
    """What was to be in the cloud, and what is."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Which shards there are to be, and how often each one's parameter was written."""

    writes: Mapping[str, int]


def check(client: Callable[[str], Any], expected: Expected) -> None:
    """Compare the cloud behind `client` (a boto3 client by service) with it. Raises NotSoError."""
    names = set(expected.writes)
    # A parameter's version in the cloud is how often it was written.
    _same("parameters", _parameters(client("ssm")), dict(expected.writes))
    _same("topics", _topics(client("sns")), names)
    _same("log groups", _groups(client("logs")), names)
    _same("states with something in them", _states(client("s3")), names)


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


def _states(s3: Any) -> set[str]:
    """The shards whose state, at the key that is the same for every peer, manages anything."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=STATE_BUCKET, Prefix="shard-")
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    return {key.partition("/")[0] for key in keys if key.endswith(".tfstate") and _manages(s3, key)}


def _manages(s3: Any, key: str) -> bool:
    state = json.loads(s3.get_object(Bucket=STATE_BUCKET, Key=key)["Body"].read())
    return any(one["mode"] == "managed" for one in state["resources"])
