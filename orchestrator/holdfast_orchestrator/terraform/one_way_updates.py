"""Updates that go one way only: applied in place, and not undone by applying the old value again.

The first part is what AWS documents as one-way: engine and version upgrades, storage growth,
encryption, KMS keys, S3 versioning and object lock, DynamoDB keys and billing, Cognito schema
attributes; and protection taken off, after which the next mistake counts. Then a retention made shorter,
which deletes what is older the moment it is applied (CloudWatch Logs "PutRetentionPolicy", RDS automated
backups, Kinesis "DecreaseStreamRetentionPeriod", SQS, DynamoDB TTL).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.plan import Action, Change


@dataclass(frozen=True, slots=True)
class OneWay:
    """One attribute's change that cannot be taken back, and why.

    `restorable`: nothing more is lost by taking a value back that was there a moment ago, as a rollback does.
    """

    attribute: str
    why: str
    restorable: bool = False


Test = Callable[[object, object], bool]


@dataclass(frozen=True, slots=True)
class _Rule:
    kinds: tuple[str, ...]
    attributes: tuple[str, ...]
    test: Test
    why: str
    restorable: bool = False


def _changed(before: object, after: object) -> bool:
    return before != after


def _replaced(before: object, after: object) -> bool:
    return bool(before) and before != after


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, str) and value.isdigit() else None


def _grown(before: object, after: object) -> bool:
    return (_number(after) or 0) > (_number(before) or 0)


def _shortened(before: object, after: object) -> bool:
    """Zero means "for ever" for log groups and "none" for backups; both directions to it are judged apart."""
    old, new = _number(before), _number(after)
    return new is not None and old is not None and new < old


def _log_retention_shortened(before: object, after: object) -> bool:
    old, new = _number(before) or float("inf"), _number(after) or float("inf")
    return new < old


def _switched_on(before: object, after: object) -> bool:
    return not before and bool(after)


def _switched_off(before: object, after: object) -> bool:
    return bool(before) and before != "INACTIVE" and after in (False, None, "INACTIVE")


_ANY_DATABASE = ("aws_db_instance", "aws_rds_*cluster*", "aws_docdb_*", "aws_neptune_*")
_VERSIONED = (
    *_ANY_DATABASE,
    "aws_elasticache_*",
    "aws_memorydb_*",
    "aws_opensearch_domain",
    "aws_elasticsearch_domain",
    "aws_mq_broker",
    "aws_msk_cluster",
    "aws_eks_cluster",
    "aws_redshift_cluster",
)

_RULES = (
    _Rule(
        _VERSIONED,
        ("engine_version", "version", "kafka_version", "elasticsearch_version", "cluster_version"),
        _replaced,
        "an engine or version upgrade has no way back",
    ),
    _Rule(
        ("aws_db_instance", "aws_rds_cluster", "aws_ebs_volume", "aws_fsx_*", "aws_docdb_*"),
        ("allocated_storage", "size", "storage_capacity"),
        _grown,
        "storage can grow but not shrink",
    ),
    _Rule(
        ("aws_instance", "aws_msk_cluster"),
        ("root_block_device", "ebs_block_device", "broker_node_group_info"),
        _replaced,
        "a disk can grow but not shrink",
    ),
    _Rule(
        ("aws_*",),
        ("storage_encrypted", "encrypted", "at_rest_encryption_enabled", "transit_encryption_enabled"),
        _switched_on,
        "encryption cannot be taken off again",
    ),
    _Rule(
        ("aws_opensearch_domain", "aws_elasticsearch_domain", "aws_dynamodb_table"),
        ("encrypt_at_rest", "node_to_node_encryption", "server_side_encryption"),
        _changed,
        "encryption cannot be taken off again",
    ),
    _Rule(
        ("aws_*",),
        (
            "kms_key_id",
            "kms_key_arn",
            "kms_master_key_id",
            "target_key_id",
            "performance_insights_kms_key_id",
        ),
        _replaced,
        "what is written under the new key cannot be read with the old one",
    ),
    _Rule(
        ("aws_s3_bucket", "aws_s3_bucket_versioning"),
        ("versioning", "versioning_configuration"),
        _changed,
        "a bucket's versioning can be suspended but never be undone",
    ),
    _Rule(
        ("aws_s3_bucket*",),
        ("object_lock_enabled", "object_lock_configuration"),
        _changed,
        "object lock cannot be taken off a bucket",
    ),
    _Rule(
        ("aws_dynamodb_table",),
        ("attribute", "hash_key", "range_key", "billing_mode", "table_class", "global_secondary_index"),
        _changed,
        "a table's keys and indexes are built once, and its billing may be switched once in 24 hours",
    ),
    _Rule(("aws_dynamodb_table",), ("ttl",), _changed, "expired items are deleted for good"),
    _Rule(
        ("aws_cognito_user_pool",),
        ("schema", "alias_attributes", "username_attributes"),
        _changed,
        "attributes of a user pool cannot be changed or removed again",
    ),
    _Rule(
        ("*",),
        (
            "deletion_protection",
            "deletion_protection_enabled",
            "enable_deletion_protection",
            "termination_protection",
            "disable_api_termination",
        ),
        _switched_off,
        "the object's own protection against deletion is taken off",
        restorable=True,
    ),
    _Rule(
        ("*",),
        ("skip_final_snapshot", "force_destroy"),
        _switched_on,
        "the object's own protection against deletion is taken off",
        restorable=True,
    ),
    _Rule(
        (*_ANY_DATABASE, "aws_elasticache_*"),
        ("backup_retention_period", "snapshot_retention_limit"),
        _shortened,
        "a shorter retention deletes the older backups at once",
        restorable=True,
    ),
    _Rule(
        ("aws_kinesis_stream", "aws_sqs_queue"),
        ("retention_period", "message_retention_seconds"),
        _shortened,
        "a shorter retention deletes the older records at once",
        restorable=True,
    ),
    _Rule(
        ("aws_cloudwatch_log_group",),
        ("retention_in_days",),
        _log_retention_shortened,
        "a shorter retention deletes the older logs",
        restorable=True,
    ),
)

# Creating one of these is itself a one-way change of the bucket it names.
_ONE_WAY_CREATES = {
    "aws_s3_bucket_versioning": "a bucket's versioning can be suspended but never be undone",
    "aws_s3_bucket_object_lock_configuration": "object lock cannot be taken off a bucket",
}


def one_way_updates(change: Change) -> tuple[OneWay, ...]:
    """What of this planned change could not be taken back by planning the old configuration.

    A value that is known only after the apply counts as changed.
    """
    match change.action:
        case Action.UPDATE:
            return tuple(_updates(change, change.before or {}, change.after or {}))
        # A bucket whose name is not known yet is created by the same plan.
        case Action.CREATE if change.kind in _ONE_WAY_CREATES and not change.after_unknown.get("bucket"):
            return (OneWay("bucket", _ONE_WAY_CREATES[change.kind]),)
        case _:
            return ()


def _updates(change: Change, before: Document, after: Document) -> Iterator[OneWay]:
    for rule in _RULES:
        if any(fnmatchcase(change.kind, pattern) for pattern in rule.kinds):
            for attribute in rule.attributes:
                if _applies(rule, attribute, change, before, after):
                    yield OneWay(attribute, rule.why, rule.restorable)


def _applies(rule: _Rule, attribute: str, change: Change, before: Document, after: Document) -> bool:
    if attribute not in before and attribute not in after:
        return False
    if change.after_unknown.get(attribute) is True:
        return True
    old, new = before.get(attribute), after.get(attribute)
    return old != new and rule.test(old, new)
