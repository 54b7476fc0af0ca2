"""A Valkey cache on ElastiCache: TLS only, encrypted, private, and with a replica in another zone.

Nobody has a password: a client logs in with a token from IAM that is valid for 15 minutes (Amazon ElastiCache
User Guide, "Authenticating with IAM"). An `auth_token` would be in Terraform's state, and is not offered.
"""

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.elasticache_parameter_group import (
    ElasticacheParameterGroup,
    ElasticacheParameterGroupParameter,
)
from cdktf_cdktf_provider_aws.elasticache_replication_group import (
    ElasticacheReplicationGroup,
    ElasticacheReplicationGroupLogDeliveryConfiguration,
)
from cdktf_cdktf_provider_aws.elasticache_subnet_group import ElasticacheSubnetGroup
from cdktf_cdktf_provider_aws.elasticache_user import ElasticacheUser, ElasticacheUserAuthenticationMode
from cdktf_cdktf_provider_aws.elasticache_user_group import ElasticacheUserGroup
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.data import _cache_rules as rules
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network._subnets import check_zones
from holdfast_constructs.network.network import VpcNetwork
from holdfast_constructs.security._any_key import AnyKey, key_arn
from holdfast_constructs.security._arns import parse_arn
from holdfast_constructs.security._granting import kind_of_name, part_name
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.policy import Statement

PORT = 6379
LOGS = ("slow-log", "engine-log")
# All commands on all keys and channels, but those that stop or empty it, or show all keys to everybody.
DEFAULT_USERS: Mapping[str, str] = {"app": "on ~* &* +@all -@dangerous +info"}

_EXAMPLE = "arn:aws:elasticache:eu-west-1:210987654321:replicationgroup:orders-prod-sessions"


