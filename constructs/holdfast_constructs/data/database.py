"""A PostgreSQL instance that keeps its data: encrypted, backed up, private, and with a standby.

Nobody knows its password: RDS makes it, keeps it in Secrets Manager, and changes it every seven days, so
that a client reads it when it connects and not when it starts. Nobody reaches it who was not connected to
it with `WebService.connect_to`.
"""

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
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network._subnets import check_zones
from holdfast_constructs.network.network import VpcNetwork
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.keys import Key
from holdfast_constructs.security.policy import (
    Condition,
    Statement,
    assumed_by,
    from_this_account,
    policy_json,
)
from holdfast_constructs.security.secret_value import SecretValue

PORT = 5432
ADMINISTRATOR = "app_admin"
LOGS = ("postgresql", "upgrade")
# Statements slower than this many milliseconds are logged, and every change to the schema.
SLOW_MS = 500
MONITORING_SECONDS = 60
# The part of Performance Insights that costs nothing.
INSIGHTS_DAYS = 7
BACKUP_WINDOW, MAINTENANCE_WINDOW = "02:00-03:00", "sun:03:30-sun:04:30"


@checked
class Postgres(Construct):
    """An RDS for PostgreSQL instance in the isolated subnets of `network`.

    `key` encrypts the data and the administrator's password, `logs_key` the logs.
    `instance_class` such as `db.r6g.large`; `storage_gib` (20-65,536) to begin with, growing by itself to
    `max_storage_gib` where given; `backup_days` (1-35) of continuous backup; `multi_az` for a standby in
    another zone. `engine_version` is a major version such as `16`, whose minor versions AWS installs by
    itself; `16.4` stays at that one; a later major version is an upgrade in place. `database` is the name
    of the database inside, the id unless given.

    With the target's `delete_protection` neither Terraform nor the console deletes it, and a final snapshot
    is taken. Raises ConstructError for what RDS would refuse (a network of one zone, for one), and in
    production without `multi_az`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        network: VpcNetwork,
        key: Key,
        logs_key: Key,
        instance_class: str,
        storage_gib: int,
        max_storage_gib: int | None = None,
        multi_az: bool,
        backup_days: int,
        engine_version: str = "16",
        database: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        rules.check_standby(self._stack.target, multi_az=multi_az)
        check_zones(network.zones, self._stack.target, wanted_by=f"database {id_}")
        shape = rules.Shape(
            instance_class=instance_class,
            storage_gib=storage_gib,
            max_storage_gib=max_storage_gib,
            multi_az=multi_az,
            backup_days=backup_days,
            engine_version=engine_version,
        )
        self.name = id_
        self.default_port = PORT
        self.database_name = rules.checked_database(database or id_.replace("-", "_"))
        self._key, self._logs_key = key, logs_key
        self._identifier = aws_name("database", self._stack.target, self._stack.service, id_)
        self.security_group = self._make_security_group(network)
        self.parameters = self._make_parameters(shape.major)
        self.log_groups = [self._make_log_group(log) for log in LOGS]
        self.instance = self._make_instance(shape, self._make_subnets(network))
        self._stack.protect(self.instance)

    @property
    def security_group_id(self) -> str:
        """The id of its security group."""
        return self.security_group.id

    @property
    def host(self) -> str:
        """The name to connect to; it stays the same when the standby takes over."""
        return self.instance.address

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return PORT

    @property
    def endpoint(self) -> str:
        """`host:port`."""
        return self.instance.endpoint

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
        """What IAM knows the instance by; it survives a rename."""
        return self.instance.resource_id

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "DATABASE"

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs to log in.

        Without `user` it may read the administrator's secret: variables HOST, PORT, NAME and SECRET_ARN.
        With one it may log in as that database user, with a token from IAM for a password: variables HOST,
        PORT, NAME and USER. Somebody has created the user and granted it `rds_iam` before.
        """
        where = {"HOST": self.host, "PORT": str(PORT), "NAME": self.database_name}
        if user is None:
            return Access(environment=where | {"SECRET_ARN": self.secret_arn}, statements=self._read_secret())
        return Access(
            environment=where | {"USER": rules.checked_user(user)},
            statements=(self._log_in_as(user),),
        )

    def _read_secret(self) -> tuple[Statement, ...]:
        secrets = f"secretsmanager.{self._stack.target.region}.amazonaws.com"
        return (
            Statement(
                sid="ReadSecret",
                actions=("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
                resources=(self.secret_arn,),
            ),
            Statement(
                sid="DecryptSecret",
                actions=("kms:Decrypt",),
                resources=(self._key.arn,),
                conditions=(Condition("StringEquals", "kms:ViaService", (secrets,)),),
            ),
        )

    def _log_in_as(self, user: str) -> Statement:
        target = self._stack.target
        users = f"arn:{target.partition}:rds-db:{target.region}:{target.account}:dbuser"
        return Statement(
            sid="LogIn", actions=("rds-db:connect",), resources=(f"{users}:{self.resource_id}/{user}",)
        )

    def _make_instance(self, shape: rules.Shape, subnets: DbSubnetGroup) -> DbInstance:
        kept = self._stack.target.delete_protection
        return DbInstance(
            self,
            "instance",
            identifier=self._identifier,
            engine="postgres",
            engine_version=shape.engine_version,
            auto_minor_version_upgrade=shape.follows_minors,
            # Nothing but another `engine_version` asks for one, and the gate holds that until it is approved.
            allow_major_version_upgrade=True,
            instance_class=shape.instance_class,
            db_name=self.database_name,
            port=PORT,
            username=ADMINISTRATOR,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=self._key.arn,
            iam_database_authentication_enabled=True,
            storage_type="gp3",
            allocated_storage=shape.storage_gib,
            max_allocated_storage=shape.max_storage_gib,
            storage_encrypted=True,
            kms_key_id=self._key.arn,
            multi_az=shape.multi_az,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[self.security_group.id],
            publicly_accessible=False,
            parameter_group_name=self.parameters.name,
            backup_retention_period=shape.backup_days,
            backup_window=BACKUP_WINDOW,
            maintenance_window=MAINTENANCE_WINDOW,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not kept,
            deletion_protection=kept,
            skip_final_snapshot=not kept,
            final_snapshot_identifier=f"{self._identifier}-final" if kept else None,
            # A change left to the maintenance window would be seen by no verify and undone by no rollback.
            apply_immediately=True,
            monitoring_interval=MONITORING_SECONDS,
            monitoring_role_arn=self._make_monitoring_role(),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=self._key.arn,
            performance_insights_retention_period=INSIGHTS_DAYS,
            enabled_cloudwatch_logs_exports=list(LOGS),
            # RDS would make the groups itself, unencrypted and for ever.
            depends_on=self.log_groups,
        )

    def _make_security_group(self, network: VpcNetwork) -> SecurityGroup:
        return SecurityGroup(
            self,
            "security-group",
            name=aws_name("security_group", self._stack.target, self._stack.service, self.name),
            description=f"Database {self.name}",
            vpc_id=network.vpc_id,
        )

    def _make_subnets(self, network: VpcNetwork) -> DbSubnetGroup:
        return DbSubnetGroup(
            self,
            "subnets",
            name=self._identifier,
            description=f"Isolated subnets for database {self.name}",
            subnet_ids=network.isolated_subnet_ids,
        )

    def _make_parameters(self, major: str) -> DbParameterGroup:
        values = {
            "log_min_duration_statement": str(SLOW_MS),
            "log_statement": "ddl",
            "rds.force_ssl": "1",
        }
        return DbParameterGroup(
            self,
            "parameters",
            name_prefix=f"{self._identifier}-",
            family=f"postgres{major}",
            description=f"TLS only, slow statements logged, for database {self.name}",
            parameter=[DbParameterGroupParameter(name=name, value=value) for name, value in values.items()],
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

    def _make_monitoring_role(self) -> str:
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
        )
        IamRolePolicyAttachment(
            self,
            "monitoring-policy",
            role=role.name,
            policy_arn=f"arn:{target.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
        )
        return role.arn
