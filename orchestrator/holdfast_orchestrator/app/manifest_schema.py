"""The two files an app is synthesized to, as models: cdktf's manifest.json and our holdfast.json.

`DeploymentManifest` is the published format `holdfast/deployment-manifest/v1`; it only ever grows.
Unknown fields are let pass, so that an older orchestrator reads what a newer app writes.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from holdfast_orchestrator.app.accepted_differences import AcceptedDifferenceEntry
from holdfast_orchestrator.app.manifest import CopyBucket, RetentionSettings


class CdktfStack(BaseModel):
    """A stack in cdktf's manifest.json; paths are relative to the output folder."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    synthesized_stack_path: str
    working_directory: str
    construct_path: str | None = None
    dependencies: tuple[str, ...] = ()


class CdktfManifest(BaseModel):
    """cdktf's manifest.json, as much of it as is used."""

    model_config = ConfigDict(frozen=True)

    version: str
    stacks: dict[str, CdktfStack]


class StateEntry(BaseModel):
    """Where a shard's state lies. Without `kms_key_id` it is encrypted with the bucket's own key."""

    model_config = ConfigDict(frozen=True)

    bucket: str = Field(min_length=3, max_length=63)
    key: str
    region: str
    kms_key_id: str | None = None


class CopyEntry(BaseModel):
    """Another bucket for copies of the backups; best in another region or account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: str = Field(min_length=3, max_length=63)
    region: str
    kms_key_id: str | None = None


class KeepingEntry(BaseModel):
    """What is kept beside a state, for how long, and where else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    copies: Annotated[
        tuple[CopyEntry, ...], Field(description="buckets that get a copy of every backup")
    ] = ()
    backup_count: Annotated[int, Field(ge=1, description="backups kept at least")] = 50
    backup_days: Annotated[int, Field(ge=0, description="days backups are kept at least")] = 90
    audit_days: Annotated[int, Field(ge=1, description="days audit records are kept")] = 90
    unredacted: Annotated[
        bool, Field(description="keep the output of runs as it was, under a prefix of its own")
    ] = False

    def as_keeping(self) -> RetentionSettings:
        """Return the same as the value the orchestrator works with."""
        copies = tuple(CopyBucket(**copy.model_dump()) for copy in self.copies)
        return RetentionSettings(**{**self.model_dump(), "copies": copies})


class SourceEntry(BaseModel):
    """Where a resource comes from; `file` is relative to the project where it lies below it."""

    model_config = ConfigDict(frozen=True)

    path: str
    construct_: Annotated[str | None, Field(alias="construct")] = None
    file: str | None = None
    line: int | None = None


class TenantEntry(BaseModel):
    """For whom alone a stack is, and which service it is one of the stacks of."""

    model_config = ConfigDict(frozen=True)

    service: str = Field(description="the service of all its tenants, such as orders of orders-acme")
    name: str


class ShardEntry(BaseModel):
    """One stack: a service in an environment, an account and a region."""

    model_config = ConfigDict(frozen=True)

    service: str
    tenant: TenantEntry | None = Field(
        None, description="of a service that each tenant has for itself; `service` has the tenant's name too"
    )
    project: str | None = Field(
        None, description="part of every name and of the state's key, where it has one"
    )
    environment: str
    account: str = Field(description="AWS account id, 12 digits")
    region: str
    state: StateEntry
    keeping: KeepingEntry = KeepingEntry()
    cloud: Literal["aws", "local"] = Field(
        "aws", description="local: the orchestrator supplies endpoint and credentials of the local cloud"
    )
    role_arn: str | None = Field(None, description="the role the provider assumes")
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    protected: tuple[str, ...] = Field((), description="resource addresses never to be destroyed unasked")
    health_checks: tuple[dict[str, Any], ...] = Field((), description="objects with at least kind and name")
    gates: tuple[dict[str, Any], ...] = ()
    accepted_differences: tuple[AcceptedDifferenceEntry, ...] = Field(
        (), description="changes that a plan may go on showing right after an apply"
    )
    sources: dict[str, SourceEntry] = Field(
        default_factory=dict, description="resource address to its origin"
    )


class DeploymentManifest(BaseModel):
    """holdfast.json: what the orchestrator has to know of each stack and cdktf's manifest lacks."""

    model_config = ConfigDict(frozen=True, title="Deployment manifest (holdfast.json) v1")

    schema_: Annotated[Literal["holdfast/deployment-manifest/v1"], Field(alias="schema")]
    generator: str = ""
    shards: dict[str, ShardEntry]
