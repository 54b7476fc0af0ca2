"""A create in doubt whose id nobody can work out: looked for by the tags it was to carry."""

from collections.abc import Iterator
from typing import Any

from holdfast_orchestrator.deploy.bench import Bench
from holdfast_orchestrator.health.doors import Doors
from holdfast_orchestrator.manifest import Shard
from holdfast_orchestrator.rollback.adoption import ShardTag
from holdfast_orchestrator.rollback.documents import Document
from holdfast_orchestrator.rollback.tagged import can_be_searched, tagged_import_id


def stable_tags(shard: Shard) -> tuple[ShardTag, ...]:
    """The tags that together prove that an object is this shard's."""
    return (
        ShardTag("Service", shard.service),
        ShardTag("Environment", shard.environment),
        ShardTag("ManagedBy", "holdfast"),
    )


def tagged_ids(bench: Bench, kind: str, planned: Document) -> tuple[str, ...]:
    """Return the import ids of objects of this type with all planned tags that the shard's state lacks.

    Empty where the plan puts no tags on it that prove whose it is, and where they cannot be searched.
    """
    tags = planned.get("tags_all") or {}
    if not can_be_searched(kind) or any(tags.get(tag.key) != tag.value for tag in stable_tags(bench.shard)):
        return ()
    snapshot = bench.snapshot()
    index = bench.index(None if snapshot is None else snapshot.document)
    known = {value for one in index for value in (one.identity.value, one.id)}
    found = (
        (arn, tagged_import_id(kind, arn))
        for arn, carried in _tagged(bench)
        if tags.items() <= carried.items()
    )
    return tuple(
        import_id for arn, import_id in found if import_id is not None and not {arn, import_id} & known
    )


def _tagged(bench: Bench) -> Iterator[tuple[str, dict[str, str]]]:
    """Every object with this shard's tags, and all its tags; none where the search is refused."""
    import botocore.exceptions  # noqa: PLC0415 - only where something is in doubt

    runtime = bench.run.runtime
    doors = Doors.of(
        bench.shard, runtime, environ=bench.run.tools.environ(bench.shard.cloud), project=runtime.cwd
    )
    wanted = [{"Key": tag.key, "Values": [tag.value]} for tag in stable_tags(bench.shard)]
    try:
        api: Any = doors.client("resourcegroupstaggingapi")
        for page in api.get_paginator("get_resources").paginate(TagFilters=wanted):
            for one in page["ResourceTagMappingList"]:
                yield one["ResourceARN"], {tag["Key"]: tag["Value"] for tag in one["Tags"]}
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        return
