"""What is so now, gathered: three small reads a shard, all shards at once, and no lock on anything.

`ChangeDetector.first` looks at every shard of a run before the first begins. `ChangeDetector.again` is for a
shard whose turn comes after something above it has changed, or long after the first look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from holdfast_orchestrator.app.manifest import Shard, by_bucket
from holdfast_orchestrator.change_detection.decide import Decision, Now, Reason, Why, decide
from holdfast_orchestrator.change_detection.environment import environment_of
from holdfast_orchestrator.change_detection.normalize import UnreadableError, doubts, normal
from holdfast_orchestrator.change_detection.settings import settings_of
from holdfast_orchestrator.change_detection.upstream import Upstreams, mark_of, strangers
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.context.tools import Versions
from holdfast_orchestrator.engine.providers import requirements
from holdfast_orchestrator.engine.workdir import errored_state
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.last_good import LAST_GOOD, last_good_key
from holdfast_orchestrator.record.state_record import StateRecord, read_state_record
from holdfast_orchestrator.state.object_store import ObjectListing
from holdfast_orchestrator.state.terraform_lock import lock_key
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.json_values import Document, digest, objects

_READERS = 16


@dataclass(frozen=True, kw_only=True)
class ChangeDetector:
    """Looks at the shards of one run."""

    run: Run
    refresh: bool = False
    explain: bool = False
    readers: int = _READERS

    def first(self, shards: tuple[Shard, ...]) -> Mapping[str, Decision]:
        """Return the decision on each shard, by name."""
        glance = _Glance(self.run, thorough=self.explain)
        with WorkerPool(self.readers, thread_name_prefix="look") as readers:
            # The engine's answer takes longest.
            versions = readers.submit(lambda: glance.versions)
            goods = {}
            for together in by_bucket(shards):
                listed = readers.submit(_listed_goods, self.run.tools.store(together[0]))
                goods.update({shard.name: listed for shard in together})
            decisions = tuple(
                readers.map(lambda shard: glance.at(shard, good=goods[shard.name].result()), shards)
            )
            versions.exception()
            pairs = zip(shards, decisions, strict=True)
            return {shard.name: self._asked(shard, decision) for shard, decision in pairs}

    def again(self, shard: Shard) -> Decision:
        """Return the decision on one shard, from what is so at this moment."""
        try:
            head = self.run.tools.store(shard).head(last_good_key(shard.state.folder))
        except HoldfastError as error:
            return _unknowable(error)
        goods = {} if head is None else {head.key: head.etag}
        return self._asked(shard, _Glance(self.run, thorough=self.explain).at(shard, good=goods))

    def _asked(self, shard: Shard, decision: Decision) -> Decision:
        if self.explain and decision.reasons:
            from holdfast_orchestrator.change_detection.explain import explained  # noqa: PLC0415 - rarely asked for

            reasons = explained(self.run.tools.store(shard), shard, decision.reasons)
            return replace(decision, reasons=reasons)
        if not self.refresh or not decision.unchanged:
            return decision
        reason = Reason(Why.REFRESH, "asked to look at reality")
        return Decision(reasons=(reason,), fingerprint=decision.fingerprint, record=decision.record)


@dataclass
class _Glance:
    """One look at any number of shards; what several need is read once.

    Where one reason is found, only a `thorough` look goes on to find the others.
    """

    run: Run
    thorough: bool = False
    upstreams: Upstreams = field(init=False)

    def __post_init__(self) -> None:
        self.upstreams = Upstreams(manifest=self.run.manifest, tools=self.run.tools)

    @cached_property
    def versions(self) -> Versions:
        return self.run.tools.versions()

    def at(self, shard: Shard, *, good: Mapping[str, str]) -> Decision:
        """Decide on a shard. What cannot be found out is a reason to ask Terraform, and no error."""
        try:
            return self._decided(shard, good)
        except HoldfastError as error:
            return _unknowable(error)

    def _decided(self, shard: Shard, good: Mapping[str, str]) -> Decision:
        kept = read_state_record(self.run.tools.store(shard), shard.state.folder)
        record = None if kept is None else kept.record
        document, unsure = _readable(shard)
        if record is not None and self.run.project and record.project not in (None, self.run.project):
            other = Reason(Why.DOUBT, f"its records are of app {record.project!r}")
            return Decision(reasons=(other,), record=record)
        if record is None or record.fingerprint is None:
            return decide(Now(record=record, doubts=unsure))
        if not self.thorough and digest(document) != record.fingerprint.configuration:
            changed = Reason(Why.CONFIGURATION, "configuration changed")
            return Decision(reasons=(changed,), fingerprint=record.fingerprint, record=record)
        return decide(self._now(shard, record, document, good=good, unsure=unsure))

    def _now(
        self,
        shard: Shard,
        record: StateRecord,
        document: Document,
        *,
        good: Mapping[str, str],
        unsure: tuple[str, ...],
    ) -> Now:
        store = self.run.tools.store(shard)
        state = mark_of(store.head(shard.state.key))
        self.upstreams.note(shard.name, state)
        unsure += (*strangers(document, self.run.manifest), *shard.inputs.moving, *shard.inputs.doubts)
        if errored_state(self.run.tools.workdir(shard)) is not None:
            unsure += ("a state that could not be saved lies on this machine",)
        today = self.run.clock.now().date()
        if any(entry.has_expired(today) for entry in shard.accepted_differences):
            unsure += ("an accepted difference has expired",)
        return Now(
            configuration=digest(document),
            settings=settings_of(shard),
            environment=environment_of(shard, document, self.run),
            engine=self.versions.engine,
            required=required_sources(shard, self.versions.registry),
            locks=self.versions.locks,
            inputs=self.upstreams.now(
                document, {} if record.fingerprint is None else record.fingerprint.inputs
            ),
            record=record,
            good=good.get(last_good_key(shard.state.folder)),
            state=state,
            locked=store.head(lock_key(shard.state.key)) is not None,
            reads=shard.inputs.digests,
            has_modules=any(objects(document.get("module"))),
            doubts=unsure,
        )


def required_sources(shard: Shard, registry: str) -> tuple[str, ...]:
    """The providers a shard's configuration requires, by full source."""
    return tuple(required.source for required in requirements(shard.configuration, registry))


def _readable(shard: Shard) -> tuple[Document, tuple[str, ...]]:
    try:
        document = normal(shard.configuration)
    except UnreadableError as error:
        return {}, (f"its configuration cannot be compared ({error})",)
    return document, doubts(document)


def _listed_goods(store: ObjectListing) -> Mapping[str, str]:
    """The ETag of every last-good record of a bucket, by key."""
    return {head.key: head.etag for head in store.list(f"{LAST_GOOD}/")}


def _unknowable(error: HoldfastError) -> Decision:
    return Decision(reasons=(Reason(Why.DOUBT, f"it cannot be found out: {error.what}"),))
