"""What AWS refuses of a change, by table: each row with a control beside it that AWS takes."""

from typing import Any

import pytest

from holdfast_orchestrator.terraform.refused_changes import refused_changes

GP3 = {"engine": "postgres", "storage_type": "gp3", "allocated_storage": 400, "iops": 12_000}
SMALL = {"engine": "postgres", "storage_type": "gp3", "allocated_storage": 100, "iops": 3_000}
DATABASE = {"allocated_storage": 100, "max_allocated_storage": 400, "engine_version": "16"}


def _root(size: int) -> dict[str, Any]:
    return {"root_block_device": [{"volume_size": size}]}


def _broker(size: int) -> dict[str, Any]:
    storage = [{"ebs_storage_info": [{"volume_size": size}]}]
    return {"broker_node_group_info": [{"storage_info": storage}]}


REFUSED = [
    ("aws_db_instance", {"allocated_storage": 100}, {"allocated_storage": 50}, "allocated_storage"),
    ("aws_rds_cluster", {"allocated_storage": 200}, {"allocated_storage": 100}, "allocated_storage"),
    ("aws_db_instance", {"allocated_storage": 100}, {"allocated_storage": 109}, "allocated_storage"),
    ("aws_db_instance", DATABASE, {"max_allocated_storage": 109}, "max_allocated_storage"),
    ("aws_db_instance", DATABASE, {"max_allocated_storage": 90}, "max_allocated_storage"),
    # The storage grew by itself to 150; the configuration's 100 is no difference, its limit is too low.
    (
        "aws_db_instance",
        {**DATABASE, "allocated_storage": 150},
        {"max_allocated_storage": 160},
        "max_allocated_storage",
    ),
    ("aws_db_instance", SMALL, {"iops": 4_000}, "iops"),
    ("aws_db_instance", SMALL, {"storage_throughput": 250}, "storage_throughput"),
    # Nobody wrote the 3,000, and the provider sends them.
    ("aws_db_instance", SMALL, {"allocated_storage": 400}, "iops"),
    ("aws_db_instance", GP3, {"iops": 11_999}, "iops"),
    ("aws_db_instance", GP3, {"iops": 200_001}, "iops"),
    ("aws_db_instance", GP3, {"storage_throughput": 499}, "storage_throughput"),
    ("aws_db_instance", GP3, {"storage_throughput": 3_001}, "storage_throughput"),
    ("aws_db_instance", {**SMALL, "engine": "oracle-se2"}, {"allocated_storage": 200}, "iops"),
    ("aws_db_instance", {"engine_version": "16"}, {"engine_version": "15"}, "engine_version"),
    (
        "aws_db_instance",
        {"engine_version": "16", "engine_version_actual": "16.4"},
        {"engine_version": "16.3"},
        "engine_version",
    ),
    (
        "aws_rds_cluster",
        {"engine_version": "8.0.mysql_aurora.3.05.2"},
        {"engine_version": "8.0.mysql_aurora.3.04.0"},
        "engine_version",
    ),
    ("aws_docdb_cluster", {"engine_version": "5.0.0"}, {"engine_version": "4.0.0"}, "engine_version"),
    ("aws_memorydb_cluster", {"engine_version": "7.1"}, {"engine_version": "7.0"}, "engine_version"),
    (
        "aws_elasticache_replication_group",
        {"engine_version": "8.0"},
        {"engine_version": "7.2"},
        "engine_version",
    ),
    ("aws_elasticache_replication_group", {"engine": "valkey"}, {"engine": "redis"}, "engine"),
    ("aws_msk_cluster", {"kafka_version": "3.6.0"}, {"kafka_version": "3.5.1"}, "kafka_version"),
    ("aws_eks_cluster", {"version": "1.31"}, {"version": "1.30"}, "version"),
    ("aws_ebs_volume", {"size": 20}, {"size": 10}, "size"),
    ("aws_instance", _root(20), _root(10), "root_block_device.0.volume_size"),
    ("aws_fsx_windows_file_system", {"storage_capacity": 64}, {"storage_capacity": 32}, "storage_capacity"),
    (
        "aws_msk_cluster",
        _broker(100),
        _broker(50),
        "broker_node_group_info.0.storage_info.0.ebs_storage_info.0.volume_size",
    ),
    ("aws_kinesis_stream", {"shard_count": 2}, {"shard_count": 5}, "shard_count"),
    ("aws_kinesis_stream", {"shard_count": 8}, {"shard_count": 3}, "shard_count"),
]
TAKEN = [
    ("aws_db_instance", {"allocated_storage": 100}, {"allocated_storage": 110}),
    ("aws_db_instance", DATABASE, {"max_allocated_storage": 110}),
    ("aws_db_instance", DATABASE, {"max_allocated_storage": 0}),
    ("aws_db_instance", DATABASE, {"backup_retention_period": 3}),
    # A limit that is too low by now, and is not what changes.
    ("aws_db_instance", {**DATABASE, "allocated_storage": 390}, {"backup_retention_period": 3}),
    ("aws_db_instance", SMALL, {"allocated_storage": 399}),
    ("aws_db_instance", SMALL, {"allocated_storage": 400, "iops": 12_000, "storage_throughput": 500}),
    ("aws_db_instance", {**SMALL, "engine": "sqlserver-se"}, {"iops": 4_000}),
    ("aws_db_instance", {**SMALL, "storage_type": "io2"}, {"iops": 4_000}),
    ("aws_db_instance", GP3, {"iops": 16_000}),
    ("aws_db_instance", {**GP3, "iops": 16_000}, {"iops": 12_000}),
    ("aws_db_instance", GP3, {"storage_throughput": 3_000}),
    ("aws_db_instance", GP3, {"iops": "(known after apply)"}),
    ("aws_db_instance", {"engine_version": "15"}, {"engine_version": "16"}),
    ("aws_db_instance", {"engine_version": "16.4"}, {"engine_version": "16"}),
    (
        "aws_db_instance",
        {"engine_version": "16", "engine_version_actual": "16.4"},
        {"engine_version": "16.10"},
    ),
    ("aws_elasticache_replication_group", {"engine": "redis"}, {"engine": "valkey"}),
    ("aws_ebs_volume", {"size": 10}, {"size": 20}),
    ("aws_kinesis_stream", {"shard_count": 2}, {"shard_count": 4}),
    ("aws_kinesis_stream", {"shard_count": 8}, {"shard_count": 4}),
    ("aws_sqs_queue", {"size": 20}, {"size": 10}),
]


