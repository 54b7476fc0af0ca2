"""Whether a shard is unchanged: pure, and for every way it may not be, the reason in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast_orchestrator.record.fingerprint import Build, Fingerprint, InputFingerprint, ObjectStamp
from holdfast_orchestrator.record.state_record import StateRecord
from holdfast_orchestrator.terraform.accepted import count_words


class Why(StrEnum):
    """Why a shard is looked at; new ones may be added within v1."""

    NEVER_DEPLOYED = "never_deployed"
    CONFIGURATION = "configuration"
    SETTINGS = "settings"
    ENVIRONMENT = "environment"
    INPUTS = "inputs"
    UPSTREAM = "upstream"
    STATE = "state"
    ENGINE = "engine"
    PROVIDER = "provider"
    UNFINISHED = "unfinished"
    UNPROVEN = "unproven"
    LOCKED = "locked"
    DOUBT = "doubt"
    REFRESH = "refresh"


# What nothing that is deployed above a shard can take back.
_LASTING = frozenset({
    Why.NEVER_DEPLOYED,
    Why.CONFIGURATION,
    Why.SETTINGS,
    Why.ENVIRONMENT,
    Why.INPUTS,
    Why.ENGINE,
    Why.PROVIDER,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its kind, what it is about, and the sentence."""

    why: Why
    words: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.words}: {', '.join(self.names)}" if self.names else self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """No reason at all means unchanged; `fingerprint` is then what was compared."""

    reasons: tuple[Reason, ...] = ()
    fingerprint: Fingerprint | None = None
    record: StateRecord | None = None

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to do, as far as anybody can tell without looking at the cloud."""
        return not self.reasons and self.fingerprint is not None

    @property
    def lasts(self) -> bool:
        """Whether the shard has to be worked on whatever becomes of the shards above it."""
        return any(reason.why in _LASTING for reason in self.reasons)

    @property
    def since(self) -> str:
        """When it was last proven well."""
        if self.fingerprint is None:
            return ""
        also = count_words(self.fingerprint.accepted)
        return f"since {self.fingerprint.at:%d %b %Y %H:%M}{also and f', {also}'}"

    @property
    def words(self) -> str:
        """Every reason, or what an unchanged shard rests on."""
        if self.fingerprint is not None and self.unchanged:
            return self.since
        return "; ".join(map(str, self.reasons))


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What is so now. Where the record has no fingerprint, nothing but the record and the doubts count.

    `record` is the shard's state record, `good` the ETag of its last-good record, `state` and `locked` what
    lies in the bucket. `reads` is a digest for each file and variable the shard reads. `doubts` are
    sentences: whatever keeps one from being sure. With `has_modules` the shard calls modules.
    """

    record: StateRecord | None
    doubts: tuple[str, ...] = ()
    configuration: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    engine: str = ""
    required: tuple[str, ...] = ()
    locks: Mapping[str, Build] = field(default_factory=dict)
    inputs: Mapping[str, InputFingerprint] = field(default_factory=dict)
    good: str | None = None
    state: ObjectStamp | None = None
    locked: bool = False
    reads: Mapping[str, str] = field(default_factory=dict)
    has_modules: bool = False


def decide(now: Now) -> Decision:
    """Compare what is so now with what was recorded."""
    record = now.record
    if record is None:
        return Decision(reasons=(Reason(Why.NEVER_DEPLOYED, "never deployed"),))
    reasons = [*_unsettled(record), *(Reason(Why.DOUBT, doubt) for doubt in now.doubts)]
    if now.locked:
        reasons.append(Reason(Why.LOCKED, "somebody holds Terraform's lock on its state"))
    fingerprint = record.fingerprint
    if fingerprint is None:
        if not reasons:
            reasons.append(Reason(Why.UNPROVEN, "nothing proves that the last deploy still stands"))
        return Decision(reasons=tuple(reasons), record=record)
    reasons += _differences(now, fingerprint)
    return Decision(reasons=tuple(reasons), fingerprint=fingerprint, record=record)


def _unsettled(record: StateRecord) -> Iterator[Reason]:
    if record.is_open:
        yield Reason(Why.UNFINISHED, f"run {record.run} has not ended")
    leftovers = record.leftovers
    if leftovers.created or leftovers.touched or leftovers.artifacts or leftovers.health_began:
        yield Reason(Why.UNFINISHED, "a deploy that failed has left something behind")


def _differences(now: Now, then: Fingerprint) -> Iterator[Reason]:
    if now.configuration != then.configuration:
        yield Reason(Why.CONFIGURATION, "configuration changed")
    if settings := _differing(now.settings, then.settings):
        yield Reason(Why.SETTINGS, "settings changed", settings)
    if variables := _differing(now.environment, then.environment):
        yield Reason(Why.ENVIRONMENT, "environment changed", variables)
    yield from _reads(now.reads, then.reads)
    yield from _inputs(now.inputs, then.inputs)
    if now.has_modules:
        yield from _modules(then)
    if now.state is None or now.state != then.state:
        yield Reason(Why.STATE, "its state is gone" if now.state is None else "its state was written since")
    if now.good is None or now.good != then.good:
        yield Reason(Why.UNPROVEN, "the record of its last good deploy is another one")
    if now.engine != then.engine:
        yield Reason(Why.ENGINE, f"engine changed from {then.engine} to {now.engine}")
    yield from _providers(now, then)


def _reads(now: Mapping[str, str], then: Mapping[str, str] | None) -> Iterator[Reason]:
    if changed := _differing(now, then or {}):
        words = "nobody wrote down what it read" if then is None else "what it reads changed"
        yield Reason(Why.INPUTS, words, changed)


def _inputs(now: Mapping[str, InputFingerprint], then: Mapping[str, InputFingerprint]) -> Iterator[Reason]:
    for name in sorted({*now, *then}):
        if name not in now or name not in then:
            yield Reason(Why.UPSTREAM, "reads from other shards than before", (name,))
        elif changed := _differing(now[name].outputs, then[name].outputs):
            yield Reason(Why.UPSTREAM, f"`{name}` has other outputs", changed)


def _modules(then: Fingerprint) -> Iterator[Reason]:
    """What the modules were like: they are the same ones, for the configuration and its inputs are."""
    if then.modules is None:
        yield Reason(Why.UNPROVEN, "nobody wrote down what is in its modules")
    else:
        yield from (Reason(Why.DOUBT, doubt) for doubt in then.modules.doubts)


def _providers(now: Now, then: Fingerprint) -> Iterator[Reason]:
    if set(now.required) != set(then.providers):
        names = tuple(sorted(set(now.required) ^ set(then.providers)))
        yield Reason(Why.PROVIDER, "providers changed", names)
        return
    of_modules = {} if then.modules is None else then.modules.providers
    for source, before in sorted({**of_modules, **then.providers}.items()):
        build = now.locks.get(source)
        if build is None:
            yield Reason(Why.PROVIDER, "not in the lock file", (source,))
        elif build.version != before.version:
            yield Reason(Why.PROVIDER, f"{source} changed from {before.version} to {build.version}")
        elif not build.hashes or not build.hashes <= before.hashes:
            yield Reason(Why.PROVIDER, "the lock file trusts other builds", (source,))


def _differing(now: Mapping[str, str], then: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in {*now, *then} if now.get(name) != then.get(name)))
