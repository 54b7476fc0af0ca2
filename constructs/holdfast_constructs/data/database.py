"""A PostgreSQL instance that keeps its data: encrypted, backed up, private, and with a standby.

Nobody knows its password: RDS makes it, keeps it in Secrets Manager, and changes it every seven days, so
that a client reads it when it connects and not when it starts. Nobody reaches it who was not connected to
it with `WebService.connect_to`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.db_parameter_group import DbParameterGroup, DbParameterGroupParameter
from cdktf_cdktf_provider_aws.db_subnet_group import DbSubnetGroup
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.data import _database_rules as rules
from holdfast_constructs.data._database_access import PORT, Login
from holdfast_constructs.data._parameters import all_parameters, apply_method
from holdfast_constructs.data._pooler import Pooler
from holdfast_constructs.data._windows import windows
from holdfast_constructs.data.imported_database import ImportedPostgres
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network._subnets import check_zones
from holdfast_constructs.network.network import VpcNetwork
from holdfast_constructs.profiles import BACKUP_DAYS, MULTI_AZ
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.keys import EncryptionKey
from holdfast_constructs.security.policy import Condition, assumed_by, from_this_account, policy_json
from holdfast_constructs.security.secret_value import SecretValue

ADMINISTRATOR = "app_admin"
LOGS = ("postgresql", "upgrade")
MONITORING_SECONDS = 60
# The part of Performance Insights that costs nothing.
INSIGHTS_DAYS = 7


@dataclass(frozen=True, slots=True)
class _Instance:
    """The instance itself, for its pooler to connect to."""

    name: str
    security_group_id: str
    default_port: int = PORT


@checked
class Postgres(Construct):
    """An RDS for PostgreSQL instance in the isolated subnets of `network`.

    `key` encrypts the data and the administrator's password, `logs_key` the logs.
    `instance_class` such as `db.r6g.large`; `storage_gib` (20-65,536) to begin with, growing by itself to
    `max_storage_gib`, four times as much unless given, 0 for none that grows; `iops` and `throughput_mib`
    from 400 GiB on. `backup_days` (1-35) of continuous backup; `multi_az` for a standby in another zone;
    both are the profile's unless given.
    `engine_version` is a major version such as `16`, whose minor versions AWS installs by itself; `16.4`
    stays at that one; a later major version is an upgrade in place. One that is out of its standard support
    needs `extended_support`, which AWS charges for. `database` is the name of the database inside, the id
    unless given. `parameters` are added to those that every database has. The windows are in UTC, the
    region's night unless given.

    With `pooler` clients connect through RDS Proxy, and log in with a token from IAM: as the administrator,
    or as one of `pooled_users`, for each of which a secret has `username` and `password`.

    With the target's `delete_protection` neither Terraform nor the console deletes it, and a final snapshot
    is taken. Raises ConstructError for what RDS would refuse (a network of one zone, for one), and in
    production without `multi_az`, or with less than seven days of backups.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        network: VpcNetwork,
        key: EncryptionKey,
        logs_key: EncryptionKey,
        instance_class: str,
        storage_gib: int,
        max_storage_gib: int | None = None,
        iops: int | None = None,
        throughput_mib: int | None = None,
        multi_az: bool | None = None,
        backup_days: int | None = None,
        engine_version: str = "16",
        extended_support: bool = False,
        database: str | None = None,
        parameters: Mapping[str, str] | None = None,
        backup_window: str | None = None,
        maintenance_window: str | None = None,
        pooler: bool = False,
        pooled_users: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        multi_az = MULTI_AZ.of(self._stack.target.profile, multi_az)
        backup_days = BACKUP_DAYS.of(self._stack.target.profile, backup_days)
        rules.check_production(self._stack.target, multi_az=multi_az, backup_days=backup_days)
        check_zones(network.zones, self._stack.target, wanted_by=f"database {id_}")
        shape = rules.Shape(
            instance_class=instance_class,
            storage_gib=storage_gib,
            max_storage_gib=max_storage_gib,
            iops=iops,
            throughput_mib=throughput_mib,
            multi_az=multi_az,
            backup_days=backup_days,
            engine_version=engine_version,
            extended_support=extended_support,
        )
        self._windows = windows(self._stack.target.region, backup_window, maintenance_window)
        self.name = id_
        self.default_port = PORT
        self.database_name = rules.checked_database(database or id_.replace("-", "_"))
        self._key, self._logs_key = key, logs_key
        self._identifier = aws_name("database", self._stack.target, self._stack.service, id_)
        self.security_group = self._make_security_group(network)
        self.parameters = self._make_parameters(shape.major, parameters or {})
        self.log_groups = [self._make_log_group(log) for log in LOGS]
        self.instance = self._make_instance(shape, self._make_subnets(network))
        self._stack.protect(self.instance)
        rules.check_pooled_users(pooled_users or {}, pooler=pooler)
        self.pooler = self._make_pooler(network, pooled_users or {}) if pooler else None

    @staticmethod
    def import_(
        scope: Construct,
        id_: str,
        *,
        host: str,
        security_group_id: str,
        database: str,
        port: int = PORT,
        secret_arn: str | None = None,
        secret_key: EncryptionKey | None = None,
        resource_id: str | None = None,
    ) -> ImportedPostgres:
        """Return a database that exists already, for services to connect to; see ImportedPostgres."""
        return ImportedPostgres(
            scope,
            id_,
            host=host,
            security_group_id=security_group_id,
            database=database,
            port=port,
            secret_arn=secret_arn,
            secret_key=secret_key,
            resource_id=resource_id,
        )

    @property
    def security_group_id(self) -> str:
        """The id of the security group that clients connect to: the pooler's where there is one."""
        return self.security_group.id if self.pooler is None else self.pooler.security_group_id

    @property
    def host(self) -> str:
        """The name to connect to; it stays the same when the standby takes over."""
        return self.instance.address if self.pooler is None else self.pooler.proxy.endpoint

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return PORT

    @property
    def endpoint(self) -> str:
        """`host:port`."""
        return self.instance.endpoint if self.pooler is None else f"{self.host}:{PORT}"

    @property
    def secret_arn(self) -> str:
        """The secret that holds the administrator's user name and password, as RDS keeps it."""
        return self.instance.master_user_secret.get(0).secret_arn

    def secret_value(self, json_key: str) -> SecretValue:
        """Return `username` or `password` of that secret, for `secrets=` of a service that reads it at start.

        RDS changes the password every seven days; a client that connects later reads the secret itself.
        """
        return SecretValue(
            arn=self.secret_arn, store="secretsmanager", json_key=json_key, key_arn=self._key.arn
        )

    @property
    def resource_id(self) -> str:
        """What IAM knows the instance by, or its pooler; it survives a rename."""
        return self.instance.resource_id if self.pooler is None else self.pooler.resource_id

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "DATABASE"

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs to log in.

        Without `user` it may read the administrator's secret: variables HOST, PORT, NAME and SECRET_ARN.
        With one it may log in as that database user, with a token from IAM for a password: variables HOST,
        PORT, NAME and USER. Somebody has created the user and granted it `rds_iam` before. Through a pooler
        everybody logs in with a token, without `user` as the administrator.
        """
        if self.pooler is not None:
            user = ADMINISTRATOR if user is None else user
            self.pooler.check_user(user)
        return Login(
            target=self._stack.target,
            name=self.name,
            host=self.host,
            database=self.database_name,
            resource_id=self.resource_id,
            secret_arn=self.secret_arn,
            secret_key_arn=self._key.arn,
        ).access(user)

    def _make_instance(self, shape: rules.Shape, subnets: DbSubnetGroup) -> DbInstance:
        kept = self._stack.target.delete_protection
        role, attachment = self._make_monitoring_role()
        return DbInstance(
            self,
            "instance",
            identifier=self._identifier,
            engine="postgres",
            engine_version=shape.engine_version,
            auto_minor_version_upgrade=shape.follows_minors,
            # Nothing but another `engine_version` asks for one, and the gate holds that until it is approved.
            allow_major_version_upgrade=True,
            engine_lifecycle_support=shape.lifecycle_support,
            instance_class=shape.instance_class,
            db_name=self.database_name,
            port=PORT,
            username=ADMINISTRATOR,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=self._key.arn,
            iam_database_authentication_enabled=True,
            storage_type="gp3",
            allocated_storage=shape.storage_gib,
            max_allocated_storage=shape.limit_gib,
            iops=shape.written_iops,
            storage_throughput=shape.written_throughput,
            storage_encrypted=True,
            kms_key_id=self._key.arn,
            multi_az=shape.multi_az,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[self.security_group.id],
            publicly_accessible=False,
            parameter_group_name=self.parameters.name,
            backup_retention_period=shape.backup_days,
            backup_window=self._windows[0],
            maintenance_window=self._windows[1],
            copy_tags_to_snapshot=True,
            delete_automated_backups=not kept,
            deletion_protection=kept,
            skip_final_snapshot=not kept,
            final_snapshot_identifier=f"{self._identifier}-final" if kept else None,
            # A change left to the maintenance window would be seen by no verify and undone by no rollback.
            apply_immediately=True,
            monitoring_interval=MONITORING_SECONDS,
            monitoring_role_arn=role.arn,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=self._key.arn,
            performance_insights_retention_period=INSIGHTS_DAYS,
            enabled_cloudwatch_logs_exports=list(LOGS),
            # RDS would make the groups itself, unencrypted and for ever; a role without its policy is no use.
            depends_on=[*self.log_groups, attachment],
            # RDS takes this for a new instance only.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["engine_lifecycle_support"]),
        )

    def _make_pooler(self, network: VpcNetwork, users: Mapping[str, str]) -> Pooler:
        pooler = Pooler(
            self,
            "pooler",
            name=self.name,
            network=network,
            key=self._key,
            logs_key=self._logs_key,
            secrets={ADMINISTRATOR: self.secret_arn, **users},
        )
        pooler.serve(self.instance, _Instance(self.name, self.security_group.id))
        return pooler

    def _make_security_group(self, network: VpcNetwork) -> SecurityGroup:
        return SecurityGroup(
            self,
            "security-group",
            name=aws_name("security_group", self._stack.target, self._stack.service, self.name),
            description=f"Database {self.name}",
            vpc_id=network.vpc_id,
            tags={"Name": aws_name("tag", self._stack.target, self._stack.service, self.name)},
        )

    def _make_subnets(self, network: VpcNetwork) -> DbSubnetGroup:
        return DbSubnetGroup(
            self,
            "subnets",
            name=self._identifier,
            description=f"Isolated subnets for database {self.name}",
            subnet_ids=network.isolated_subnet_ids,
        )

    def _make_parameters(self, major: str, given: Mapping[str, str]) -> DbParameterGroup:
        return DbParameterGroup(
            self,
            "parameters",
            name_prefix=f"{self._identifier}-",
            family=f"postgres{major}",
            description=f"TLS only, slow statements logged, for database {self.name}",
            parameter=[
                DbParameterGroupParameter(name=name, value=value, apply_method=apply_method(name))
                for name, value in all_parameters(given).items()
            ],
            # The instance holds on to the old group until a new major version has its own.
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )

    def _make_log_group(self, log: str) -> CloudwatchLogGroup:
        return CloudwatchLogGroup(
            self,
            f"{log}-log",
            name=f"/aws/rds/instance/{self._identifier}/{log}",
            retention_in_days=self._stack.target.log_retention_days,
            kms_key_id=self._logs_key.arn,
        )

    def _make_monitoring_role(self) -> tuple[IamRole, IamRolePolicyAttachment]:
        target = self._stack.target
        instance = f"arn:{target.partition}:rds:{target.region}:{target.account}:db:{self._identifier}"
        trust = assumed_by(
            "monitoring.rds.amazonaws.com",
            from_this_account(target),
            Condition("ArnLike", "aws:SourceArn", (instance,)),
        )
        role = IamRole(
            self,
            "monitoring",
            name=aws_name("role", target, self._stack.service, self.name, "monitoring"),
            description=f"Enhanced monitoring of database {self.name}",
            assume_role_policy=policy_json(self, "monitoring-trust", trust),
            permissions_boundary=target.permissions_boundary,
        )
        attachment = IamRolePolicyAttachment(
            self,
            "monitoring-policy",
            role=role.name,
            policy_arn=f"arn:{target.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
        )
        return role, attachment
