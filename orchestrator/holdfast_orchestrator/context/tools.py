"""What the stages need for one run: for each shard its environment, its bucket and its Terraform.

Made once a run and shared by its threads. A shard of the local cloud gets that cloud's endpoint and
credentials, unless AWS_ENDPOINT_URL already names another one; every other shard gets the caller's
environment as it is.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation, by_bucket
from holdfast_orchestrator.errors import HoldfastError, LeasedError
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.state_key import file_name
from holdfast_orchestrator.system.aws_variables import refuse_divided
from holdfast_orchestrator.system.private_files import locked
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.terraform import Terraform
    from holdfast_orchestrator.engine.toolchain import Engine
    from holdfast_orchestrator.engine.ui_events import UiEvent
    from holdfast_orchestrator.engine.warm.client import WarmProviders
    from holdfast_orchestrator.engine.warm.shard import WarmShard
    from holdfast_orchestrator.record.fingerprint import Build
    from holdfast_orchestrator.state.snapshot import StateSnapshot

CONFIGURATION = "cdk.tf.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """An engine ("terraform 1.11.4"), the registry it completes names with, and the project's locks."""

    engine: str
    registry: str
    locks: "Mapping[str, Build]" = field(default_factory=dict)


class Tools(Protocol):
    """What plan, deploy and destroy ask for."""

    def store(self, shard: Shard) -> DurableStore:
        """Return the bucket that holds the shard's state."""

    def copies(self, shard: Shard) -> tuple[DurableStore, ...]:
        """Return the buckets that get a copy of each of the shard's backups."""

    def workdir(self, shard: Shard) -> Path:
        """Return the folder Terraform works in for this shard; it need not exist yet."""

    def terraform(self, shard: Shard, on_event: "Callable[[UiEvent], None]") -> "Terraform":
        """Return Terraform in a folder with the shard's configuration and nothing else."""

    def environ(self, cloud: Literal["aws", "local"]) -> Mapping[str, str]:
        """Return the environment that leads to `cloud`."""

    def versions(self) -> "Versions":
        """Return which engine and which builds of providers a deploy would use now."""

    @contextmanager
    def folder(self, shard: Shard) -> Iterator[None]:
        """Hold the shard's working folder. Raises LeasedError where another run on this machine does."""


