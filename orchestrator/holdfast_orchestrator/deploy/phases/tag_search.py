"""The tags every object of a shard carries: a create in doubt is looked for, and recognized, by them.

What carried them before the run began is no object of this run, whatever it looks like: something may have
been left in the cloud on purpose, and must not be taken for new and destroyed. So the ARNs with the shard's
tags are noted before anything is applied that might have to be looked for, and only others count.
"""

from collections.abc import Collection, Mapping
from typing import Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.adoption import ShardTag, can_be_searched, told_apart
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.plan import Change


def stable_tags(shard: Shard) -> tuple[ShardTag, ...]:
    """The tags that together prove that an object is this shard's."""
    return (
        ShardTag("Service", shard.service),
        ShardTag("Environment", shard.environment),
        ShardTag("ManagedBy", "holdfast"),
    )


def may_be_adopted(change: Change, shard: Shard) -> bool:
    """Whether the object that a change creates would be taken for the shard's, were its create in doubt."""
    return change.creates and _is_tagged(change.after or {}, shard)


def tagged_arns(leased: LeasedShard) -> frozenset[str] | None:
    """The ARNs of all objects with this shard's tags; None where they cannot be asked for."""
    objects = _tagged(leased)
    return None if objects is None else frozenset(objects)


def find_by_tags(
    leased: LeasedShard, wanted: Mapping[str, tuple[str, Document]], *, strangers: Collection[str]
) -> Mapping[str, str]:
    """Return the import id of each object that its tags alone identify, by address.

    `wanted` are type and planned values by address. `strangers` are ARNs and ids that are none of them; what
    the shard's state has is none either.
    """
    candidates = {
        address: (kind, planned["tags_all"])
        for address, (kind, planned) in wanted.items()
        if can_be_searched(kind) and _is_tagged(planned, leased.shard)
    }
    tags_by_arn = _tagged(leased) if candidates else None
    if tags_by_arn is None:
        return {}
    index = leased.index_now()
    own_names = {
        value for tracked in index for value in (tracked.identity.value, tracked.id) if value is not None
    }
    return told_apart(candidates, tags_by_arn, own_names.union(strangers))


def _is_tagged(planned: Document, shard: Shard) -> bool:
    tags = planned.get("tags_all") or {}
    return all(tags.get(tag.key) == tag.value for tag in stable_tags(shard))


def _tagged(leased: LeasedShard) -> Mapping[str, Mapping[str, str]] | None:
    """Every object with this shard's tags: all its tags, by ARN. None where the search is refused."""
    import botocore.exceptions  # noqa: PLC0415 - only where there is something to look for

    runtime = leased.run.runtime
    doors = CheckContext.of(
        leased.shard, runtime, environ=leased.run.tools.environ(leased.shard.cloud), project=runtime.cwd
    )
    wanted = [{"Key": tag.key, "Values": [tag.value]} for tag in stable_tags(leased.shard)]
    try:
        api: Any = doors.client("resourcegroupstaggingapi")
        return {
            item["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in item["Tags"]}
            for page in api.get_paginator("get_resources").paginate(TagFilters=wanted)
            for item in page["ResourceTagMappingList"]
        }
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        return None
