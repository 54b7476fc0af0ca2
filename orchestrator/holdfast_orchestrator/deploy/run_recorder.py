"""Writes the record of a run and its entry in the audit trail, however the run ends.

Both lie in every state bucket the run touches. What was shown is kept: redacted in the trail, as it was
under a prefix of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from holdfast_orchestrator.app.manifest import Shard, by_bucket
from holdfast_orchestrator.change_detection.checkouts import sweep_checkouts
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.cleanup import audit_settings, prune_backups, set_lifecycle, tidy_cache
from holdfast_orchestrator.deploy.outcome import Outcome, RunResult
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.events import Event, Notice
from holdfast_orchestrator.record.audit.entry import Action
from holdfast_orchestrator.record.audit.trail import AuditTrail
from holdfast_orchestrator.record.runs import RunEnd, RunRecord, begin_run, end_run
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.system.workers import WorkerPool

_WRITERS = 4
_GRAVEST_FIRST = ("needs_human", "failed", "rolled_back", "blocked", "skipped", "committed", "unchanged")


class Transcript(Protocol):
    """Hands events on, and keeps what they read like: unredacted, for the trail to redact."""

    def __call__(self, event: Event) -> None:
        """Take an event."""

    @property
    def text(self) -> str:
        """The transcript so far."""


# What makes one: it is given where the events go on to.
Transcribe = Callable[[Callable[[Event], None]], Transcript]


@dataclass(frozen=True, kw_only=True)
class RunRecorder:
    """Writes the record and the audit entry of one run. `command` is the command line as it was given."""

    run: Run
    run_context: RunContext
    verb: str
    shards: tuple[Shard, ...]
    command: str
    transcript: Transcript = field(repr=False)

    def begin(self) -> None:
        """Write that the run begins. Raises HoldfastError where that cannot be written: nothing is begun."""
        now = self.run.clock.now()
        for store, shards, trail in self._places:
            # Where the trail ends is read while there is other work; an error comes again when it matters.
            self.run_context.hands.submit(trail.look)
            begin_run(
                store,
                RunRecord(
                    run=self.run.id,
                    command=self.run.redactor.text(self.command),
                    actor=self.run_context.actor,
                    git=self.run_context.git,
                    environments=_distinct(shard.environment for shard in shards),
                    shards=tuple(shard.name for shard in shards),
                    started=now,
                ),
            )

    def end(self, result: RunResult) -> None:
        """Write how it ended. A bucket that cannot be written gives a notice, and changes nothing."""
        for store, shards, trail in self._places:
            try:
                self._end(store, shards, trail, result)
            except HoldfastError as error:
                self.run.emit(Notice(message=f"the run could not be recorded: {error}"))
        tidy_cache(self.run.runtime.cache, self.run.clock.now())
        sweep_checkouts(self.run.clock.now)

    def _end(
        self, store: DurableStore, shards: Sequence[Shard], trail: AuditTrail, result: RunResult
    ) -> None:
        names = {shard.name for shard in shards}
        ours = [ended for ended in result.shards if ended.shard in names]
        outcomes = {ended.shard: ended.outcome.value for ended in ours}
        seconds = {ended.shard: round(ended.seconds, 3) for ended in ours}
        # Shards without any outcome: something broke that should not have.
        status = status_of(outcomes, interrupted=result.interrupted) if ours else "failed"
        # Where no backup was made there are none too many.
        more = {
            ended.shard for ended in ours if ended.outcome is Outcome.COMMITTED and ended.backup is not None
        }
        with WorkerPool(_WRITERS, thread_name_prefix="run-recorder") as writers:
            for shard in (shard for shard in shards if shard.name in more):
                writers.submit(prune_backups, self.run, shard)
            action = self._action(shards, outcomes=outcomes, seconds=seconds, status=status)
            audited = writers.submit(self._audit, store, shards, trail, action)
            end = RunEnd(status=status, ended=self.run.clock.now(), outcomes=outcomes, seconds=seconds)
            end_run(store, self.run.id, end)
            audited.result()

    def _audit(self, store: DurableStore, shards: Sequence[Shard], trail: AuditTrail, action: Action) -> None:
        trail.add(action, raw=action.output)
        if trail.retention_is_new:
            set_lifecycle(self.run, store, shards)

    def _action(
        self,
        shards: Sequence[Shard],
        *,
        outcomes: Mapping[str, str],
        seconds: Mapping[str, float],
        status: str,
    ) -> Action:
        actor = self.run_context.actor
        return Action(
            run=self.run.id,
            action=self.verb,
            at=self.run.clock.now(),
            actor=actor.name,
            actor_kind=actor.kind,
            host=actor.host,
            link=actor.link,
            aws=actor.aws,
            git=self.run_context.git,
            command=self.command,
            environments=_distinct(shard.environment for shard in shards),
            services=_distinct(shard.service for shard in shards),
            shards=tuple(shard.name for shard in shards),
            outcome=status,
            outcomes=outcomes,
            seconds=seconds,
            output=self.transcript.text,
        )

    @cached_property
    def _places(self) -> tuple[tuple[DurableStore, tuple[Shard, ...], AuditTrail], ...]:
        places = []
        for shards in by_bucket(self.shards):
            store, settings = self.run.tools.store(shards[0]), audit_settings(shards)
            trail = AuditTrail(store, redactor=self.run.redactor, clock=self.run.clock, settings=settings)
            places.append((store, shards, trail))
        return tuple(places)


def status_of(outcomes: Mapping[str, str], *, interrupted: bool) -> str:
    """How a run ended, in a word: the gravest outcome of its shards."""
    if interrupted:
        return "interrupted"
    return next((outcome for outcome in _GRAVEST_FIRST if outcome in outcomes.values()), "unchanged")


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