@dataclass(frozen=True, kw_only=True)
class RealTools:
    """The tools of this machine; `project` is the app's folder, `engine` the one asked for by name.

    With `warm` Terraform attaches to providers that run already. `parallelism` is how many objects of a shard
    it reads or changes at once. With `full_verify` a verify reads every object again.
    """

    runtime: Runtime
    project: Path
    engine_choice: str | None = None
    warm: "WarmProviders | None" = None
    parallelism: int | None = None
    full_verify: bool = False

    def store(self, shard: Shard) -> DurableStore:
        client = self.runtime.aws.client("s3", region=shard.state.region, environ=self.environ(shard.cloud))
        return S3Store(client, shard.state, cloud=shard.cloud)

    def copies(self, shard: Shard) -> tuple[DurableStore, ...]:
        return tuple(
            self.store(
                replace(
                    shard,
                    state=StateLocation(
                        bucket=copy.bucket,
                        region=copy.region,
                        key=shard.state.key,
                        kms_key_id=copy.kms_key_id,
                    ),
                )
            )
            for copy in shard.keeping.copies
        )

    def workdir(self, shard: Shard) -> Path:
        from holdfast_orchestrator.engine.workdir import work_root, workdir_of  # noqa: PLC0415

        return workdir_of(work_root(self.runtime, self.project), file_name(shard.name))

    def terraform(self, shard: Shard, on_event: "Callable[[UiEvent], None]") -> "Terraform":
        from holdfast_orchestrator.engine.parallelism import Parallelism  # noqa: PLC0415
        from holdfast_orchestrator.engine.terraform import Terraform  # noqa: PLC0415 - only when deploying
        from holdfast_orchestrator.inputs.place import environ_with  # noqa: PLC0415
        from holdfast_orchestrator.state.snapshot import read_snapshot  # noqa: PLC0415 - only when deploying

        read_state = cache(lambda: read_snapshot(self.store(shard), shard.state.key))
        return Terraform(
            engine=self.engine,
            runtime=self.runtime,
            workdir=self._laid_out(shard),
            environ=environ_with(shard.inputs, self.environ(shard.cloud)),
            on_event=on_event,
            project=self.project,
            warm=self._warm(read_state),
            reads_files=shard.inputs.provider_reads,
            parallelism=Parallelism(self.parallelism, read_state),
        )

    def _laid_out(self, shard: Shard) -> Path:
        """Return the shard's folder with its configuration and all that it reads."""
        from holdfast_orchestrator.engine.in_memory import write_in_memory  # noqa: PLC0415
        from holdfast_orchestrator.engine.workdir import prepare, work_root  # noqa: PLC0415
        from holdfast_orchestrator.inputs.keep import fetcher  # noqa: PLC0415
        from holdfast_orchestrator.inputs.place import Layout, place, variable_files  # noqa: PLC0415

        root, name = work_root(self.runtime, self.project), file_name(shard.name)
        layout = Layout(folder=self.workdir(shard), tree=root / name, inputs=shard.inputs)
        files = {CONFIGURATION: shard.configuration, **variable_files(shard.inputs)}
        workdir = prepare(root, name, files, placed=layout.stays, write=write_in_memory)
        place(layout, fetcher(self.store(shard)))
        return workdir

    @contextmanager
    def folder(self, shard: Shard) -> Iterator[None]:
        from holdfast_orchestrator.engine.workdir import let_go, open_root, work_root  # noqa: PLC0415

        root = work_root(self.runtime, self.project)
        with ExitStack() as held:
            try:
                held.enter_context(locked(open_root(root) / f"{file_name(shard.name)}.lock", wait=False))
            except BlockingIOError:
                raise LeasedError(
                    f"another holdfast on this machine is at work on {shard.name} in this project",
                    next_step="wait for it to end",
                ) from None
            try:
                yield
            finally:
                let_go(self.workdir(shard))

    def _warm(self, read_state: "Callable[[], StateSnapshot | None]") -> "WarmShard | None":
        if self.warm is None:
            return None
        from holdfast_orchestrator.engine.warm.shard import WarmShard  # noqa: PLC0415 - only when deploying

        return WarmShard(self.warm, read_state)

    @cached_property
    def engine(self) -> "Engine":
        """Terraform or OpenTofu, found once."""
        from holdfast_orchestrator.engine.toolchain import find_engine  # noqa: PLC0415

        return find_engine(self.runtime, choice=self.engine_choice, project=self.project)

    def versions(self) -> Versions:
        """Return the engine's version and what the project's lock file trusts."""
        from holdfast_orchestrator.engine import lockfile  # noqa: PLC0415
        from holdfast_orchestrator.record.fingerprint import Build  # noqa: PLC0415

        locks = lockfile.read(self.project)
        return Versions(
            engine=named(self.engine),
            registry=self.engine.registry,
            locks={source: Build(lock.version, frozenset(lock.hashes)) for source, lock in locks.items()},
        )

    def environ(self, cloud: Literal["aws", "local"]) -> Mapping[str, str]:
        """Return the environment that leads to `cloud`.

        Raises HoldfastError where the local cloud is meant and does not run, SettingsError for a variable
        that only one of Terraform and boto3 obeys.
        """
        if cloud == "aws" or self.runtime.environ.get("AWS_ENDPOINT_URL"):
            refuse_divided(self.runtime.environ)
            return self.runtime.environ
        return self._local_environ

    @cached_property
    def _local_environ(self) -> Mapping[str, str]:
        from holdfast_orchestrator.local.cloud import LocalCloud  # noqa: PLC0415
        from holdfast_orchestrator.local.environment import towards_local  # noqa: PLC0415

        status = LocalCloud(self.project, self.runtime).status()
        if not status.running or status.endpoint is None:
            raise HoldfastError("the local cloud of this project does not run", next_step="holdfast local up")
        return towards_local(self.runtime.environ, status.endpoint)


def named(engine: "Engine") -> str:
    """Return an engine as records name it, without the path: "terraform 1.11.4"."""
    return str(engine).partition(" (")[0]


def check_buckets(tools: Tools, shards: tuple[Shard, ...]) -> None:
    """Return if every state bucket is there; raises StateBucketError that names the command to make one."""
    for first, *_ in by_bucket(shards):
        tools.store(first).check()


def within_reach(tools: Tools, shards: tuple[Shard, ...]) -> tuple[Shard, ...]:
    """Return the shards without those of a local cloud that does not run, where there are others too."""
    elsewhere = tuple(shard for shard in shards if shard.cloud != "local")
    if len(elsewhere) in (0, len(shards)):
        return shards
    try:
        tools.environ("local")
    except HoldfastError:
        return elsewhere
    return shards


def shards_with_state(tools: Tools, manifest: Manifest, names: frozenset[str]) -> tuple[Shard, ...]:
    """Return those of `names` whose state still manages something, in dependency order."""
    from holdfast_orchestrator.state.snapshot import read_snapshot  # noqa: PLC0415

    shards = []
    for shard in manifest.shards:
        if shard.name in names:
            snapshot = read_snapshot(tools.store(shard), shard.state.key)
            if snapshot is not None and snapshot.manages_something:
                shards.append(shard)
    return tuple(shards)
