"""Refuses two resources with one name in AWS, where AWS has one thing for each name of an account and region.

AWS refuses the second, or, where both are alike, gives both the same thing: what one changes or deletes is
then gone for the other. Two blocks come to that by ids that make the same name: a queue `jobs` has dead
letters `jobs-dead`, and so may be called another queue.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_constructs.app._configurations import Configuration
from holdfast_constructs.app._provenance import origin_of
from holdfast_constructs.errors import ConstructError

# From the provider's documentation of each type: the argument that names the thing.
NAMES: Mapping[str, str] = {
    "aws_cloudwatch_composite_alarm": "alarm_name",
    "aws_cloudwatch_dashboard": "dashboard_name",
    "aws_cloudwatch_log_group": "name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_db_instance": "identifier",
    "aws_ecr_repository": "name",
    "aws_elasticache_replication_group": "replication_group_id",
    "aws_elasticache_user": "user_id",
    "aws_iam_role": "name",
    "aws_lb": "name",
    "aws_s3_bucket": "bucket",
    "aws_secretsmanager_secret": "name",
    "aws_sns_topic": "name",
    "aws_sqs_queue": "name",
    "aws_ssm_parameter": "name",
}
# Amazon CloudWatch: alarms of both kinds have their names in common.
_IN_COMMON: Mapping[str, str] = {"aws_cloudwatch_composite_alarm": "aws_cloudwatch_metric_alarm"}

# Amazon ECS, CreateService: a service's name is unique in its cluster.
_SERVICE = "aws_ecs_service"
_ELSEWHERE = re.compile(
    r"cross-stack-reference-input-(?P<stack>[^.]+)\.outputs\.cross-stack-output-(?P<output>[^}]+)"
)


def refuse_shared_names(configurations: Mapping[str, Configuration], stacks: Any) -> None:
    """Raise ConstructError for two resources of an account and region, or of one cluster, that have one name.

    What has a provider of its own may be elsewhere, and is left out.
    """
    taken: dict[tuple[str, ...], tuple[Any, str]] = {}
    for stack in stacks:
        for kind, name, place, path in _named(configurations[stack.name].document, stack.name):
            key = (stack.target.account, stack.target.region, _IN_COMMON.get(kind, kind), name, place)
            first = taken.setdefault(key, (stack, path))
            if first != (stack, path):
                raise _error(kind, name, first, (stack, path))


def _named(document: Mapping[str, Any], stack: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the type, the name, the cluster ("" for what is in none) and the path of each."""
    for kind, argument in (*NAMES.items(), (_SERVICE, "name")):
        for block in document.get("resource", {}).get(kind, {}).values():
            name = block.get(argument)
            if isinstance(name, str) and "${" not in name and "provider" not in block:
                place = _cluster(str(block.get("cluster")), stack) if kind == _SERVICE else ""
                yield kind, name, place, block.get("//", {}).get("metadata", {}).get("path", "")


def _cluster(reference: str, stack: str) -> str:
    """Return the same for a cluster in its own stack as in another, where cdktf names an output after it."""
    other = _ELSEWHERE.search(reference)
    if other is not None:
        return f"{other['stack']} {other['output']}"
    return f"{stack} {reference.strip('${}').replace('.', '')}"


def _error(kind: str, name: str, first: tuple[Any, str], second: tuple[Any, str]) -> ConstructError:
    return ConstructError(
        f"{_told(*first)} and {_told(*second)} are both the {kind} {name}, of which AWS has one",
        next_step="give one of the two another id",
    )


def _told(stack: Any, path: str) -> str:
    origin = origin_of(stack)
    created = None if origin is None else origin.resources.get(path)
    return path + (f" ({created.file}:{created.line})" if created is not None and created.file else "")