class CacheAccess:
    """What all caches offer: `host`, `port`, users that log in with IAM, and a security group."""

    name: str
    arn: str
    host: str
    reader_host: str
    port: int
    default_port: int
    security_group_id: str
    cache_name: str
    _users: Mapping[str, tuple[str, str]]

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "CACHE"

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs to log in as `user`, who may be left out where there is only one.

        The variables are HOST, READER_HOST, PORT, TLS, NAME (which a token of IAM is for) and USER.
        """
        user_id, user_arn = self._users[self._checked_user(user)]
        where = {"HOST": self.host, "READER_HOST": self.reader_host, "PORT": str(self.port), "TLS": "true"}
        log_in = Statement(sid="LogIn", actions=("elasticache:Connect",), resources=(self.arn, user_arn))
        return Access(environment=where | {"NAME": self.cache_name, "USER": user_id}, statements=(log_in,))

    def _checked_user(self, user: str | None) -> str:
        if user is None and len(self._users) == 1:
            return next(iter(self._users))
        if user is None or user not in self._users:
            names = ", ".join(self._users)
            raise ConstructError(
                f"user of cache {self.name}",
                got=user,
                allowed=f"one of {names}",
                next_step="give connect_to user=…, or add it to users of the cache",
            )
        return user


@checked
class ImportedCache(CacheAccess):
    """A cache that somebody else manages; `Cache.import_` returns one."""

    def __init__(
        self,
        arn: str,
        *,
        host: str,
        security_group_id: str,
        user_ids: tuple[str, ...],
        reader_host: str | None = None,
        port: int = PORT,
    ) -> None:
        parts = parse_arn(arn, "elasticache", what="arn", example=_EXAMPLE)
        if parts is None:
            raise ConstructError(
                "arn", got="a reference", allowed=f"the ARN of a replication group, such as {_EXAMPLE}"
            )
        self.arn, self.cache_name = arn, parts.resource.rpartition(":")[2]
        self.name = kind_of_name(self.cache_name, "cache")
        self.host, self.reader_host = host, reader_host or host
        self.port = self.default_port = port
        self.security_group_id = security_group_id
        place = arn.removesuffix(parts.resource)
        self._users = {each: (each, f"{place}user:{each}") for each in user_ids}


@checked
class Cache(Construct, CacheAccess):
    """A Valkey cache in the isolated subnets of `network`.

    `key` encrypts what it holds, `logs_key` its logs. `node_type` such as `cache.r7g.large`; `replicas` (0-5,
    in production 1 unless given) take over in another zone. `users` maps names to what they may do, as an
    access string of Valkey; unless given there is `app`, who may do all but stop or empty it.
    `engine_version` is 7.2, 8.0 or 8.1, whose patches AWS installs by itself. `parameters` are Valkey's own,
    such as `maxmemory-policy`. `snapshot_days` (0-35) keeps snapshots of what it holds.

    Raises ConstructError for what ElastiCache would refuse, and in production without a replica.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        network: VpcNetwork,
        key: AnyKey,
        logs_key: AnyKey,
        node_type: str = "cache.t4g.small",
        replicas: int | None = None,
        users: Mapping[str, str] | None = None,
        engine_version: str = "8.0",
        parameters: Mapping[str, str] | None = None,
        snapshot_days: int = 0,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        shape = rules.Shape(
            node_type=node_type,
            replicas=rules.replicas(replicas, self._stack.target),
            engine_version=engine_version,
            snapshot_days=snapshot_days,
        )
        wanted = DEFAULT_USERS if users is None else users
        rules.check_users(wanted)
        rules.check_parameters(parameters or {})
        if shape.replicas:
            check_zones(network.zones, self._stack.target, wanted_by=f"cache {id_}")
        self.name = part_name(self._stack, id_, "cache")
        self.cache_name = self._named()
        self.port = self.default_port = PORT
        self.security_group = self._make_security_group(network)
        self.security_group_id = self.security_group.id
        self.users = {name: self._make_user(name, permissions) for name, permissions in wanted.items()}
        self.parameters = self._make_parameters(shape.family, parameters or {})
        region = self._stack.target.region
        self.log_groups = {log: self._make_log_group(log, key_arn(logs_key, region)) for log in LOGS}
        self.replication_group = self._make_group(shape, network, key_arn(key, region))
        self.arn = self.replication_group.arn
        self.host = self.replication_group.primary_endpoint_address
        self.reader_host = self.replication_group.reader_endpoint_address
        self._users = {name: (user.user_id, user.arn) for name, user in self.users.items()}
        if self._stack.target.delete_protection:
            self._stack.protect(self.replication_group)

    @classmethod
    def import_(
        cls,
        arn: str,
        *,
        host: str,
        security_group_id: str,
        user_ids: tuple[str, ...],
        reader_host: str | None = None,
        port: int = PORT,
    ) -> ImportedCache:
        """Return a cache that exists, by the ARN of its replication group; `user_ids` log in with IAM."""
        return ImportedCache(
            arn,
            host=host,
            security_group_id=security_group_id,
            user_ids=user_ids,
            reader_host=reader_host,
            port=port,
        )

    def _named(self, *parts: str) -> str:
        return aws_name("cache", self._stack.target, self._stack.service, self.node.id, *parts)

    def _make_security_group(self, network: VpcNetwork) -> SecurityGroup:
        stack = self._stack
        return SecurityGroup(
            self,
            "security-group",
            name=aws_name("security_group", stack.target, stack.service, kind_of_name(self.node.id, "cache")),
            description=f"Cache {self.node.id}",
            vpc_id=network.vpc_id,
        )

    def _make_user(self, name: str, permissions: str) -> ElasticacheUser:
        # Whoever logs in with IAM has the same name and id.
        user_id = self._named(name)
        return ElasticacheUser(
            self,
            f"user-{name}",
            user_id=user_id,
            user_name=user_id,
            engine="valkey",
            access_string=permissions,
            authentication_mode=ElasticacheUserAuthenticationMode(type="iam"),
        )

    def _make_parameters(self, family: str, parameters: Mapping[str, str]) -> ElasticacheParameterGroup:
        return ElasticacheParameterGroup(
            self,
            "parameters",
            # A later family is another group, which the cache has before it loses this one.
            name=self._named(family),
            family=family,
            description=f"Parameters of cache {self.node.id}",
            parameter=[
                ElasticacheParameterGroupParameter(name=name, value=value)
                for name, value in sorted(parameters.items())
            ],
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )

    def _make_log_group(self, log: str, logs_key_arn: str) -> CloudwatchLogGroup:
        target = self._stack.target
        return CloudwatchLogGroup(
            self,
            log,
            name=f"{target.log_prefix}/{self._stack.service}/{self.node.id}/{log}",
            retention_in_days=target.log_retention_days,
            kms_key_id=logs_key_arn,
        )

    def _make_group(self, shape: rules.Shape, network: VpcNetwork, key: str) -> ElasticacheReplicationGroup:
        available = shape.replicas > 0
        return ElasticacheReplicationGroup(
            self,
            "cache",
            replication_group_id=self.cache_name,
            description=f"{self.node.id} of {self._stack.service} in {self._stack.target.environment}",
            engine="valkey",
            engine_version=shape.engine_version,
            auto_minor_version_upgrade="true",
            node_type=shape.node_type,
            num_cache_clusters=shape.replicas + 1,
            automatic_failover_enabled=available,
            multi_az_enabled=available,
            port=PORT,
            subnet_group_name=self._make_subnets(network),
            security_group_ids=[self.security_group.id],
            parameter_group_name=self.parameters.name,
            at_rest_encryption_enabled="true",
            kms_key_id=key,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[self._make_user_group()],
            snapshot_retention_limit=shape.snapshot_days,
            log_delivery_configuration=[self._deliver(log) for log in LOGS],
            # A change left to the maintenance window would be seen by no verify and undone by no rollback.
            apply_immediately=True,
        )

    def _make_subnets(self, network: VpcNetwork) -> str:
        return ElasticacheSubnetGroup(
            self,
            "subnets",
            name=self.cache_name,
            description=f"Isolated subnets for cache {self.node.id}",
            subnet_ids=network.isolated_subnet_ids,
        ).name

    def _make_user_group(self) -> str:
        return ElasticacheUserGroup(
            self,
            "user-group",
            user_group_id=self.cache_name,
            engine="valkey",
            user_ids=[user.user_id for user in self.users.values()],
        ).user_group_id

    def _deliver(self, log: str) -> ElasticacheReplicationGroupLogDeliveryConfiguration:
        return ElasticacheReplicationGroupLogDeliveryConfiguration(
            destination=self.log_groups[log].name,
            destination_type="cloudwatch-logs",
            log_format="json",
            log_type=log,
        )
