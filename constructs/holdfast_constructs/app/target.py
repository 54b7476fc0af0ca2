"""The target of a stack: environment, account, region and zones, and the place of its state.

A target is one frozen value, checked when it is made. Everything a construct decides by environment
(how long logs are kept, whether data survives a destroy, whether plain HTTP is refused) is read from
here and nowhere else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast_constructs.app import production
from holdfast_constructs.app._tags import check_tags
from holdfast_constructs.app._zones import zones_of
from holdfast_constructs.app.production import LOG_RETENTION_DAYS
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.profiles import (
    DELETE_PROTECTION,
    PRODUCTION,
    RETENTION_DAYS,
    PerProfile,
    Profile,
    closest,
)
from holdfast_orchestrator.state_key import InvalidStateKeyError, state_key

OWN_TAGS = frozenset({"Service", "Environment", "ManagedBy"})
TENANT_TAG = "Tenant"

# Of our own choice: with a service's name of 30 it leaves room for a readable name in AWS.
LONGEST_TENANT = 32
TENANT_RULE = f"1-{LONGEST_TENANT} of a-z, 0-9 and single inner hyphens"
# What a report of costs shows for resources without the tag, or for all of them, would be a tenant's.
RESERVED_TENANTS = frozenset({"all", "any", "default", "none", "shared", "tenant", "tenants"})
_TENANT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_PROFILE_DEFAULTS: Mapping[str, PerProfile[Any]] = {
    "production": PRODUCTION,
    "delete_protection": DELETE_PROTECTION,
    "log_retention_days": RETENTION_DAYS,
}
# Of a target that names no profile.
_WITHOUT_PROFILE = {"production": False, "delete_protection": True, "log_retention_days": 365}

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# The value of what is not given, until it is settled.
_BY_PROFILE: Any = None
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")


def is_tenant_name(name: str) -> bool:
    """Tell whether a tenant may be called so."""
    well_formed = _TENANT.fullmatch(name) is not None and len(name) <= LONGEST_TENANT
    return well_formed and name not in RESERVED_TENANTS


def check_tenant_name(name: str) -> None:
    """Raise ConstructError for a name that no tenant can have."""
    if _TENANT.fullmatch(name) is None or len(name) > LONGEST_TENANT:
        next_step = "choose another name for the tenant"
        raise ConstructError("a tenant's name", got=name, allowed=TENANT_RULE, next_step=next_step)
    if name in RESERVED_TENANTS:
        raise ConstructError(
            f"no tenant can be called {name!r}: in a report of costs it would look like none or all",
            next_step="choose another name for the tenant",
        )


def check_service_name(name: str) -> None:
    """Raise ConstructError for a name that no service can have."""
    try:
        state_key(name, "0" * 12, "eu-west-1", "any")
    except InvalidStateKeyError as error:
        raise ConstructError(str(error), next_step="choose another name for the service") from error


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class StateBucket:
    """The S3 bucket that holds the state of every shard of an environment.

    `region` is the bucket's own region; `kms_key_id` an ARN, key id or alias, or None for S3's key.
    Raises ConstructError when `bucket` is not a bucket name.
    """

    bucket: str
    region: str
    kms_key_id: str | None = None

    def __post_init__(self) -> None:
        if _BUCKET.fullmatch(self.bucket) is None:
            raise ConstructError(
                "the state bucket's name",
                got=self.bucket,
                allowed="3-63 of a-z, 0-9, '.' and '-', as S3 asks",
                next_step="correct it in the environment's settings",
            )


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """How Holdfast treats the shards of an environment, as written to holdfast.json.

    `keeping` is what the deployment manifest calls so (backups, their copies, audit records). `health` are
    overrides of health checks, by a check's kind or by its name; the name counts more.
    """

    keeping: Mapping[str, Any] = field(default_factory=dict)
    health: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One environment in one account and region.

    `zones` are availability zone names such as `eu-west-1a`, first one preferred. `tags` go on every
    resource; `owners` are the people asked when something happens. `local` means the local cloud. `project`
    is part of every name in AWS and of the states' keys, so that several apps may share an account.
    `production` turns refusals on: plain HTTP, images by tag, a single NAT gateway, logs of less than a year,
    data that is not kept, and more that the blocks say. `delete_protection` keeps data: deletion
    protection, final snapshots, 30 days until a key is gone, no emptying of buckets. `role_arn` is
    the role Terraform assumes. `log_retention_days` is one of LOG_RETENTION_DAYS. `operations` are passed on.
    `tenant` is whom the stacks are for alone: part of every name and of the states' keys, and the tag Tenant.
    `permissions_boundary` is the ARN of the policy that bounds every role of the environment.

    `profile` says what the environment is for; `production`, `delete_protection` and `log_retention_days`,
    and the blocks' own defaults, are the profile's where they are not given. Without a profile they are
    False, True and 365, and the blocks go by the profile that is closest to what the target says of itself.

    Raises ConstructError for a value AWS would refuse.
    """

    environment: str
    account: str
    region: str
    zones: tuple[str, ...]
    state: StateBucket
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    owners: tuple[str, ...] = ()
    local: bool = False
    production: bool = _BY_PROFILE
    delete_protection: bool = _BY_PROFILE
    role_arn: str | None = None
    log_retention_days: int = _BY_PROFILE
    operations: Operations = field(default_factory=Operations, hash=False)
    profile: Profile = _BY_PROFILE
    project: str | None = None
    permissions_boundary: str | None = None
    tenant: str | None = None

    def __post_init__(self) -> None:
        self._settle()
        if self.tenant is not None:
            check_tenant_name(self.tenant)
        self.state_key("any")
        self._check_zones()
        self._check_tags()
        if self.log_retention_days not in LOG_RETENTION_DAYS:
            allowed = "one of " + ", ".join(map(str, LOG_RETENTION_DAYS))
            raise ConstructError("log_retention_days", got=self.log_retention_days, allowed=allowed)
        if self.role_arn is not None and _ROLE.fullmatch(self.role_arn) is None:
            allowed = "an IAM role ARN such as arn:aws:iam::210987654321:role/deploy"
            raise ConstructError("role_arn", got=self.role_arn, allowed=allowed)
        if self.role_arn is not None and self.role_arn.split(":")[4] != self.account:
            # The provider refuses the credentials then: `allowed_account_ids`.
            allowed = f"a role of the account that is deployed to, {self.account}"
            raise ConstructError("role_arn", got=self.role_arn, allowed=allowed)
        if self.production:
            production.check_local(local=self.local)
            production.check_kept(delete_protection=self.delete_protection)
            production.check_log_days(self.log_retention_days)

    @property
    def partition(self) -> str:
        """The first part of every ARN here: `aws`, `aws-cn` or `aws-us-gov`."""
        match self.region.split("-")[:2]:
            case ["cn", _]:
                return "aws-cn"
            case ["us", "gov"]:
                return "aws-us-gov"
            case _:
                return "aws"

    @property
    def log_prefix(self) -> str:
        """What the names of our log groups begin with: `/holdfast/prod`, `/holdfast/shop/prod`."""
        return "/".join(filter(None, ("/holdfast", self.project, self.environment)))

    def own_name(self, service: str) -> str:
        """Return what `service` is called in names: `orders`, or `orders-acme` for the tenant `acme`."""
        return service if self.tenant is None else f"{service}-{self.tenant}"

    def state_key(self, service: str) -> str:
        """Return the key of `service`'s state in the state bucket; raises ConstructError for a bad name."""
        try:
            return state_key(
                self.own_name(service), self.account, self.region, self.environment, project=self.project
            )
        except InvalidStateKeyError as error:
            raise ConstructError(str(error), next_step="correct it in the environment's settings") from error

    def shard_name(self, service: str) -> str:
        """Return the name of `service`'s shard, which is also its cdktf stack id."""
        self.state_key(service)
        return f"{self.own_name(service)}-{self.environment}-{self.region}"

    def _settle(self) -> None:
        """Give what was not given the value of the profile."""
        named: Profile | None = self.profile
        for name, default in _PROFILE_DEFAULTS.items():
            value = _WITHOUT_PROFILE[name] if named is None else default.of(named)
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        if named is None:
            own = closest(local=self.local, production=self.production, keeps_data=self.delete_protection)
            object.__setattr__(self, "profile", own)

    def _check_zones(self) -> None:
        zone = re.compile(re.escape(self.region) + "[a-z]")
        wrong = [name for name in self.zones if zone.fullmatch(name) is None]
        if not self.zones or wrong or len(set(self.zones)) != len(self.zones):
            raise ConstructError(
                "zones",
                got=self.zones,
                allowed=f"different availability zones of {self.region}, such as {self.region}a",
                next_step="list them in the environment's settings",
            )
        missing = [name for name in self.zones if zones_of(self.region) and name not in zones_of(self.region)]
        if missing:
            raise ConstructError(
                "zones",
                got=self.zones,
                allowed=f"zones that {self.region} has: {', '.join(zones_of(self.region))}",
                next_step=f"replace {', '.join(missing)}",
            )

    def _check_tags(self) -> None:
        own = OWN_TAGS if self.tenant is None else OWN_TAGS | {TENANT_TAG}
        taken = sorted(own & self.tags.keys())
        if taken:
            raise ConstructError(
                f"tags may not set {', '.join(taken)}: Holdfast does",
                next_step="remove it from the environment's tags",
            )
        check_tags(self.tags, self.project)
