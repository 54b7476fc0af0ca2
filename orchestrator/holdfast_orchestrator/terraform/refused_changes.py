"""Changes that a plan shows and that AWS refuses when they are applied: often after minutes, half-way.

What only the service can know, such as a storage that was changed less than six hours ago, is not here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.storage_rules import storage_of_rds


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedChange:
    """A value that AWS does not take: what is there (None: nothing), what is wanted, why not, what to do."""

    attribute: str
    before: object
    after: object
    why: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    kinds: tuple[str, ...]
    path: str
    refuses: Callable[[object, object], bool]
    why: str
    next_step: str
    # Where the service says what is there, if not at `path`.
    actual: str | None = None


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, str) and value.isdigit() else None


def _smaller(before: object, after: object) -> bool:
    old, new = _number(before), _number(after)
    return old is not None and new is not None and new < old


def _more_than_double_or_less_than_half(before: object, after: object) -> bool:
    old, new = _number(before), _number(after)
    return bool(old and new) and not old / 2 <= new <= old * 2  # type: ignore[operator]


def _older(before: object, after: object) -> bool:
    """Whether a version is below another as far as both are numbers; `16` is not below `16.4`."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    for old, new in zip(before.split("."), after.split("."), strict=False):
        if old != new:
            return old.isdigit() and new.isdigit() and int(new) < int(old)
    return False


def _from_valkey(before: object, after: object) -> bool:
    return before == "valkey" and after == "redis"


_LARGER = "keep {before} or give more; for less, make a new one and copy the data into it"
_NEWER = "keep {before} or give a later one; for an earlier version, make a new one and copy the data into it"

# Sources: Amazon RDS User Guide, "Upgrading a DB instance engine version"; EBS User Guide, "Requirements for
# EBS volume modifications"; FSx guides, "Managing storage capacity"; MSK Developer Guide, "Scale up broker
# storage" and "Upgrade the Apache Kafka version"; Kinesis API, UpdateShardCount; ElastiCache User Guide,
# "Version management"; guides of MemoryDB, DocumentDB, Neptune and EKS on upgrades.
_RULES = (
    _Rule(
        kinds=("aws_ebs_volume",),
        path="size",
        refuses=_smaller,
        why="EBS makes no volume smaller",
        next_step=_LARGER,
    ),
    _Rule(
        kinds=("aws_instance",),
        path="root_block_device.0.volume_size",
        refuses=_smaller,
        why="EBS makes no volume smaller",
        next_step=_LARGER,
    ),
    _Rule(
        # Those of ONTAP's second generation can be made smaller.
        kinds=("aws_fsx_windows_file_system", "aws_fsx_lustre_file_system", "aws_fsx_openzfs_file_system"),
        path="storage_capacity",
        refuses=_smaller,
        why="FSx makes no file system smaller",
        next_step=_LARGER,
    ),
    _Rule(
        kinds=("aws_msk_cluster",),
        path="broker_node_group_info.0.storage_info.0.ebs_storage_info.0.volume_size",
        refuses=_smaller,
        why="MSK makes no broker's storage smaller",
        next_step=_LARGER,
    ),
    _Rule(
        kinds=("aws_kinesis_stream",),
        path="shard_count",
        refuses=_more_than_double_or_less_than_half,
        why="Kinesis goes to twice as many shards at most, and to half as many at least, in one step",
        next_step="go there in several deploys",
    ),
    _Rule(
        kinds=("aws_db_instance", "aws_rds_cluster"),
        path="engine_version",
        actual="engine_version_actual",
        refuses=_older,
        why="RDS installs no earlier version over a later one",
        next_step=_NEWER,
    ),
    _Rule(
        kinds=("aws_docdb_cluster", "aws_neptune_cluster", "aws_rds_global_cluster"),
        path="engine_version",
        refuses=_older,
        why="the service installs no earlier version over a later one",
        next_step=_NEWER,
    ),
    _Rule(
        kinds=("aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_memorydb_cluster"),
        path="engine_version",
        actual="engine_version_actual",
        refuses=_older,
        why="a cache's version can be raised, not lowered",
        next_step=_NEWER,
    ),
    _Rule(
        kinds=("aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_memorydb_cluster"),
        path="engine",
        refuses=_from_valkey,
        why="a cache goes from Redis OSS to Valkey, not back",
        next_step="keep {before}; for {after}, make a new cache",
    ),
    _Rule(
        kinds=("aws_msk_cluster",),
        path="kafka_version",
        refuses=_older,
        why="MSK installs no earlier version of Kafka over a later one",
        next_step=_NEWER,
    ),
    _Rule(
        kinds=("aws_eks_cluster",),
        path="version",
        refuses=_older,
        why="EKS installs no earlier version of Kubernetes over a later one",
        next_step=_NEWER,
    ),
)


def refused_changes(kind: str, before: Document | None, after: Document) -> Iterator[RefusedChange]:
    """Yield what AWS refuses of an object that is changed in place, or made where `before` is None.

    A value that is not known before the apply is not judged.
    """
    now = before or {}
    for rule in _RULES:
        if kind in rule.kinds:
            old, new = _at(now, rule.path), _at(after, rule.path)
            there = (_at(now, rule.actual) if rule.actual else None) or old
            if old != new and rule.refuses(there, new):
                yield RefusedChange(
                    attribute=rule.path,
                    before=there,
                    after=new,
                    why=rule.why,
                    next_step=rule.next_step.format(before=there, after=new),
                )
    if kind in ("aws_db_instance", "aws_rds_cluster"):
        for found in storage_of_rds(now, after):
            old, new = now.get(found.attribute), after.get(found.attribute)
            yield RefusedChange(
                attribute=found.attribute, before=old, after=new, why=found.why, next_step=found.next_step
            )


def _at(value: object, path: str) -> object:
    for step in path.split("."):
        if step.isdigit():
            value = value[int(step)] if isinstance(value, list) and len(value) > int(step) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
