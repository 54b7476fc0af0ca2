"""The properties of `Postgres`."""

from holdfast_constructs.profiles import BACKUP_DAYS, MULTI_AZ
from holdfast_constructs.properties import Always, Property, Theme

_INSTANCE = "aws_db_instance"
_WEEK = 7
_KEPT = "delete_protection of the target"

DIAGRAM = """
service ── security-group rules ── security group
                                        │
   isolated subnets (a, b, …) ── aws_db_instance ── standby in another zone
                                    │       │
                        key (data, password)  log groups (key: logs)
"""

PROPERTIES = {
    "network": Property(why="its isolated subnets, which have no way in from or out to the internet"),
    "key": Property(
        why="encrypts data, snapshots, insights and the administrator's password",
        controls=("CKV_AWS_16", "CKV_AWS_354", "FSBP RDS.3", "CIS 2.2.1"),
        theme=Theme.ENCRYPTED,
    ),
    "logs_key": Property(why="encrypts the logs", controls=("CKV_AWS_158",), theme=Theme.ENCRYPTED),
    "instance_class": Property(why="memory and CPU; another one costs a failover"),
    "storage_gib": Property(why="GiB to begin with; RDS never takes storage away again"),
    "max_storage_gib": Property(
        why="GiB it may grow to by itself, before a full disk stops it: four times as much unless given"
    ),
    "iops": Property(why="input and output operations a second beyond what gp3 has, from 400 GiB on"),
    "throughput_mib": Property(why="MiB a second beyond what gp3 has, from 400 GiB on"),
    "multi_az": Property(
        per_profile=MULTI_AZ,
        why="a standby in another zone takes over within a minute or two",
        controls=("CKV_AWS_157", "FSBP RDS.5", "CIS 2.2.4"),
        theme=Theme.RECOVERABLE,
        satisfied=lambda value, _: value is True,
    ),
    "backup_days": Property(
        per_profile=BACKUP_DAYS,
        why="how far back it can be restored to any second; production keeps seven days or more",
        controls=("CKV_AWS_133", "FSBP RDS.11"),
        theme=Theme.RECOVERABLE,
        satisfied=lambda value, _: value >= _WEEK,
    ),
    "engine_version": Property(why="a major version; AWS installs its minor ones in the maintenance window"),
    "extended_support": Property(
        why="lets a version stay after its standard support ends, which AWS charges for"
    ),
    "parameters": Property(why="settings of PostgreSQL beside those that every database has"),
    "backup_window": Property(why="when it is backed up, in UTC; the night of its region unless given"),
    "maintenance_window": Property(why="when AWS may maintain it, in UTC; the region's night unless given"),
    "pooler": Property(why="RDS Proxy shares connections between many tasks, and survives a failover"),
    "pooled_users": Property(why="who may log in through the pooler, and the secret of each"),
    "database": Property(why="the name of the database inside, where the block's id will not do"),
}

ALWAYS = (
    Always(
        resource=_INSTANCE,
        argument="storage_encrypted",
        value=True,
        why="data at rest is unreadable without the key",
        controls=("CKV_AWS_16", "FSBP RDS.3", "CIS 2.2.1"),
        theme=Theme.ENCRYPTED,
    ),
    Always(
        resource=_INSTANCE,
        argument="publicly_accessible",
        value=False,
        why="only what is inside the network reaches it",
        controls=("CKV_AWS_17", "FSBP RDS.2", "CIS 2.2.3"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource=_INSTANCE,
        argument="manage_master_user_password",
        value=True,
        why="RDS makes, keeps and rotates the password; it is in no state",
        controls=("FSBP SecretsManager.1", "AwsSolutions-SMG4"),
        theme=Theme.ACCESS,
    ),
    Always(
        resource=_INSTANCE,
        argument="iam_database_authentication_enabled",
        value=True,
        why="services log in with a short-lived token in place of a password",
        controls=("CKV_AWS_161", "FSBP RDS.10"),
        theme=Theme.ACCESS,
    ),
    Always(
        resource=_INSTANCE,
        argument="deletion_protection",
        value=True,
        follows=_KEPT,
        why="neither Terraform nor the console deletes it by mistake",
        controls=("CKV_AWS_293", "FSBP RDS.8"),
        theme=Theme.RECOVERABLE,
    ),
    Always(
        resource=_INSTANCE,
        argument="skip_final_snapshot",
        value=False,
        follows=_KEPT,
        why="the last state of the data outlives the instance",
        theme=Theme.RECOVERABLE,
    ),
    Always(
        resource=_INSTANCE,
        argument="copy_tags_to_snapshot",
        value=True,
        why="a snapshot says whose data it has",
        controls=("CKV2_AWS_60", "FSBP RDS.17"),
    ),
    Always(
        resource=_INSTANCE,
        argument="auto_minor_version_upgrade",
        value=True,
        follows="engine_version",
        why="AWS installs corrections in the maintenance window",
        controls=("CKV_AWS_226", "FSBP RDS.13", "CIS 2.2.2"),
        theme=Theme.PATCHED,
    ),
    Always(
        resource=_INSTANCE,
        argument="performance_insights_enabled",
        value=True,
        why="what the database was busy with, in the seven days that cost nothing",
        controls=("CKV_AWS_353",),
        theme=Theme.OBSERVED,
    ),
    Always(
        resource=_INSTANCE,
        argument="monitoring_interval",
        value=60,
        why="the operating system's figures each minute",
        controls=("CKV_AWS_118", "FSBP RDS.6"),
        theme=Theme.OBSERVED,
    ),
)
