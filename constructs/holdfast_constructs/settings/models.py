"""An environment as one frozen value: every key a settings file may hold, and every default.

Nothing reads TOML after this. Unknown keys are errors. Each stack has a table of its own for its
service, and `environment_model` puts them in. Rules that need more than one key (production, CPU
against memory, networks against zones) are in `rules`, and `loading` asks them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from string import ascii_lowercase
from typing import Annotated, Any, Self

from pydantic import Field, create_model, model_validator
from pydantic.json_schema import SkipJsonSchema

from holdfast_constructs.compute._fargate_sizes import FARGATE_SIZES
from holdfast_constructs.compute.scale import MOST_TASKS
from holdfast_constructs.data._database_rules import (
    LARGEST_GIB,
    LONGEST_BACKUP_DAYS,
    SHORTEST_BACKUP_DAYS,
    SMALLEST_GIB,
)
from holdfast_constructs.edge.firewall_exception import FirewallException
from holdfast_constructs.edge.rate_limit import HIGHEST_RATE, LOWEST_RATE, RateLimit
from holdfast_constructs.profiles import Nat, Profile
from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.foundation import Foundation
from holdfast_constructs.settings.tenants import is_per_tenant, tenants_of
from holdfast_constructs.settings.values import (
    APEX,
    AccountId,
    BucketName,
    CertificateArn,
    Cidr,
    DomainName,
    EndpointName,
    HostedZoneId,
    HostLabel,
    HostName,
    ImageReference,
    InstanceClass,
    Items,
    KmsKeyId,
    Mode,
    Owner,
    PathPattern,
    PlainText,
    ProjectName,
    RegionName,
    RetentionDays,
    RoleArn,
    SecretArn,
    Table,
    VariableName,
    ZoneName,
    empty_table,
    refused,
)


class Project(Settings):
    """What tells this app from others in the same account."""

    name: ProjectName
    """Part of every name in AWS and of the states' keys: set before the first deploy, and never changed."""


class StateCopy(Settings):
    """Another bucket for copies of the backups."""

    bucket: BucketName
    region: RegionName
    kms_key_id: KmsKeyId | None = None


class State(Settings):
    """Where Terraform keeps the state of this environment's stacks."""

    bucket: BucketName
    region: RegionName | None = None
    """Region of the bucket; the environment's first region when left out."""
    kms_key_id: KmsKeyId | None = None
    copies: Items[StateCopy] = ()
    """Buckets that get a copy of every backup, best in another region."""
    backup_count: Annotated[int, Field(ge=1)] = 50
    """Backups of each state that are kept however old they are."""
    backup_days: Annotated[int, Field(ge=0)] = 90
    """Days for which each backup is kept however many there are."""


class Audit(Settings):
    """The record of every action, in the state bucket."""

    days: Annotated[int, Field(ge=1)] = 90
    """Days until the bucket deletes a record."""
    unredacted: bool = False
    """Also keep what was shown as it was, secrets included, under a prefix of its own."""


