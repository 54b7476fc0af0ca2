"""Which types are stateful, and which updates go one way."""

from typing import Any

import pytest

from holdfast_orchestrator.terraform.one_way_updates import one_way_updates
from holdfast_orchestrator.terraform.plan import Change, read_plan
from holdfast_orchestrator.terraform.stateful_types import (
    ADDED_TYPES,
    CFN_LINT_TYPES,
    Protection,
    has_snapshots,
    is_stateful,
)


def change(kind: str, before: Any, after: Any, unknown: dict[str, Any] | None = None) -> Change:
    action = "create" if before is None else "update"
    entry = {
        "address": f"{kind}.x",
        "mode": "managed",
        "type": kind,
        "name": "x",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {"actions": [action], "before": before, "after": after, "after_unknown": unknown or {}},
    }
    return read_plan({"format_version": "1.2", "resource_changes": [entry]}).changes[0]


def one_way(kind: str, before: Any, after: Any, unknown: dict[str, Any] | None = None) -> list[str]:
    return [found.attribute for found in one_way_updates(change(kind, before, after, unknown))]


@pytest.mark.parametrize(
    "kind",
    [
        *sorted(CFN_LINT_TYPES | ADDED_TYPES),
        "aws_docdb_cluster",
        "aws_neptune_cluster_instance",
        "aws_fsx_lustre_file_system",
        "aws_keyspaces_table",
        "aws_timestreamwrite_table",
        "aws_acmpca_certificate_authority",
        "aws_memorydb_cluster",
    ],
)
def test_a_type_that_holds_data_is_stateful(kind: str) -> None:
    assert is_stateful(kind, {})


@pytest.mark.parametrize(
    "kind",
    ["aws_sns_topic", "aws_lb", "aws_docdb_subnet_group", "aws_neptune_parameter_group", "aws_vpc_endpoint"],
)
def test_a_type_that_can_be_made_again_is_not_stateful(kind: str) -> None:
    assert not is_stateful(kind, {})


def test_a_parameter_is_stateful_when_it_is_secret_or_not_known() -> None:
    assert is_stateful("aws_ssm_parameter", {"type": "SecureString"})
    assert is_stateful("aws_ssm_parameter")
    assert not is_stateful("aws_ssm_parameter", {"type": "String"})


def test_an_instance_is_stateful_unless_all_its_disks_outlive_it() -> None:
    kept, lost = {"delete_on_termination": False}, {"delete_on_termination": True}

    assert not is_stateful("aws_instance", {"root_block_device": [kept], "ebs_block_device": [kept]})
    assert is_stateful("aws_instance", {"root_block_device": [kept], "ebs_block_device": [lost]})
    assert is_stateful("aws_instance", {"root_block_device": [kept], "ephemeral_block_device": [{}]})
    assert is_stateful("aws_instance", {})


def test_a_type_of_another_provider_is_stateful_when_it_is_named() -> None:
    assert Protection(types=frozenset({"acme_store"})).covers("acme_store.a", "acme_store", {})
    assert not Protection().covers("acme_store.a", "acme_store", {})


def test_only_some_stateful_types_have_snapshots() -> None:
    assert has_snapshots("aws_db_instance")
    assert not has_snapshots("aws_sqs_queue")


@pytest.mark.parametrize(
    ("kind", "attribute", "before", "after"),
    [
        ("aws_db_instance", "engine_version", "15.4", "16.1"),
        ("aws_db_instance", "engine_version", "16", "17"),
        ("aws_rds_cluster", "engine_version", "16.4", "17.2"),
        ("aws_eks_cluster", "version", "1.29", "1.30"),
        ("aws_db_instance", "allocated_storage", 20, 40),
        ("aws_ebs_volume", "size", 8, 9),
        ("aws_efs_file_system", "encrypted", False, True),
        ("aws_sqs_queue", "kms_master_key_id", "a", "b"),
        ("aws_s3_bucket_versioning", "versioning_configuration", [{"status": "Off"}], [{"status": "On"}]),
        ("aws_dynamodb_table", "billing_mode", "PROVISIONED", "PAY_PER_REQUEST"),
        ("aws_cognito_user_pool", "schema", [], [{"name": "x"}]),
        ("aws_db_instance", "deletion_protection", True, False),
        ("aws_cognito_user_pool", "deletion_protection", "ACTIVE", "INACTIVE"),
        ("aws_db_instance", "skip_final_snapshot", False, True),
        ("aws_db_instance", "backup_retention_period", 7, 0),
        ("aws_cloudwatch_log_group", "retention_in_days", 0, 30),
        ("aws_kinesis_stream", "retention_period", 48, 24),
    ],
)
def test_an_update_with_no_way_back_is_found(kind: str, attribute: str, before: Any, after: Any) -> None:
    assert one_way(kind, {attribute: before}, {attribute: after}) == [attribute]


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("aws_db_instance", {"instance_class": "a"}, {"instance_class": "b"}),
        ("aws_db_instance", {"allocated_storage": 40}, {"allocated_storage": 20}),
        ("aws_db_instance", {"deletion_protection": False}, {"deletion_protection": True}),
        ("aws_cloudwatch_log_group", {"retention_in_days": 30}, {"retention_in_days": 0}),
        ("aws_db_instance", {"backup_retention_period": 1}, {"backup_retention_period": 7}),
        ("aws_sqs_queue", {"kms_master_key_id": None}, {"kms_master_key_id": "a"}),
        ("aws_sns_topic", {"size": 1}, {"size": 2}),
    ],
)
def test_an_update_with_a_way_back_is_not_found(
    kind: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert one_way(kind, before, after) == []


def test_a_value_known_only_after_the_apply_counts_as_changed() -> None:
    found = one_way("aws_db_instance", {"engine_version": "15"}, {}, {"engine_version": True})

    assert found == ["engine_version"]


def test_versioning_for_a_bucket_that_exists_is_one_way_and_for_a_new_one_it_is_not() -> None:
    assert one_way("aws_s3_bucket_versioning", None, {"bucket": "b"}) == ["bucket"]
    assert one_way("aws_s3_bucket_versioning", None, {}, {"bucket": True}) == []
