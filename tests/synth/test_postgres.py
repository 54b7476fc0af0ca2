from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import ConstructError, HoldfastApp, Key, Network, Postgres, ServiceStack
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


def _postgres(app: HoldfastApp, *, target: Any = None, id_: str = "orders", **properties: Any) -> Postgres:
    target = target or sample_target()
    base = ServiceStack(app, "network", target)
    logs_key = Key(base, "logs", purpose="logs")
    network = Network(base, "main", cidr="10.40.0.0/16", nat="none", logs_key=logs_key)
    data = ServiceStack(app, "data", target)
    given: dict[str, Any] = {
        "instance_class": "db.r6g.large",
        "storage_gib": 100,
        "max_storage_gib": 500,
        "multi_az": True,
        "backup_days": 14,
    }
    key = Key(data, "key", purpose="data")
    return Postgres(data, id_, network=network, key=key, logs_key=logs_key, **(given | properties))


def _synthesis(synthesize: Synthesize, **properties: Any) -> Synthesis:
    return synthesize(lambda app: _postgres(app, **properties))


def _synthesized(synthesize: Synthesize, **properties: Any) -> Template:
    return _synthesis(synthesize, **properties)["data"]


def test_nobody_outside_the_network_reaches_it(synthesize: Synthesize) -> None:
    synthesis = _synthesis(synthesize)

    data = synthesis["data"]
    [group] = data.resources("aws_security_group")
    [subnets] = data.resources("aws_db_subnet_group")
    data.has_resource(
        "aws_db_instance",
        publicly_accessible=False,
        db_subnet_group_name=f"${{{subnets}.name}}",
        vpc_security_group_ids=[f"${{{group}.id}}"],
    )
    for zone, reference in zip("ab", data.resource("aws_db_subnet_group")["subnet_ids"], strict=True):
        assert f"isolated-{zone}" in reference
    data.has_no_resource("aws_vpc_security_group_ingress_rule")
    data.has_no_resource("aws_vpc_security_group_egress_rule")


def test_it_survives_a_zone_and_keeps_its_backups(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize)

    data.has_resource(
        "aws_db_instance",
        multi_az=True,
        backup_retention_period=14,
        copy_tags_to_snapshot=True,
        storage_type="gp3",
        allocated_storage=100,
        max_allocated_storage=500,
    )


def test_a_change_is_made_when_it_is_deployed_and_not_left_for_the_maintenance_window(
    synthesize: Synthesize,
) -> None:
    data = _synthesized(synthesize)

    data.has_resource("aws_db_instance", apply_immediately=True)


def test_everything_in_it_is_encrypted_with_the_data_key(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize)

    [key] = data.resources("aws_kms_key")
    arn = f"${{{key}.arn}}"
    data.has_resource(
        "aws_db_instance",
        storage_encrypted=True,
        kms_key_id=arn,
        master_user_secret_kms_key_id=arn,
        performance_insights_kms_key_id=arn,
    )


def test_its_password_is_made_by_rds_and_is_in_no_state(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize)

    instance = data.resource("aws_db_instance", manage_master_user_password=True, username="app_admin")

    assert "password" not in instance
    assert instance["iam_database_authentication_enabled"] is True


def test_clients_must_use_tls_and_slow_statements_are_logged(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize)

    group = data.resource(
        "aws_db_parameter_group", family="postgres16", lifecycle={"create_before_destroy": True}
    )

    assert {each["name"]: each["value"] for each in group["parameter"]} == {
        "rds.force_ssl": "1",
        "log_connections": "1",
        "log_disconnections": "1",
        "log_lock_waits": "1",
        "log_statement": "ddl",
        "log_min_duration_statement": "500",
    }
    assert "name" not in group
    assert group["name_prefix"] == "data-prod-orders-"


def test_its_logs_go_to_encrypted_groups_that_are_there_before_it(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize)

    groups = data.resources("aws_cloudwatch_log_group")
    instance = data.resource("aws_db_instance", enabled_cloudwatch_logs_exports=["postgresql", "upgrade"])
    assert instance["depends_on"][:2] == list(groups)
    assert {group["name"] for group in groups.values()} == {
        "/aws/rds/instance/data-prod-orders/postgresql",
        "/aws/rds/instance/data-prod-orders/upgrade",
    }
    for group in groups.values():
        assert "kms_keylogs" in group["kms_key_id"]
        assert group["retention_in_days"] == 365


def test_it_is_watched_every_minute_through_a_role_for_this_instance_only(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize)

    [role] = data.resources("aws_iam_role")
    [attachment] = data.resources("aws_iam_role_policy_attachment")
    assert attachment in data.resource("aws_db_instance")["depends_on"]
    data.has_resource(
        "aws_db_instance",
        monitoring_interval=60,
        monitoring_role_arn=f"${{{role}.arn}}",
        performance_insights_enabled=True,
        performance_insights_retention_period=7,
    )
    [trust] = next(
        block["statement"]
        for address, block in data.data("aws_iam_policy_document").items()
        if "monitoring-trust" in address
    )
    assert {each["variable"]: each["values"] for each in trust["condition"]} == {
        "aws:SourceAccount": ["210987654321"],
        "aws:SourceArn": ["arn:aws:rds:eu-west-1:210987654321:db:data-prod-orders"],
    }


def test_where_data_is_kept_it_cannot_be_deleted_without_a_snapshot(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize)

    data.has_resource(
        "aws_db_instance",
        deletion_protection=True,
        skip_final_snapshot=False,
        final_snapshot_identifier="data-prod-orders-final",
        delete_automated_backups=False,
    )