class HealthCheck(Settings):
    """Settings of this environment for a health check after a deploy; times in seconds."""

    window: Annotated[float, Field(gt=0, le=86400)] | None = None
    """How long all of it may take."""
    timeout: Annotated[float, Field(gt=0, le=86400)] | None = None
    """How long one look may take."""
    interval: Annotated[float, Field(gt=0, le=86400)] | None = None
    """How often it looks."""
    enabled: bool = True
    """Off only with a reason."""
    reason: str | None = None
    """Why it is off."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if not self.enabled and not (self.reason or "").strip():
            raise refused("is switched off without saying why", allowed='also reason = "…"')
        return self


class RegionalNetwork(Settings):
    """What one region has differently."""

    cidr: Cidr
    zone_names: Annotated[Items[ZoneName], Field(min_length=1, max_length=6)] | None = None


class Network(Settings):
    """The VPC of each region."""

    cidr: Cidr
    zones: Annotated[int, Field(ge=1, le=6)] = 3
    """How many availability zones: the first letters of the region (a, b, c); locally one will do."""
    zone_names: Annotated[Items[ZoneName], Field(min_length=1, max_length=6)] | None = None
    """The zones by name, where the first letters will not do; takes the place of `zones`."""
    nat: Nat = "per_az"
    """A NAT gateway in each zone, a single one, or none (then the endpoints must be private)."""
    private_endpoints: Items[EndpointName] = ()
    """AWS services reached without NAT, such as ecr.api; the gateway endpoint of S3 is always there."""
    regions: Table[RegionName, RegionalNetwork] = Field(default_factory=empty_table)
    """What other regions than the first have differently; each needs a network of its own."""


class FurtherDomain(Settings):
    """Another domain of the load balancer."""

    name: DomainName
    zone_id: HostedZoneId | None = None
    """Its Route 53 zone: the certificate is then made and renewed by itself, and services have records."""
    certificates: Table[RegionName, CertificateArn] = Field(default_factory=empty_table)
    """Certificates made elsewhere, one per region, where there is no zone_id."""


class Gateway(Settings):
    """The load balancer all services share."""

    tls: bool = True
    """HTTPS with a redirect from HTTP. Without it everything travels in plain text; never in production."""
    zone_id: HostedZoneId | None = None
    """The Route 53 zone of the domain: the certificate is then made and renewed by itself."""
    certificates: Table[RegionName, CertificateArn] = Field(default_factory=empty_table)
    """Certificates made elsewhere, one per region, where there is no zone_id."""
    wildcard_record: bool = True
    """Every name below the domain leads to the gateway. Off: only the hosts that services have."""
    domains: Items[FurtherDomain] = ()
    """Further domains, each with a certificate of its own."""


class ExceptionOfRules(Settings):
    """Requests that some rules of the firewall only count, while all others stay blocked."""

    rules: Annotated[Items[str], Field(min_length=1)]
    """Managed rules such as SizeRestrictions_BODY, or a managed group for all of its rules."""
    host: str | None = None
    """One host name."""
    path: str | None = None
    """One path, or with a last * all that begin with it; with `host`, both must match."""
    because: str
    """Why these requests are honest."""

    def built(self) -> FirewallException:
        """Return it as the firewall takes it; raises ConstructError as that does."""
        return FirewallException(rules=self.rules, host=self.host, path=self.path, because=self.because)


class LimitOfRequests(Settings):
    """A limit of requests from one address, for a host, a path, or both."""

    name: str
    """Its rule is called RateLimit-<name>."""
    requests: Annotated[int, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)]
    """Requests one address may make in five minutes."""
    host: str | None = None
    """One host name."""
    path: str | None = None
    """One path, or with a last * all that begin with it; with `host`, both must match."""

    def built(self) -> RateLimit:
        """Return it as the firewall takes it; raises ConstructError as that does."""
        return RateLimit(name=self.name, requests=self.requests, host=self.host, path=self.path)


class Firewall(Settings):
    """The web application firewall in front of the gateway."""

    mode: Mode = "count"
    """What its rules do with a match: only count it, or block the request."""
    rate_limit: Annotated[int, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)] = 2000
    """Requests one address may make in five minutes."""
    rule_modes: Table[str, Mode] = Field(default_factory=empty_table)
    """Single rules that differ from `mode`, such as HostingProviderIPList = \"block\".

    HostingProviderIPList and AWSManagedIPDDoSList only block when they are named here.
    """
    exceptions: Items[ExceptionOfRules] = ()
    """Hosts and paths where some rules only count."""
    rate_limits: Items[LimitOfRequests] = ()
    """Other limits for single hosts and paths, beside `rate_limit`."""
    allow_addresses: Items[str] = ()
    """Addresses and ranges (203.0.113.0/24) that are always let through, whatever they send."""
    block_addresses: Items[str] = ()
    """Addresses and ranges that are always refused, whatever `mode` is."""


class Logs(Settings):
    """Flow logs, firewall logs, service logs."""

    retention_days: RetentionDays = 365
    """Days until CloudWatch deletes a log event, and S3 an access log of the load balancer."""


class Database(Settings):
    """A PostgreSQL instance of a service's own."""

    instance_class: Annotated[InstanceClass, Field(alias="class")]
    storage_gib: Annotated[int, Field(ge=SMALLEST_GIB, le=LARGEST_GIB)]
    """GiB to begin with."""
    max_storage_gib: Annotated[int, Field(ge=0, le=LARGEST_GIB)] | None = None
    """GiB it may grow to by itself, at least a tenth above storage_gib; four times as much when left out.

    0: it does not grow.
    """
    iops: Annotated[int, Field(ge=1)] | None = None
    """I/O operations a second, from 400 GiB on; 12,000 when left out."""
    throughput_mib: Annotated[int, Field(ge=1)] | None = None
    """MiB a second, from 400 GiB on; 500 when left out."""
    multi_az: bool | None = None
    """A standby in another zone; on in production when left out."""
    backup_days: Annotated[int, Field(ge=SHORTEST_BACKUP_DAYS, le=LONGEST_BACKUP_DAYS)] = 7
    """Days of continuous backup."""
    engine_version: Annotated[str, Field(pattern=r"^[0-9]{2}(\.[0-9]{1,2})?$")] = "16"
    """PostgreSQL version: 16, whose minor versions AWS installs, or 16.4 to begin with that one."""
    extended_support: bool = False
    """A version that is out of its standard support may be used, which AWS charges for."""
    parameters: Table[str, str] = Field(default_factory=empty_table)
    """Parameters of PostgreSQL besides those that every database has, such as work_mem = \"65536\"."""
    backup_window: str | None = None
    """When backups are made, in UTC, such as 02:00-03:00; at night in the region when left out."""
    maintenance_window: str | None = None
    """When AWS may restart it, in UTC, such as sun:03:30-sun:04:30; Sunday's night when left out."""
    pooler: bool = False
    """Clients connect through RDS Proxy, and log in with a token from IAM."""
    pooled_users: Table[str, SecretArn] = Field(default_factory=empty_table)
    """The secret, with username and password, of each user that may use the pooler."""


