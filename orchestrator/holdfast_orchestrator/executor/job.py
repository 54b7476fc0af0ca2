"""What a worker needs to know about one shard; it is sent as JSON (`messages`).

A job also has, without their configurations, the shards that this shard may read, and those with which it
could confuse objects.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.app.project_file import ProjectFile, read_choices
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.record.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """What a worker needs to know from the project's folder.

    `engine` is terraform or tofu, None for the worker's own choice. `lock_file` is the text of the provider
    locks, if there are any; `redact` are texts that must never be shown (cdktf.json). `parallelism` is how
    many objects of a shard Terraform reads or changes at once.
    """

    engine: str | None = None
    cold_providers: bool = False
    parallelism: int | None = None
    lock_file: str | None = None
    redact: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, file: ProjectFile, *, engine: str | None, cold_providers: bool) -> Self:
        """Read the settings of a project. Raises UsageError for an engine that is a path on this machine."""
        chosen = engine or read_choices(file.folder).engine
        if chosen is not None and "/" in chosen:
            raise UsageError(
                f"engine {chosen} is a path on this machine, and the workers are others",
                next_step="choose terraform or tofu, or set HOLDFAST_ENGINE on the workers",
            )
        return cls(
            engine=chosen,
            cold_providers=cold_providers,
            parallelism=file.parallelism,
            lock_file=lockfile.text_of(file.folder),
            redact=file.redact,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One shard, and everything that a worker needs to deploy it.

    `version` is that of this package; `project` is the app's name, from `projectId` if `is_named`.
    """

    version: str
    run: str
    project: str
    is_named: bool
    shard: Shard
    others: tuple[Shard, ...]
    labels: Mapping[str, str]
    intent: Intent
    policy: DeployPolicy
    actor: Actor
    git: str | None
    project_settings: ProjectSettings

    @property
    def project_folder(self) -> str:
        """A folder name for the project with these locks; other locks get another folder."""
        identity = repr((self.project, self.project_settings.lock_file))
        return hashlib.sha256(identity.encode()).hexdigest()[:16]

    @property
    def manifest(self) -> Manifest:
        """The shard and the others."""
        shards = (*self.others, self.shard)
        names = {shard.name for shard in shards}
        return Manifest(
            tuple(
                replace(shard, depends_on=tuple(name for name in shard.depends_on if name in names))
                for shard in shards
            )
        )


@dataclass(frozen=True)
class Neighbours:
    """Finds the other shards that a shard's worker needs to know."""

    manifest: Manifest

    def of(self, shard: Shard) -> tuple[Shard, ...]:
        """Return those shards without their configurations, in the manifest's order."""
        names = {*shard.depends_on, *self._same[shard.service, shard.environment]} - {shard.name}
        places = self._order
        return tuple(
            replace(self.manifest.by_name[name], configuration=b"{}", sources={})
            for name in sorted(names, key=places.__getitem__)
        )

    @cached_property
    def _order(self) -> Mapping[str, int]:
        return {shard.name: place for place, shard in enumerate(self.manifest.shards)}

    @cached_property
    def _same(self) -> Mapping[tuple[str, str], list[str]]:
        same: dict[tuple[str, str], list[str]] = defaultdict(list)
        for shard in self.manifest.shards:
            same[shard.service, shard.environment].append(shard.name)
        return same
