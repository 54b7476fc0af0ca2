"""One shard's use of warm providers: what it may attach to, and when it must not.

Attached to is only what the lock file trusts. Two things make a shard go the ordinary way: a user's own
overrides of providers, and trouble met before. What modules use is known once `init` has laid out their
files; `init` itself asks a provider nothing, so it needs no more than the configuration's own words.

A provider sees the folder it was started in, and a relative path in a configuration starts there. For AWS
alone nothing in a shard's folder could be meant, so shards share processes, started in an empty folder.
Where another provider or a provisioner may leave files, or a module may name one, a process of its own
starts in the shard's folder.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.diagnostics import Diagnostic
from holdfast_orchestrator.engine.module_requirements import modules_allow
from holdfast_orchestrator.engine.modules import ModulesUnknownError, has_modules
from holdfast_orchestrator.engine.providers import Requirement
from holdfast_orchestrator.engine.warm.client import AttachedProviders, WarmError, WarmProviders, Watching
from holdfast_orchestrator.engine.warm.module_words import need_no_folder, words_of_modules
from holdfast_orchestrator.engine.warm.packages import Package
from holdfast_orchestrator.engine.warm.process_spec import Spec
from holdfast_orchestrator.engine.warm.schema_filter import types_of, words_of
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.system.workers import start_helper
from holdfast_orchestrator.terraform.json_values import kinds_used
from holdfast_orchestrator.terraform.provider_files import KNOWN_TYPES
from holdfast_orchestrator.terraform.reads import Reading

# What is said of "AWS" here has been looked at for these, and for no others.
_KNOWN = ("/hashicorp/aws",)
# What Terraform makes of a state is many times its size.
_SMALL_BYTES = 1 << 20
_ENGINES_OWN = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "TF_REATTACH_PROVIDERS")
_PROVISIONER = "provisioner"
_UNKNOWN = (WarmError, HoldfastError, ModulesUnknownError)
_MISSING = (
    "does not support resource type",
    "does not support data source",
    "does not support ephemeral resource",
    "no schema available",
    "Invalid resource type",
    "Invalid data source",
    "Invalid ephemeral resource",
    "Function not found",
    "Call to unknown function",
    "Plugin did not respond",
    "Failed to load plugin schemas",
    "Failed to obtain provider schema",
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where and how a shard's commands run; `roots` are folders of provider packages.

    With `initializes` the command is the `init` that lays out the modules.
    """

    workdir: Path
    configuration: bytes = field(repr=False)
    required: tuple[Requirement, ...]
    locks: lockfile.Locks
    roots: tuple[Path, ...]
    environ: Mapping[str, str] = field(repr=False)
    reads_files: bool = False
    initializes: bool = False

    @property
    def has_modules(self) -> bool:
        """Whether it has modules, and the command needs what is in them."""
        return not self.initializes and has_modules(self.configuration)