class _TaskService(Settings):
    """What runs as tasks on Fargate."""

    image: ImageReference
    cpu: Annotated[int, Field(json_schema_extra={"enum": [*FARGATE_SIZES]})] = 256
    """CPU units; 1024 are one vCPU. Only some pairs of cpu and memory exist on Fargate."""
    memory: int = 512
    """Memory in MiB."""
    environment: Table[VariableName, PlainText] = Field(default_factory=empty_table)
    """Variables anybody may read. Secrets go to `secrets`."""
    secrets: Table[VariableName, SecretArn] = Field(default_factory=empty_table)
    """Variables whose values ECS fetches from the ARN when a task starts."""


class Service(_TaskService):
    """A web service on Fargate behind the gateway."""

    min_tasks: Annotated[int, Field(ge=1, le=MOST_TASKS)] = 1
    """Tasks kept running at the quietest."""
    max_tasks: Annotated[int, Field(ge=1, le=MOST_TASKS)] = 2
    """Tasks at the busiest."""
    host: HostLabel | None = None
    """Name below the domain, or @ for the domain itself; the service's own name when left out."""
    hosts: Items[HostName] = ()
    """More names: below the domain (www, @, *), or whole ones at or below one of the domains."""
    paths: Items[PathPattern] = ()
    """The paths that it answers, such as /api/*; all when left out. Other services have the rest."""


class DatabaseService(Service):
    """A web service that keeps its data in PostgreSQL."""

    database: Database


class WorkerService(_TaskService):
    """A worker that takes messages from a queue."""

    min_tasks: Annotated[int, Field(ge=0, le=MOST_TASKS)] = 1
    """Tasks kept running where no message waits."""
    max_tasks: Annotated[int, Field(ge=1, le=MOST_TASKS)] = 2
    """Tasks where many wait."""
    backlog_per_task: Annotated[int, Field(ge=1)] = 100
    """Messages that may wait for each task."""


class JobService(_TaskService):
    """A task that starts at set times."""

    schedule: str
    """When it starts: `rate(1 hour)`, `cron(0 3 * * ? *)` or `at(2026-12-24T18:00:00)`."""
    timezone: str = "UTC"
    """The time zone of the schedule, such as Europe/Berlin."""


class Services(Settings):
    """The services this environment runs; one left out is not there."""

    def present(self) -> dict[str, Settings]:
        """Return the settings of each service the file names, by its name, sorted."""
        fields = type(self).__pydantic_fields__
        tables = {str(field.alias): getattr(self, name) for name, field in fields.items()}
        return {name: table for name, table in sorted(tables.items()) if table is not None}


