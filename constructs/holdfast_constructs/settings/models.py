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

from holdfast_constructs.profiles import Nat, Profile
from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.edge import Firewall, Gateway
from holdfast_constructs.settings.foundation import Foundation
from holdfast_constructs.settings.services import Database, DatabaseService, Service
from holdfast_constructs.settings.tenants import is_per_tenant, tenants_of
from holdfast_constructs.settings.values import (
    APEX,
    AccountId,
    BucketName,
    Cidr,
    DomainName,
    EndpointName,
    Items,
    KmsKeyId,
    Owner,
    ProjectName,
    RegionName,
    RetentionDays,
    RoleArn,
    Table,
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


class Logs(Settings):
    """Flow logs, firewall logs, service logs."""

    retention_days: RetentionDays = 365
    """Days until CloudWatch deletes a log event, and S3 an access log of the load balancer."""


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