class WarmShard:
    """The warm providers as one shard uses them."""

    def __init__(self, providers: WarmProviders, read_state: Callable[[], StateSnapshot | None]) -> None:
        self._providers = providers
        self._read_state = read_state
        self._cold = False

    @contextmanager
    def lent(
        self, place: Place, watch: Watching | None = None, reading: Reading | None = None
    ) -> Iterator[AttachedProviders]:
        """Lend a command what it may attach to, watch what it creates, remember or recall what it reads."""
        try:
            specs = self._specs(place)
            # Only of AWS is it known what a create does: where it is not among them, nobody watches.
            watch = watch if any(source.endswith(_KNOWN) for source in specs) else None
            types, size = self._state if specs else (frozenset[str](), 0)
            kept = _words(place) | types if specs else types
        except _UNKNOWN:
            specs = {}
        if not specs:
            yield AttachedProviders()
            return
        reading = None if _PROVISIONER in kept else reading
        with self._providers.attached(specs, kept, watch, reading) as lent:
            lent.roomy = size + len(place.configuration) < _SMALL_BYTES and "GOGC" not in place.environ
            yield lent

    def guards(self, place: Place) -> bool:
        """Say whether the creates of an apply would be guarded."""
        try:
            return bool(_words(place)) and any(source.endswith(_KNOWN) for source in self._specs(place))
        except _UNKNOWN:
            return False

    def traces(self, place: Place) -> bool:
        """Say whether everything that an apply changes would be seen, if all of it is AWS's."""
        return self.guards(place) and _PROVISIONER not in _words(place)

    @contextmanager
    def untraced(self) -> Iterator[None]:
        """Let an apply run of which not everything would be seen."""
        with self._providers.untraced():
            yield

    def suits(self, place: Place, registry: str) -> bool:
        """Say whether the modules that `init` has laid out allow the versions that are attached to."""
        locks = {required.source: place.locks[required.source] for required in place.required}
        return not has_modules(place.configuration) or modules_allow(place.workdir, locks, registry)

    def get_ready(self, place: Place) -> None:
        """While the first `init` of a project writes the lock file: do what takes long once it is there."""
        if self._cold or self._providers.is_over or lockfile.covers(place.locks, place.required):
            return
        start_helper(self._providers.hash_ahead, place.required, place.roots, name="hashing")

    def packages(self, place: Place) -> tuple[Package, ...]:
        """Return what may be attached to; nothing where the lock file does not cover all."""
        if self._cold or self._providers.is_over or not lockfile.covers(place.locks, place.required):
            return ()
        packages = (
            self._providers.package(required.source, place.locks[required.source], place.roots)
            for required in place.required
        )
        return tuple(package for package in packages if package is not None)

    def must_repeat(self, lent: AttachedProviders, diagnostics: tuple[Diagnostic, ...]) -> bool:
        """Say whether a failure may be ours and not Terraform's; if so, the shard is cold from now on."""
        reason = lent.trouble or _missing(diagnostics)
        if not lent.reattach or not reason:
            return False
        self._cold = True
        self._providers.tell_once(reason)
        return True

    def _specs(self, place: Place) -> dict[str, Spec]:
        packages = self.packages(place)
        if not packages:
            return {}
        folder = self._providers.folder if _needs_no_folder(place) else place.workdir
        return {package.source: spec_of(package, folder, place.environ) for package in packages}

    @cached_property
    def _state(self) -> tuple[frozenset[str], int]:
        """The types in the state, and its size in bytes."""
        snapshot = self._read_state()
        return (frozenset(), 0) if snapshot is None else (types_of(snapshot.document), len(snapshot.body))


def spec_of(package: Package, folder: Path, environ: Mapping[str, str]) -> Spec:
    """Return what to start: what differs from shard to shard and no provider reads is left out."""
    passed_on = {
        name: value
        for name, value in environ.items()
        if name not in _ENGINES_OWN and not name.startswith("TF_VAR_")
    }
    return Spec(
        binary=package.binary,
        checksum=package.checksum,
        folder=folder,
        known=package.source.endswith(_KNOWN),
        environ=passed_on,
    )


def _words(place: Place) -> frozenset[str]:
    """What may be needed of the schemas. Raises ModulesUnknownError."""
    words = words_of(place.configuration)
    return words | words_of_modules(place.workdir) if place.has_modules else words


def _needs_no_folder(place: Place) -> bool:
    return (
        not place.reads_files
        and all(required.source.endswith(_KNOWN) for required in place.required)
        and all(kind.startswith(KNOWN_TYPES) for kind in kinds_used(json.loads(place.configuration)))
        and _PROVISIONER not in words_of(place.configuration)
        and (not place.has_modules or need_no_folder(place.workdir))
    )


def _missing(diagnostics: tuple[Diagnostic, ...]) -> str:
    missing = (each for each in diagnostics if each.is_error and any(sign in each.text for sign in _MISSING))
    return next((error.summary for error in missing), "")
