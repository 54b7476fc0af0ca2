"""Deploys or destroys one shard under its lease: look, plan, pass the gates, drive the phases.

In goes a shard and what was shown and allowed; out comes a result, whatever happens: an error of any
step is the shard's outcome and nobody else's. What a plan finds unchanged costs a lease and a plan, and
writes neither journal nor backup.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.change_detection.fingerprinting import upstream_stamps
from holdfast_orchestrator.change_detection.upstream import Upstreams, waits_for
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.deploy.shard.planning import Agreement, JudgedPlan, PlanTask, plan_shard
from holdfast_orchestrator.deploy.shard.result import INTERRUPTED, ResultBuilder
from holdfast_orchestrator.deploy.work.ending import Purpose
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import deploy_command
from holdfast_orchestrator.deploy.work.preflight import (
    RecordedShard,
    look,
    refuse_another_app,
    refuse_full_disk,
    refuse_strange_state,
)
from holdfast_orchestrator.deploy.work.terraform_locks import release_our_lock
from holdfast_orchestrator.errors import EngineError, HoldfastError, InterruptedSafelyError, machine_errors
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.gate.gates import refuse_findings
from holdfast_orchestrator.ownership.settle import Turn
from holdfast_orchestrator.plan.result import ShardPlan
from holdfast_orchestrator.record.fingerprint import VerifiedInputs
from holdfast_orchestrator.record.state_record import Leftovers
from holdfast_orchestrator.state.lease import Claim
from holdfast_orchestrator.state.lease_record import LeaseRecord
from holdfast_orchestrator.state.snapshot import StateSnapshot

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast_orchestrator.deploy.phases.held_removals import HeldBack


class ShardDeploy:
    """Carries out what is intended for one shard."""

    def __init__(self, shard: Shard, run: Run, intent: Intent, run_context: RunContext) -> None:
        self._shard = shard
        self._run = run
        self._intent = intent
        self._run_context = run_context
        self._builder = ResultBuilder(shard=shard, run=run)
        self._purpose = Purpose(verb="destroy" if intent.destroy else "deploy")
        self._back_to: datetime | None = None

    def result(self) -> ShardResult:
        """Go through the steps and return the result; an error is a result too."""
        began = self._run.clock.monotonic()
        try:
            with machine_errors():
                ended = self._steps()
        except HoldfastError as error:
            ended = self._builder.stopped(error)
        return replace(ended, seconds=self._run.clock.monotonic() - began)

    def _steps(self) -> ShardResult:
        self._go_on()
        if self._deploys:
            self._refuse_to_wait()
        verb = "destroying" if self._intent.destroy else "deploying"
        with at_work(self._shard, self._run, self._run_context, doing=f"{verb} {self._shard.name}") as leased:
            # It may have waited for long.
            self._go_on()
            return self._under_lease(leased)

    def _refuse_to_wait(self) -> None:
        waiting = waits_for(self._shard, self._run.manifest, self._run.tools)
        if waiting:
            names = ", ".join(f"`{self._run.label(name)}`" for name in waiting)
            raise HoldfastError(
                f"waits for {names}: the outputs it refers to are not there yet",
                next_step=deploy_command(self._shard, *(f"--stack={name}" for name in waiting)),
            )

    def _under_lease(self, leased: LeasedShard) -> ShardResult:
        from holdfast_orchestrator.deploy.shard.crash_recovery import finish_what_was_left  # noqa: PLC0415 - rarely needed

        recorded = look(leased)
        refuse_another_app(leased, recorded)
        recorded = finish_what_was_left(leased, recorded, destroying=self._intent.destroy)
        refuse_strange_state(leased, recorded)
        if self._intent.back is None:
            refuse_full_disk(leased, recorded)
        if recorded.locked:
            release_our_lock(leased)
        if self._intent.back is not None:
            from holdfast_orchestrator.deploy.shard.manual_rollback import way_back  # noqa: PLC0415 - rarely needed

            back = way_back(leased, recorded, self._intent.back)
            self._purpose, self._back_to = back.purpose, back.to
            leased = replace(leased, shard=back.shard)
        return self._go(leased, recorded)

    def _go(self, leased: LeasedShard, recorded: RecordedShard) -> ShardResult:
        """Plan, and deploy where there is something to do."""
        snapshot = recorded.snapshot()
        kept = self._still_shown(leased, snapshot)
        if self._nothing_to_do(snapshot, kept) and not self._may_be_ill(leased, recorded):
            return self._unchanged(snapshot)
        judged = self._planned(leased, recorded, kept)
        if judged is None:
            return self._unchanged(snapshot)
        refuse_findings(judged.findings)
        self._go_on()
        if self._deploys:
            from holdfast_orchestrator.deploy.phases.held_removals import held_back  # noqa: PLC0415 - only after a plan

            held = held_back(leased, recorded, judged.made.raw, followers=self._intent.followers)
            if held is not None:
                return self._keep_for_others(leased, recorded, judged, held)
        return self._launch(leased, recorded, judged)

    def _planned(
        self, leased: LeasedShard, recorded: RecordedShard, kept: ShardPlan | None
    ) -> JudgedPlan | None:
        """The judged plan; None where it changes nothing, and so what is deployed is good."""
        may_be_ill = self._may_be_ill(leased, recorded)
        has_plan = kept is not None and kept.content is not None
        # What the plan is about to read of others.
        inputs = None
        if not has_plan and not self._intent.destroy:
            inputs = upstream_stamps(leased, json.loads(leased.shard.configuration))
        task = self._task(recorded, kept if has_plan else None, judges_empty=may_be_ill)
        if self._deploys:
            task = replace(task, reading=leased.reading())
        judged = plan_shard(leased, task)
        if not judged.made.document.is_empty or self._intent.destroy or may_be_ill:
            return judged
        snapshot = recorded.snapshot()
        if snapshot is not None:
            from holdfast_orchestrator.deploy.shard.start import keep_as_good  # noqa: PLC0415 - only after a plan

            proven = None if inputs is None else VerifiedInputs(inputs=inputs, state=snapshot.etag)
            keep_as_good(leased, recorded, judged, proven)
        return None

    def _task(self, recorded: RecordedShard, kept: ShardPlan | None, *, judges_empty: bool) -> PlanTask:
        """What the plan is for."""
        intent, policy = self._intent, self._run_context.policy
        good = recorded.good_record if self._deploys else None
        return PlanTask(
            snapshot=recorded.snapshot(),
            turn=Turn(
                handover=intent.handover,
                destroy=intent.destroy,
                back_to=self._back_to,
                record=recorded.record,
            ),
            agreement=Agreement(allowed=intent.allowed, adopt=policy.adopt, redeploy=policy.redeploy),
            good=lambda: good,
            shown=None if intent.shown is None else intent.shown.document,
            kept=kept,
            judges_empty=judges_empty or intent.destroy,
            on_document=self._builder.planned,
        )

    @property
    def _deploys(self) -> bool:
        """Whether the app's own version is deployed: nothing is destroyed or gone back to."""
        return not self._intent.destroy and self._intent.back is None

    def _unchanged(self, snapshot: StateSnapshot | None) -> ShardResult:
        return self._builder.good(Outcome.UNCHANGED, serial=snapshot.serial if snapshot else None)

    def _keep_for_others(
        self, leased: LeasedShard, recorded: RecordedShard, judged: JudgedPlan, held: "HeldBack"
    ) -> ShardResult:
        """Deploy everything but what others still need; the gates have judged all of it."""
        from holdfast_orchestrator.deploy.shard.start import refuse_irreversible  # noqa: PLC0415 - only after a plan

        refuse_irreversible(leased, recorded, judged)
        leased.say(held.words)
        self._builder.put_off, self._builder.waits_for = held.bridge.kept, held.readers
        leased = replace(leased, shard=held.shard(leased.shard))
        rest = self._planned(leased, recorded, None)
        if rest is None:
            return self._unchanged(recorded.snapshot())
        return self._launch(leased, recorded, rest)

    def _may_be_ill(self, leased: LeasedShard, recorded: RecordedShard) -> bool:
        """Whether what is deployed was never found healthy: a deploy that failed has left it."""
        if self._intent.destroy or not leased.shard.health_checks or recorded.stored is None:
            return False
        return recorded.good is None or recorded.leftovers != Leftovers()

    def _launch(self, leased: LeasedShard, recorded: RecordedShard, judged: JudgedPlan) -> ShardResult:
        from holdfast_orchestrator.deploy.shard.start import launch  # noqa: PLC0415 - only with something to apply

        launched = launch(leased, recorded, judged, purpose=self._purpose, builder=self._builder)
        return self._builder.launched(launched)

    def _still_shown(self, leased: LeasedShard, snapshot: StateSnapshot | None) -> ShardPlan | None:
        """The plan that was looked at, where nothing it was made from has changed."""
        shown = self._intent.still_holds(leased.shard, snapshot)
        if shown is None:
            return None
        upstreams = Upstreams(manifest=self._run.manifest, tools=self._run.tools)
        return shown if shown.inputs == upstreams.digests(leased.shard) else None

    def _nothing_to_do(self, snapshot: StateSnapshot | None, shown: ShardPlan | None) -> bool:
        if self._intent.destroy:
            return snapshot is None or not snapshot.manages_something
        return shown is not None and shown.document is not None and shown.document.is_empty

    def _go_on(self) -> None:
        if self._run.stop.asked:
            raise InterruptedSafelyError(INTERRUPTED)