def test_where_data_is_not_kept_it_goes_without_a_trace(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize, target=sample_target(delete_protection=False, production=False))

    instance = data.resource("aws_db_instance", deletion_protection=False, skip_final_snapshot=True)

    assert "final_snapshot_identifier" not in instance


def test_gates_are_told_that_its_loss_cannot_be_undone(synthesize: Synthesize) -> None:
    synthesis = _synthesis(synthesize, target=sample_target(delete_protection=False, production=False))

    [instance] = synthesis["data"].resources("aws_db_instance")
    assert instance in synthesis.manifest["shards"]["data-prod-eu-west-1"]["protected"]


def test_a_major_version_gets_its_minor_ones(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize, engine_version="17")

    data.has_resource("aws_db_instance", engine_version="17", auto_minor_version_upgrade=True)
    data.has_resource("aws_db_parameter_group", family="postgres17")


def test_rds_takes_a_later_major_version_for_an_instance_that_exists(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize)

    data.has_resource("aws_db_instance", allow_major_version_upgrade=True)


def test_a_minor_version_is_never_planned_back_to(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize, engine_version="16.4")

    data.has_resource("aws_db_instance", engine_version="16.4", auto_minor_version_upgrade=False)
    data.has_resource("aws_db_parameter_group", family="postgres16")


def test_the_database_inside_is_named_like_it_unless_told(synthesize: Synthesize) -> None:
    plain = _synthesized(synthesize, id_="order-history")
    told = _synthesized(synthesize, database="archive")

    plain.has_resource("aws_db_instance", db_name="order_history", identifier="data-prod-order-history")
    told.has_resource("aws_db_instance", db_name="archive")


def test_a_single_zone_is_refused_in_production_only(synthesize: Synthesize) -> None:
    staging = _synthesized(
        synthesize, target=sample_target(environment="staging", production=False), multi_az=False
    )

    staging.has_resource("aws_db_instance", multi_az=False)
    with pytest.raises(ConstructError, match="multi_az in prod must be True in production"):
        _synthesized(synthesize, multi_az=False)


def test_a_network_of_one_zone_is_refused_except_on_the_local_cloud(synthesize: Synthesize) -> None:
    one = ("eu-west-1a",)
    local = sample_target(environment="local", production=False, local=True, zones=one)

    _synthesized(synthesize, target=local).has_resource("aws_db_instance")
    with pytest.raises(ConstructError, match="the zones of database orders must be at least 2"):
        _synthesized(synthesize, target=sample_target(zones=one))


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"storage_gib": 5}, "storage_gib must be 20-65536, got 5"),
        ({"backup_days": 36}, "backup_days must be 1-35, got 36"),
        ({"engine_version": "9.6"}, "engine_version must be 14-18"),
        ({"instance_class": "large"}, "instance_class must be an RDS class"),
        ({"database": "My-DB"}, "database must be 1-63 of a-z"),
    ],
)
def test_what_rds_would_refuse_is_refused(
    synthesize: Synthesize, properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        _synthesized(synthesize, **properties)


def test_nobody_pays_for_a_version_that_is_out_of_its_support_without_saying_so(
    synthesize: Synthesize,
) -> None:
    usual = _synthesized(synthesize)
    paid = _synthesized(synthesize, engine_version="13", extended_support=True)

    usual.has_resource(
        "aws_db_instance",
        engine_lifecycle_support="open-source-rds-extended-support-disabled",
        lifecycle={"ignore_changes": ["engine_lifecycle_support"]},
    )
    paid.has_resource("aws_db_instance", engine_lifecycle_support="open-source-rds-extended-support")


def test_its_storage_grows_unless_it_must_not(synthesize: Synthesize) -> None:
    usual = _synthesized(synthesize, max_storage_gib=None)
    never = _synthesized(synthesize, max_storage_gib=0)

    usual.has_resource("aws_db_instance", allocated_storage=100, max_allocated_storage=400)
    never.has_resource("aws_db_instance", allocated_storage=100, max_allocated_storage=0)


def test_it_is_as_fast_as_it_is_said_to_be(synthesize: Synthesize) -> None:
    data = _synthesized(synthesize, storage_gib=400, max_storage_gib=None, iops=20_000, throughput_mib=1000)

    data.has_resource("aws_db_instance", iops=20_000, storage_throughput=1000)


def test_parameters_and_windows_are_passed_on(synthesize: Synthesize) -> None:
    data = _synthesized(
        synthesize,
        parameters={"max_connections": "500"},
        backup_window="22:00-22:30",
        maintenance_window="sat:23:00-sat:23:30",
    )

    data.has_resource(
        "aws_db_instance", backup_window="22:00-22:30", maintenance_window="sat:23:00-sat:23:30"
    )
    [parameter] = [
        each
        for each in data.resource("aws_db_parameter_group")["parameter"]
        if each["name"] == "max_connections"
    ]
    assert parameter == {"name": "max_connections", "value": "500", "apply_method": "pending-reboot"}


def test_backups_of_a_week_are_the_least_in_production(synthesize: Synthesize) -> None:
    staging = sample_target(environment="staging", production=False)

    _synthesized(synthesize, target=staging, backup_days=1).has_resource("aws_db_instance")
    with pytest.raises(ConstructError, match="backup_days must be 7-35 in production, got 6"):
        _synthesized(synthesize, backup_days=6)
