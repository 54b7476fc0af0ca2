"""The gaps of RDS, KMS and Backup.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

from typing import Any

from botocore.exceptions import ClientError
from tests.support.gaps import Clients, Gaps, Probes

# One server of each kind is enough for all of them.


def database(clients: Clients, name: str, **settings: Any) -> Any:
    made = {"Engine": "postgres", "EngineVersion": "16.4", "DBInstanceClass": "db.t4g.small"}
    given = {"AllocatedStorage": 20, "MasterUsername": "app", "MasterUserPassword": "not-a-secret"}
    return clients("rds").create_db_instance(DBInstanceIdentifier=name, **made, **given, **settings)[
        "DBInstance"
    ]


def every_instance_has_an_id_of_its_own(clients: Clients) -> object:
    ids = {database(clients, name)["DbiResourceId"] for name in ("first", "second")}
    clients("rds").create_db_instance_read_replica(
        DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="first"
    )
    replica = clients("rds").describe_db_instances(DBInstanceIdentifier="copy")["DBInstances"][0]
    return len(ids), replica["DbiResourceId"] in ids


def monitoring_and_performance_insights_are_kept(clients: Clients) -> object:
    role = "arn:aws:iam::123456789012:role/monitoring"
    database(
        clients, "watched", MonitoringInterval=60, MonitoringRoleArn=role, EnablePerformanceInsights=True
    )
    seen = clients("rds").describe_db_instances(DBInstanceIdentifier="watched")["DBInstances"][0]
    return (
        seen["MonitoringInterval"],
        seen["MonitoringRoleArn"],
        seen["PerformanceInsightsEnabled"],
        seen["PerformanceInsightsRetentionPeriod"],
    )


def performance_insights_can_be_turned_off(clients: Clients) -> object:
    database(clients, "quiet", EnablePerformanceInsights=True)
    clients("rds").modify_db_instance(DBInstanceIdentifier="quiet", EnablePerformanceInsights=False)
    seen = clients("rds").describe_db_instances(DBInstanceIdentifier="quiet")["DBInstances"][0]
    return seen["PerformanceInsightsEnabled"], "PerformanceInsightsRetentionPeriod" in seen


def parameters(clients: Clients, name: str) -> list[tuple[str, str]]:
    seen = clients("rds").describe_db_parameters(DBParameterGroupName=name, Source="user")["Parameters"]
    return [(p["ParameterName"], p["Source"]) for p in seen]


def group_with_two_parameters(clients: Clients, name: str) -> list[dict[str, str]]:
    rds = clients("rds")
    rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="x"
    )
    given = [
        {"ParameterName": parameter, "ParameterValue": "1", "ApplyMethod": "immediate"}
        for parameter in ("rds.force_ssl", "log_connections")
    ]
    rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=given)
    return given


def parameters_are_said_to_be_the_users(clients: Clients) -> object:
    group_with_two_parameters(clients, "given")
    return parameters(clients, "given")


def a_parameter_can_be_reset(clients: Clients) -> object:
    given = group_with_two_parameters(clients, "reset")
    clients("rds").reset_db_parameter_group(DBParameterGroupName="reset", Parameters=given[:1])
    return parameters(clients, "reset")


def engine_versions_of_postgres(clients: Clients) -> object:
    seen = clients("rds").describe_db_engine_versions(Engine="postgres", EngineVersion="16")
    return {v["DBParameterGroupFamily"] for v in seen["DBEngineVersions"]}


def the_rotation_period_of_a_key(clients: Clients) -> object:
    kms = clients("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    return kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"]


def plan(clients: Clients, name: str) -> str:
    backup = clients("backup")
    backup.create_backup_vault(BackupVaultName=name)
    rules = [{"RuleName": "daily", "TargetBackupVaultName": name}]
    made = backup.create_backup_plan(BackupPlan={"BackupPlanName": name, "Rules": rules})
    return str(made["BackupPlanId"])


def a_backup_selection_lives_with_its_plan(clients: Clients) -> object:
    backup, owner = clients("backup"), plan(clients, "selected")
    chosen = {"SelectionName": "all", "IamRoleArn": "arn:aws:iam::123456789012:role/backup"}
    made = backup.create_backup_selection(BackupPlanId=owner, BackupSelection=chosen)["SelectionId"]
    read = backup.get_backup_selection(BackupPlanId=owner, SelectionId=made)["BackupSelection"]
    listed = backup.list_backup_selections(BackupPlanId=owner)["BackupSelectionsList"]
    backup.delete_backup_selection(BackupPlanId=owner, SelectionId=made)
    left = backup.list_backup_selections(BackupPlanId=owner)["BackupSelectionsList"]
    return read["SelectionName"], len(listed), left


def a_backup_plan_can_be_updated(clients: Clients) -> object:
    backup, owner = clients("backup"), plan(clients, "updated")
    rules = [{"RuleName": "weekly", "TargetBackupVaultName": "updated"}]
    backup.update_backup_plan(BackupPlanId=owner, BackupPlan={"BackupPlanName": "updated", "Rules": rules})
    return backup.get_backup_plan(BackupPlanId=owner)["BackupPlan"]["Rules"][0]["RuleName"]


def a_deleted_backup_plan_is_gone(clients: Clients) -> object:
    backup, owner = clients("backup"), plan(clients, "gone")
    backup.delete_backup_plan(BackupPlanId=owner)
    try:
        backup.get_backup_plan(BackupPlanId=owner)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "still there"


def a_subnet_group_that_changes(clients: Clients) -> object:
    ec2, rds = clients("ec2"), clients("rds")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24")["Subnet"]["SubnetId"]
        for number in range(2)
    ]
    name = "smaller"
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="x", SubnetIds=subnets)
    rds.modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=subnets[:1])
    [group] = rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
    return [each["SubnetIdentifier"] for each in group["Subnets"]] == subnets[:1]


PROBES: Probes = {
    a_subnet_group_that_changes: (True, "rds_subnet_groups"),
    every_instance_has_an_id_of_its_own: ((2, False), "rds_instances"),
    monitoring_and_performance_insights_are_kept: (
        (60, "arn:aws:iam::123456789012:role/monitoring", True, 7),
        "rds_instances",
    ),
    performance_insights_can_be_turned_off: ((False, False), "rds_instances"),
    parameters_are_said_to_be_the_users: (
        [("rds.force_ssl", "user"), ("log_connections", "user")],
        "rds_parameters",
    ),
    a_parameter_can_be_reset: ([("log_connections", "user")], "rds_parameters"),
    engine_versions_of_postgres: ({"postgres16"}, "rds_engine_versions"),
    the_rotation_period_of_a_key: (180, "kms_rotation"),
    a_backup_selection_lives_with_its_plan: (("all", 1, []), "backup"),
    a_backup_plan_can_be_updated: ("weekly", "backup"),
    a_deleted_backup_plan_is_gone: ("ResourceNotFoundException", "backup"),
}


class TestGaps(Gaps):
    probes = PROBES
