"""What is written down of a deployment that was just proven well, for the next one to skip by.

Nothing is, where something may have moved while it was being proven: an upstream state that is not the one
from before the last plan, a plan that still differs each time, a provider that is not in the lock file.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.change_detection.environment import environment_of
from holdfast_orchestrator.change_detection.inspect import required_sources
from holdfast_orchestrator.change_detection.normalize import UnreadableError, normal
from holdfast_orchestrator.change_detection.settings import settings_of
from holdfast_orchestrator.change_detection.upstream import Upstreams, outputs_needed
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.modules import ModulesUnknownError, has_modules, laid_out_modules
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.inputs.modules import fetched_doubts, read_module
from holdfast_orchestrator.record.fingerprint import (
    Build,
    Fingerprint,
    InputFingerprint,
    ModulesFingerprint,
    ObjectStamp,
    VerifiedInputs,
)
from holdfast_orchestrator.record.last_good import Promoted
from holdfast_orchestrator.terraform.json_values import Document, digest, mapping_of, named


class DeployedShard(Protocol):
    """A shard that was deployed just now, and the folder that its engine worked in."""

    @property
    def shard(self) -> Shard:
        """The shard."""

    @property
    def run(self) -> Run:
        """The run."""

    @property
    def workdir(self) -> Path:
        """The folder."""


def upstream_stamps(
    leased: DeployedShard, configuration: Document
) -> Mapping[str, ObjectStamp | None] | None:
    """Which upstream states there are, to be asked before the plan that proves the shard well.

    None where that cannot be found out: it is never worth a deploy.
    """
    try:
        return Upstreams(manifest=leased.run.manifest, tools=leased.run.tools).marks(configuration)
    except HoldfastError:
        return None


def fingerprint_of(
    leased: DeployedShard, promoted: Promoted, *, state: ObjectStamp, proven: VerifiedInputs | None
) -> Fingerprint | None:
    """Return the fingerprint of what is deployed, None where it is not certain.

    Never raises: the deployment is good already, and only the next one will be slower.
    """
    record = promoted.record
    # What differs each time and nobody accepted by name proves nothing.
    settles = record.residual is None or bool(record.accepted)
    if proven is None or proven.state != state.etag or not settles:
        return None
    try:
        return _fingerprint(leased, promoted, state=state, proven=proven)
    except (HoldfastError, UnreadableError, OSError):
        return None


def _fingerprint(
    leased: DeployedShard, promoted: Promoted, *, state: ObjectStamp, proven: VerifiedInputs
) -> Fingerprint | None:
    shard, record = leased.shard, promoted.record
    document = normal(shard.configuration)
    inputs = _inputs(leased, document)
    versions = leased.run.tools.versions()
    required = required_sources(shard, versions.registry)
    providers = _builds(leased, required)
    if providers is None or {name: each.mark for name, each in inputs.items()} != dict(proven.inputs):
        return None
    return Fingerprint(
        run=record.run,
        at=record.at,
        configuration=digest(document),
        settings=settings_of(shard),
        environment=environment_of(shard, document, leased.run),
        engine=versions.engine,
        providers=providers,
        inputs=inputs,
        state=state,
        good=promoted.etag,
        reads=shard.inputs.digests if shard.inputs.known else None,
        modules=_modules(leased, document, required),
        accepted=record.accepted,
    )


def _inputs(leased: DeployedShard, document: Document) -> Mapping[str, InputFingerprint]:
    upstreams = Upstreams(manifest=leased.run.manifest, tools=leased.run.tools)
    needed = outputs_needed(document, leased.run.manifest)
    return {name: upstreams.read(name).of(names) for name, names in needed.items()}


def _builds(leased: DeployedShard, required: Collection[str]) -> Mapping[str, Build] | None:
    """What the copy of the lock file that the engine used trusts; None where it lacks a provider."""
    builds = _used(leased)
    return {source: builds[source] for source in required} if builds.keys() >= {*required} else None


def _used(leased: DeployedShard) -> Mapping[str, Build]:
    """The builds of all providers that were used, those of modules too."""
    used = lockfile.read(leased.workdir)
    return {source: Build(one.version, frozenset(one.hashes)) for source, one in used.items() if one.hashes}


def _modules(
    leased: DeployedShard, document: Document, required: Collection[str]
) -> ModulesFingerprint | None:
    """What is in the modules; None where there are none, or they cannot be read."""
    if not has_modules(leased.shard.configuration):
        return None
    try:
        doubts = sorted(set(_module_doubts(leased.workdir, document)))
    except (ModulesUnknownError, OSError):
        return None
    beside = {source: build for source, build in _used(leased).items() if source not in required}
    return ModulesFingerprint(providers=beside, doubts=tuple(doubts))


def _module_doubts(workdir: Path, document: Document) -> Iterator[str]:
    """What the fetched modules may read; those that are folders of the app are inputs (`inputs/`)."""
    bodies = {name: mapping_of(body) for name, body in named(document.get("module"))}
    for module in laid_out_modules(workdir):
        if module.is_fetched:
            doubts = fetched_doubts(read_module(module.folder), workdir, bodies.get(module.key))
            yield from (f"its module {module.key} {doubt}" for doubt in doubts)