@contextmanager
def at_work(
    shard: Shard, run: Run, run_context: RunContext, *, doing: str, heeds_stop: bool = True
) -> Iterator[LeasedShard]:
    """Hold the shard's folder on this machine and its lease in the bucket, and yield the leased shard.

    With `heeds_stop`, waiting for the lease, or for a Terraform that a dead run left running, ends with
    InterruptedSafelyError once the run is asked to stop.
    """
    store = run.tools.store(shard)
    claim = Claim(folder=shard.state.folder, run=run.id, owner=str(run_context.actor), doing=doing)

    def wait_for(holder: LeaseRecord) -> None:
        run.emit(
            Notice(shard=shard.name, message=f"{run.label(shard.name)} waits: held by {holder.described}")
        )

    with (
        run.tools.folder(shard),
        run_context.leases(store).take(
            claim,
            wait=run_context.policy.lease_wait,
            on_wait=wait_for,
            operator=run_context.policy.operator,
            stopped=lambda: heeds_stop and run.stop.asked,
        ) as lease,
    ):
        leased = LeasedShard(
            shard=shard, run=run, run_context=run_context, store=store, lease=lease, heeds_stop=heeds_stop
        )
        try:
            yield leased
        except EngineError:
            # A Terraform that was killed while it planned leaves its lock.
            with suppress(HoldfastError):
                release_our_lock(leased)
            raise
        finally:
            # A plan that was not applied must not lie where it could be.
            for plan in run.tools.workdir(shard).glob("*.tfplan"):
                plan.unlink(missing_ok=True)