class Environment(Settings):
    """Everything that differs between environments, read from environments/<name>.toml."""

    name: SkipJsonSchema[str]
    account: AccountId
    regions: Annotated[Items[RegionName], Field(min_length=1)]
    """Every stack exists once in each; the first is home to the domain."""
    domain: DomainName
    profile: Profile | None = None
    """What the environment is for. Settings that are left out then have the profile's defaults."""
    project: Project | None = None
    production: bool = False
    """Turns the rules of production on: no data lost, nothing alone, no plain HTTP from outside."""
    local: bool = False
    """Deployed to the embedded local cloud."""
    keep_data: bool = True
    """Deletion protection, final snapshots, and 30 days until a key is gone; off only to try things."""
    role_arn: RoleArn | None = None
    """Role Terraform's provider assumes in the account."""
    owners: Annotated[Items[Owner], Field(min_length=1)]
    """Teams to ask about this environment."""
    tags: Table[str, str] = Field(default_factory=empty_table)
    """Tags on every resource, besides Service, Environment and ManagedBy."""
    state: State
    foundation: Foundation | None = None
    audit: Audit = Field(default_factory=Audit)
    health: Table[str, HealthCheck] = Field(default_factory=empty_table)
    """Health checks by kind (such as alb_targets_healthy) or by name; the name counts more."""
    network: Network
    gateway: Gateway = Field(default_factory=Gateway)
    firewall: Firewall = Field(default_factory=Firewall)
    logs: Logs = Field(default_factory=Logs)
    services: Services

    def keeping(self) -> dict[str, Any]:
        """Return what holdfast.json says of backups and audit records, where it is not what always holds."""
        state, audit = self.state, self.audit
        said = {
            "copies": [copy.model_dump() for copy in state.copies],
            "backup_count": state.backup_count,
            "backup_days": state.backup_days,
            "audit_days": audit.days,
            "unredacted": audit.unredacted,
        }
        usual = {"copies": [], "backup_count": 50, "backup_days": 90, "audit_days": 90, "unredacted": False}
        return {} if said == usual else said

    def health_overrides(self) -> dict[str, dict[str, Any]]:
        """Return the settings of this environment for health checks, by kind or name."""
        return {name: check.model_dump(exclude_unset=True) for name, check in self.health.items()}

    def running(self) -> dict[str, Settings]:
        """Return the settings of every service of this environment by the service's name, sorted.

        A service per tenant is there once for each tenant, as `<service>-<tenant>`.
        """
        stamped = (
            (service if who is None else f"{service}-{who}", table) for service, who, table in self.stamped()
        )
        return dict(sorted(stamped, key=lambda pair: pair[0]))

    def stamped(self) -> Iterator[tuple[str, str | None, Settings]]:
        """Yield service, tenant and settings of each stack of a service; no tenant of one that all share."""
        for service, table in self.services.present().items():
            if not is_per_tenant(type(table)):
                yield service, None, table
            for tenant, own in tenants_of(table).items():
                yield service, tenant, own

    def tenants(self, service: str) -> tuple[str, ...]:
        """Return the tenants of a service, sorted; none of one that all share."""
        return tuple(tenants_of(self.services.present().get(service)))

    def settings_of(self, service: str, tenant: str | None = None) -> Settings | None:
        """Return the settings of a service, or of its tenant; None where the environment does not have it."""
        return {(each, other): table for each, other, table in self.stamped()}.get((service, tenant))

    def web_services(self) -> dict[str, Service]:
        """Return those of `running` that are web services."""
        return {name: table for name, table in self.running().items() if isinstance(table, Service)}

    def databases(self) -> dict[str, Database]:
        """Return the databases of this environment by the name of the service that owns each, sorted.

        A tenant's is not among them: it belongs into the tenant's own stack.
        """
        shared = self.services.present()
        return {name: each for name, each in self.every_database().items() if name in shared}

    def every_database(self) -> dict[str, Database]:
        """Return the databases of this environment by service as `running` names it, tenants' too."""
        services = self.running().items()
        return {name: service.database for name, service in services if isinstance(service, DatabaseService)}

    def survives_a_zone(self, database: Database) -> bool:
        """Tell whether the database has a standby in another zone."""
        return self.production if database.multi_az is None else database.multi_az

    def domains(self) -> tuple[str, ...]:
        """Return the domains of the gateway, the first one first."""
        return (self.domain, *(domain.name for domain in self.gateway.domains))

    def full_host(self, name: str) -> str:
        """Return the whole name of a host of the settings: `www`, `*` and `@` are of the first domain."""
        if name == APEX:
            return self.domain
        return name if "." in name else f"{name}.{self.domain}"

    def has_network(self, region: str) -> bool:
        """Tell whether the settings say which network `region` has."""
        return region == self.regions[0] or region in self.network.regions

    def cidr(self, region: str) -> str:
        """Return the network of the VPC in `region`."""
        usual, own = self.network.cidr, self.network.regions.get(region)
        return usual if own is None else own.cidr

    def named_zones(self, region: str) -> tuple[str, ...] | None:
        """Return the zones of `region` where the settings name them, else None."""
        usual, own = self.network.zone_names, self.network.regions.get(region)
        return usual if own is None else own.zone_names

    def zones(self, region: str) -> tuple[str, ...]:
        """Return the names of the availability zones used in `region`, the first one preferred."""
        usual = tuple(f"{region}{letter}" for letter in ascii_lowercase[: self.network.zones])
        return self.named_zones(region) or usual


def environment_model(services: Mapping[str, type[Settings]]) -> type[Environment]:
    """Return the model of a settings file in which `services` may have tables, each of its own type."""
    return _environment_model(tuple(sorted(services.items(), key=lambda service: service[0])))


@cache
def _environment_model(services: tuple[tuple[str, type[Settings]], ...]) -> type[Environment]:
    fields: dict[str, Any] = {
        # A service may be called like an attribute of the model, or have a hyphen in its name.
        f"service_{name.replace('-', '_')}": (table | None, Field(default=None, alias=name))
        for name, table in services
    }
    tables = create_model("Services", __base__=Services, __doc__=Services.__doc__, **fields)
    return create_model(
        "Environment", __base__=Environment, __doc__=Environment.__doc__, services=(tables, ...)
    )
