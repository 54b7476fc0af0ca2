"""What is to be deployed: the shards of a synthesized app, each with all that is known of it.

cdktf writes `manifest.json` (stacks and what they depend on); an app built on Holdfast's constructs
also writes `holdfast.json` beside it (where each state lies, account, region, protected resources,
and so on). Both formats are versioned and checked here, once; each shard's Terraform configuration is
read once too, so that what is planned, gated and applied is the same bytes. An app without
`holdfast.json` is foreign: `foreign.py` derives what is missing from settings.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.inputs import UNKNOWN, Inputs
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.state_key import InvalidStateKeyError, state_key
from holdfast_orchestrator.terraform.accepted import AcceptedDifference

if TYPE_CHECKING:
    from pydantic import BaseModel


CDKTF_MANIFEST = "manifest.json"
HOLDFAST_MANIFEST = "holdfast.json"
LOCAL = "local"

# A folder of cdktf's is called like its stack, and file systems end names at 255 bytes.
_LONGEST_NAME = 255
# What leads out of a folder, and what a shell or an option parser would take for something else.
_HOSTILE = re.compile(r"/|\.\.|[$`]|^[-~]")
# Control characters, marks that turn the direction of text, halves of characters, ends of lines.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}")

M = TypeVar("M", bound="BaseModel")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLocation:
    """Where a state lies; `kms_key_id` is the key that encrypts it, None for the bucket's own (SSE-S3)."""

    bucket: str
    key: str
    region: str
    kms_key_id: str | None = None

    @property
    def folder(self) -> str:
        """The key without the file's name: `<service>/<account>/<region>/<environment>`."""
        return self.key.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyBucket:
    """Another bucket that gets a copy of every backup."""

    bucket: str
    region: str
    kms_key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """What is kept beside a state, for how long, and where else.

    A backup goes when there are `backup_count` newer ones and it is older than `backup_days`. `audit_days`
    is how long audit records stay; `unredacted` whether the output of runs is kept as it was, too.
    """

    copies: tuple[CopyBucket, ...] = ()
    backup_count: int = 50
    backup_days: int = 90
    audit_days: int = 90
    unredacted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a resource comes from: its construct path, what the construct is, and the Python line."""

    path: str
    construct: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateElsewhere:
    """A state of a stack that lies somewhere else than Holdfast keeps it.

    `kind` is Terraform's word for the backend, `place` where it is, for people. `source` is what
    `holdfast adopt --from` takes for it, None where it has to be pulled first. The rest is known of local
    files that can be read; `objects` counts what the state manages.
    """

    kind: str
    place: str
    source: str | None = None
    lineage: str | None = None
    serial: int | None = None
    objects: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """For whom alone a stack is: the `name` of the tenant, and the `service` that each tenant has."""

    service: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One stack with a state of its own. `configuration` is the Terraform JSON, read once.

    `inputs` are the files and variables that it reads, as far as anybody has looked. The `service` of a stack
    with a `tenant` is `<service>-<tenant>`.
    """

    name: str
    directory: Path
    configuration: bytes = field(repr=False)
    service: str
    environment: str
    account: str
    region: str
    state: StateLocation
    keeping: RetentionSettings = field(default_factory=RetentionSettings)
    cloud: Literal["aws", "local"] = "aws"
    role_arn: str | None = None
    owners: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: tuple[str, ...] = ()
    health_checks: tuple[Mapping[str, Any], ...] = ()
    gates: tuple[Mapping[str, Any], ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    inputs: Inputs = field(default=UNKNOWN, repr=False)
    elsewhere: StateElsewhere | None = None
    accepted_differences: tuple[AcceptedDifference, ...] = ()
    tenant: Tenant | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """The services it counts as: its own, and of a tenant's also the service of all tenants."""
        return (self.service,) if self.tenant is None else (self.service, self.tenant.service)

    @property
    def guarded(self) -> tuple[str, ...]:
        """The resources that must not be destroyed unless each is named; none in environment local."""
        return () if LOCAL in (self.cloud, self.environment) else self.protected


def by_bucket(shards: Iterable[Shard]) -> tuple[tuple[Shard, ...], ...]:
    """Return the shards in groups: those whose states lie in one bucket of one cloud are together."""
    groups: dict[tuple[str, str, str], list[Shard]] = {}
    for shard in shards:
        groups.setdefault((shard.state.bucket, shard.state.region, shard.cloud), []).append(shard)
    return tuple(map(tuple, groups.values()))


@dataclass(frozen=True)
class Manifest:
    """Every shard of a synthesized app, in dependency order."""

    shards: tuple[Shard, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Shard]:
        """The shards by name."""
        return {shard.name: shard for shard in self.shards}

    @cached_property
    def by_place(self) -> Mapping[tuple[str, str], Shard]:
        """The shards by bucket and key of their states."""
        return {(shard.state.bucket, shard.state.key): shard for shard in self.shards}

    @cached_property
    def graph(self) -> Graph:
        """Which shard depends on which."""
        return Graph({shard.name: shard.depends_on for shard in self.shards})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as cdktf's own manifest and files give it."""

    name: str
    directory: Path
    configuration: bytes = field(repr=False)
    depends_on: tuple[str, ...]


def checked_state_key(of: str, *parts: str, project: str | None = None) -> str:
    """Return the state key of service, account, region and environment.

    Raises SettingsError that begins with `of` for a part that is not allowed.
    """
    service, account, region, environment = parts
    try:
        return state_key(service, account, region, environment, project=project)
    except InvalidStateKeyError as error:
        raise SettingsError(f"{of}: {error}") from None