@pytest.mark.parametrize(("kind", "before", "change", "attribute"), REFUSED)
def test_what_aws_refuses_is_named(
    kind: str, before: dict[str, Any], change: dict[str, Any], attribute: str
) -> None:
    (found,) = refused_changes(kind, before, {**before, **change})

    assert found.attribute == attribute
    assert found.why
    assert found.next_step
    assert "{" not in found.next_step


@pytest.mark.parametrize(("kind", "before", "change"), TAKEN)
def test_what_aws_takes_is_no_finding(kind: str, before: dict[str, Any], change: dict[str, Any]) -> None:
    assert list(refused_changes(kind, before, {**before, **change})) == []


@pytest.mark.parametrize(("kind", "before", "change", "attribute"), REFUSED)
def test_what_does_not_change_is_no_finding(
    kind: str, before: dict[str, Any], change: dict[str, Any], attribute: str
) -> None:
    after = {**before, **change}

    assert [found.attribute for found in refused_changes(kind, after, after)] == []


def test_a_version_is_compared_with_the_one_that_runs() -> None:
    before = {"engine_version": "16", "engine_version_actual": "16.4"}

    (found,) = refused_changes("aws_db_instance", before, {"engine_version": "16.3"})

    assert (found.before, found.after) == ("16.4", "16.3")


def test_what_gp3_refuses_is_refused_when_the_database_is_made() -> None:
    (found,) = refused_changes("aws_db_instance", None, {**SMALL, "iops": 4_000})

    assert (found.attribute, found.before, found.after) == ("iops", None, 4_000)
