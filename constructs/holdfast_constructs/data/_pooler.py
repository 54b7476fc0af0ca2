"""A pool of connections in front of a database (RDS Proxy), to which clients log in with a token from IAM.

Tasks come and go without the database noticing, and a failover takes seconds. The pooler itself logs in with
secrets, one for each user of the database.
"""

from collections.abc import Mapping

from cdktf import Fn, Token
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.db_proxy import DbProxy, DbProxyAuth
from cdktf_cdktf_provider_aws.db_proxy_default_target_group import (
    DbProxyDefaultTargetGroup,
    DbProxyDefaultTargetGroupConnectionPoolConfig,
)
from cdktf_cdktf_provider_aws.db_proxy_target import DbProxyTarget
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network.connections import Connectable, connect
from holdfast_constructs.network.imported_network import VpcNetwork
from holdfast_constructs.security.keys import EncryptionKey
from holdfast_constructs.security.policy import (
    Condition,
    Statement,
    assumed_by,
    from_this_account,
    policy_json,
)

PORT = 5432
# What stays for people and jobs that connect past the pooler.
MOST_CONNECTIONS_PERCENT = 90
BORROW_SECONDS = 30
# An ARN arn:aws:rds:<region>:<account>:db-proxy:<id> ends in what IAM knows the pooler by.
_ID_IN_ARN = 6


class Pooler(Construct):
    """The pooler of the database `name`; `secrets` has the ARN of a secret for each user that may use it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        network: VpcNetwork,
        key: EncryptionKey,
        logs_key: EncryptionKey,
        secrets: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self.name = f"{name}-pooler"
        self.default_port = PORT
        self._proxy_name = aws_name("database", self._stack.target, self._stack.service, name, "pooler")
        self._secrets = dict(sorted(secrets.items()))
        self.security_group = SecurityGroup(
            self,
            "security-group",
            name=aws_name("security_group", self._stack.target, self._stack.service, name, "pooler"),
            description=f"Pooler of database {name}",
            vpc_id=network.vpc_id,
            tags={"Name": aws_name("tag", self._stack.target, self._stack.service, name, "pooler")},
        )
        self.proxy = self._make_proxy(network, self._make_role(key), self._make_log_group(logs_key))

    @property
    def security_group_id(self) -> str:
        """The id of its security group."""
        return self.security_group.id

    @property
    def resource_id(self) -> str:
        """What IAM knows it by: `prx-…`."""
        return Token.as_string(Fn.element(Fn.split(":", self.proxy.arn), _ID_IN_ARN))

    def serve(self, instance: DbInstance, server: Connectable) -> None:
        """Let it connect to the database."""
        DbProxyDefaultTargetGroup(
            self,
            "targets",
            db_proxy_name=self.proxy.name,
            connection_pool_config=DbProxyDefaultTargetGroupConnectionPoolConfig(
                connection_borrow_timeout=BORROW_SECONDS, max_connections_percent=MOST_CONNECTIONS_PERCENT
            ),
        )
        DbProxyTarget(
            self,
            "target",
            db_proxy_name=self.proxy.name,
            target_group_name="default",
            db_instance_identifier=instance.identifier,
        )
        connect(self, server)

    def check_user(self, user: str) -> None:
        """Raise ConstructError for a user that the pooler has no secret of."""
        if user not in self._secrets:
            raise ConstructError(
                f"the pooler of {self.name.removesuffix('-pooler')} cannot log in as {user}",
                allowed=f"one of {', '.join(self._secrets)}",
                next_step=f'pass pooled_users={{"{user}": "<ARN of the secret with its name and password>"}}',
            )

    def _make_proxy(self, network: VpcNetwork, role: IamRole, log_group: CloudwatchLogGroup) -> DbProxy:
        policy = self._allow(role)
        return DbProxy(
            self,
            "proxy",
            name=self._proxy_name,
            engine_family="POSTGRESQL",
            require_tls=True,
            role_arn=role.arn,
            auth=[
                DbProxyAuth(auth_scheme="SECRETS", iam_auth="REQUIRED", secret_arn=arn)
                for arn in self._secrets.values()
            ],
            vpc_subnet_ids=network.isolated_subnet_ids,
            vpc_security_group_ids=[self.security_group.id],
            # RDS would make the group itself, unencrypted and for ever.
            depends_on=[policy, log_group],
        )

    def _make_log_group(self, logs_key: EncryptionKey) -> CloudwatchLogGroup:
        return CloudwatchLogGroup(
            self,
            "log",
            name=f"/aws/rds/proxy/{self._proxy_name}",
            retention_in_days=self._stack.target.log_retention_days,
            kms_key_id=logs_key.arn,
        )

    def _make_role(self, key: EncryptionKey) -> IamRole:
        self._key = key
        target = self._stack.target
        proxies = f"arn:{target.partition}:rds:{target.region}:{target.account}:db-proxy:*"
        trust = assumed_by(
            "rds.amazonaws.com", from_this_account(target), Condition("ArnLike", "aws:SourceArn", (proxies,))
        )
        return IamRole(
            self,
            "role",
            name=aws_name("role", target, self._stack.service, self.name),
            description=f"{self.name} reads the secrets of its users",
            assume_role_policy=policy_json(self, "trust", trust),
            permissions_boundary=target.permissions_boundary,
        )

    def _allow(self, role: IamRole) -> IamRolePolicy:
        target = self._stack.target
        read = Statement(
            sid="ReadSecrets",
            actions=("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
            resources=tuple(self._secrets.values()),
        )
        through = (f"secretsmanager.{target.region}.amazonaws.com",)
        # Secrets of other users may have another key than the administrator's.
        any_key = f"arn:{target.partition}:kms:{target.region}:{target.account}:key/*"
        decrypt = Statement(
            sid="DecryptSecrets",
            actions=("kms:Decrypt",),
            resources=(self._key.arn if len(self._secrets) == 1 else any_key,),
            conditions=(Condition("StringEquals", "kms:ViaService", through),),
        )
        return IamRolePolicy(
            self,
            "read-secrets",
            name="read-secrets",
            role=role.id,
            policy=policy_json(self, "permissions", read, decrypt),
        )
