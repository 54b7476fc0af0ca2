"""Deploy or destroy one shard, under its lease: look, plan, pass the gates, then let the machine work.

In goes a shard and what was shown and allowed; out comes a result, whatever happens: an error of any
step is the shard's outcome and nobody else's. What a plan finds unchanged costs a lease and a plan, and
writes neither journal nor backup.
"""

import json
from collections.abc import Iterator, Mapping
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
from holdfast_orchestrator.deploy.shard.planned import Planned
from holdfast_orchestrator.deploy.shard.result import INTERRUPTED, ResultBuilder
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import deploy_command
from holdfast_orchestrator.deploy.work.preflight import (
    RecordedShard,
    look,
    refuse_another_app,
    refuse_full_disk,
    refuse_strange_state,
)
from holdfast_orchestrator.deploy.work.purpose import Purpose
from holdfast_orchestrator.deploy.work.terraform_locks import release_our_lock
from holdfast_orchestrator.errors import (
    EngineError,
    GateError,
    HoldfastError,
    InterruptedSafelyError,
    MachineError,
)
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.gate.adopted import refuse_unknown_instance
from holdfast_orchestrator.gate.base import Finding, Proposal
from holdfast_orchestrator.gate.gates import pass_gates
from holdfast_orchestrator.gate.rejected import rejected_version
from holdfast_orchestrator.gate.takeover import adoptions, takeovers
from holdfast_orchestrator.ownership.settle import Settled, Turn, settle_ownership
from holdfast_orchestrator.plan.looks import look_by_import
from holdfast_orchestrator.plan.result import ShardPlan
from holdfast_orchestrator.plan.shard import MadePlan, holdings_for, make_plan
from holdfast_orchestrator.record.fingerprint import ObjectStamp
from holdfast_orchestrator.record.state_record import Leftovers, StateRecord
from holdfast_orchestrator.state.lease import Claim
from holdfast_orchestrator.state.lease_record import LeaseRecord
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.system.private_files import write_private
from holdfast_orchestrator.terraform.import_ids import with_imports
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.ownership import Sighting, Sightings
from holdfast_orchestrator.terraform.plan import read_plan
from holdfast_orchestrator.terraform.references import declares

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.phases.held_removals import HeldBack

_KEPT_PLAN = "kept.tfplan"


class ShardDeploy:
    """One shard's way through the steps."""

    def __init__(self, shard: Shard, run: Run, intent: Intent, run_context: RunContext) -> None:
        self._shard = shard
        self._run = run
        self._intent = intent
        self._run_context = run_context
        self._builder = ResultBuilder(shard=shard, run=run)
        self._purpose = Purpose(verb="destroy" if intent.destroy else "deploy")

    def result(self) -> ShardResult:
        """Go through the steps and say how it ended."""
        began = self._run.clock.monotonic()
        try:
            ended = self._steps()
        except HoldfastError as error:
            ended = self._builder.stopped(error)
        except Exception as error:
            refused = MachineError.behind(error)
            if refused is None:
                raise
            ended = self._builder.stopped(refused)
        return replace(ended, seconds=self._run.clock.monotonic() - began)

    def _steps(self) -> ShardResult:
        self._go_on()
        if not self._intent.destroy and self._intent.back is None:
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
        refuse_full_disk(leased, recorded)
        if recorded.locked:
            release_our_lock(leased)
        return self._go(leased, recorded)

    def _go(self, leased: LeasedShard, recorded: RecordedShard) -> ShardResult:
        """Plan, and deploy where there is something to do."""
        snapshot = recorded.snapshot()
        shown = self._still_shown(snapshot)
        if self._nothing_to_do(snapshot, shown) and not self._may_be_ill(recorded):
            return self._builder.good(Outcome.UNCHANGED, serial=snapshot.serial if snapshot else None)
        inputs = self._inputs(leased)
        planned = self._plan(leased, snapshot, inputs, shown)
        if self._run_context.policy.adopt and not self._intent.destroy:
            planned = self._adopting(leased, planned, snapshot)
        self._builder.document = planned.document
        if planned.document.is_empty and not self._intent.destroy and not self._may_be_ill(recorded):
            self._keep_as_good(leased, recorded, snapshot, planned)
            return self._builder.good(Outcome.UNCHANGED, serial=snapshot.serial if snapshot else None)
        settled = self._settled(leased, recorded, planned)
        planned = Planned(settled.made, settled.terraform, planned.inputs)
        if self._intent.back is None and not self._intent.destroy:
            good = None if recorded.good is None else recorded.good.record
            if rejected := rejected_version(good, leased.shard, self._run_context.policy.redeploy):
                raise GateError(rejected.what, next_step=rejected.next_step)
        pass_gates(self._proposal(), () if self._intent.destroy else self._takeovers(planned))
        self._go_on()
        if not self._intent.destroy and self._intent.back is None:
            from holdfast_orchestrator.deploy.phases.held_removals import held_back  # noqa: PLC0415 - only after a plan

            held = held_back(leased, recorded, planned.made.raw, followers=self._intent.followers)
            if held is not None:
                return self._keep_for_others(leased, recorded, planned, held)
        return self._deploy(leased, recorded, settled)

    def _settled(self, leased: LeasedShard, recorded: RecordedShard, planned: Planned) -> Settled:
        """The plan in which everything belongs to this shard."""
        record = None if recorded.kept is None else recorded.kept.record
        made, terraform = planned.made, planned.terraform
        settled = settle_ownership(
            leased, made, terraform, snapshot=recorded.snapshot(), turn=self._turn(record)
        )
        self._builder.document = settled.document
        return settled

    def _turn(self, record: StateRecord | None) -> Turn:
        """What the plan is for."""
        return Turn(handover=self._intent.handover, destroy=self._intent.destroy, record=record)

    def _keep_for_others(
        self, leased: LeasedShard, recorded: RecordedShard, planned: Planned, held: "HeldBack"
    ) -> ShardResult:
        """Deploy everything but what others still need; the gates have judged all of it."""
        from holdfast_orchestrator.deploy.shard.start import refuse_irreversible  # noqa: PLC0415 - only after a plan

        refuse_irreversible(leased, recorded, planned.made, planned.terraform)
        leased.say(held.words)
        self._builder.put_off, self._builder.waits_for = held.bridge.kept, held.readers
        self._shard = held.shard(self._shard)
        leased = replace(leased, shard=self._shard)
        snapshot = recorded.snapshot()
        planned = self._plan(leased, snapshot, self._inputs(leased), None)
        self._builder.document = planned.document
        if planned.document.is_empty and not self._may_be_ill(recorded):
            self._keep_as_good(leased, recorded, snapshot, planned)
            return self._builder.good(Outcome.UNCHANGED, serial=snapshot.serial if snapshot else None)
        return self._deploy(leased, recorded, self._settled(leased, recorded, planned))

    def _adopting(self, leased: LeasedShard, planned: Planned, snapshot: StateSnapshot | None) -> Planned:
        """Plan again, with an import block for each object that is to be taken over."""
        made, adopt = planned.made, self._run_context.policy.adopt
        self._refuse_unknown_instance(made, snapshot)
        blocks = adoptions(made.raw, made.watched, self._shard, adopted=adopt)
        if not blocks:
            return planned
        for block in blocks:
            leased.say(f"{block.address} takes over {block.import_id}, as was asked for")
        terraform = leased.bare_terraform(with_imports(json.loads(self._shard.configuration), blocks))
        with self._run.stop.interrupting(terraform.cancel):
            made = make_plan(terraform, self._shard, self._run, snapshot=snapshot)
        return Planned(replace(made, imports=blocks), terraform, planned.inputs)

    def _refuse_unknown_instance(self, made: MadePlan, snapshot: StateSnapshot | None) -> None:
        configuration = json.loads(self._shard.configuration)
        mine = [one for one in self._run_context.policy.adopt if declares(configuration, one)]
        there = managed({} if snapshot is None else snapshot.document)
        known = {address for address, _, _ in there}.union(change.address for change in read_plan(made.raw))
        refuse_unknown_instance(mine, known, self._shard)

    def _takeovers(self, planned: Planned) -> tuple[Finding, ...]:
        """What the plan would take over without anybody having asked for it."""
        made, adopt = planned.made, self._run_context.policy.adopt
        return tuple(takeovers(made.raw, made.watched, self._shard, adopted=adopt))

    def _may_be_ill(self, recorded: RecordedShard) -> bool:
        """Whether what is deployed was never found healthy: a deploy that failed has left it."""
        if self._intent.destroy or not self._shard.health_checks or recorded.stored is None:
            return False
        return recorded.good is None or (
            recorded.kept is not None and recorded.kept.record.leftovers != Leftovers()
        )

    def _deploy(self, leased: LeasedShard, recorded: RecordedShard, settled: Settled) -> ShardResult:
        from holdfast_orchestrator.deploy.shard.start import launch  # noqa: PLC0415 - only with something to apply

        launched = launch(leased, recorded, settled, purpose=self._purpose, builder=self._builder)
        return self._builder.launched(launched)

    def _keep_as_good(
        self, leased: LeasedShard, recorded: RecordedShard, snapshot: StateSnapshot | None, planned: Planned
    ) -> None:
        from holdfast_orchestrator.deploy.shard.start import keep_as_good  # noqa: PLC0415 - only after a plan

        if snapshot is None:
            return
        keep_as_good(leased, recorded, snapshot, planned)

    def _still_shown(self, snapshot: StateSnapshot | None) -> ShardPlan | None:
        """The plan that was looked at, where nothing it was made from has changed."""
        shown = self._intent.still_holds(self._shard, snapshot)
        if shown is None:
            return None
        upstreams = Upstreams(manifest=self._run.manifest, tools=self._run.tools)
        return shown if shown.inputs == upstreams.digests(self._shard) else None

    def _nothing_to_do(self, snapshot: StateSnapshot | None, shown: ShardPlan | None) -> bool:
        if self._intent.destroy:
            return snapshot is None or not snapshot.manages_something
        return shown is not None and shown.document is not None and shown.document.is_empty

    def _inputs(self, leased: LeasedShard) -> Mapping[str, ObjectStamp | None] | None:
        """What the plan is about to read of others."""
        if self._intent.destroy:
            return None
        return upstream_stamps(leased, json.loads(leased.shard.configuration))

    def _plan(
        self,
        leased: LeasedShard,
        snapshot: StateSnapshot | None,
        inputs: Mapping[str, ObjectStamp | None] | None,
        shown: ShardPlan | None,
    ) -> Planned:
        terraform = leased.bare_terraform()
        with self._run.stop.interrupting(terraform.cancel):
            if shown is None or shown.content is None:
                made = make_plan(
                    terraform, self._shard, self._run, snapshot=snapshot, destroy=self._intent.destroy
                )
                return Planned(made, terraform, inputs)
            leased.step("initialising")
            terraform.init()
            file = terraform.workdir / _KEPT_PLAN
            write_private(file, shown.content)
            raw = terraform.show_plan(file)
        assert shown.document is not None  # noqa: S101 - still_holds
        watched = Sightings()
        watched.add(Sighting.of(one) for one in shown.seen)
        if not shown.guarded:
            # Nothing guards the creates: what was seen may be long ago.
            watched = look_by_import(terraform, self._shard, raw, holdings_for(self._shard, snapshot))
        made = MadePlan(file=file, state=shown.state, raw=raw, document=shown.document, watched=watched)
        return Planned(made, terraform)

    def _proposal(self) -> Proposal:
        shown = self._intent.shown
        return Proposal(
            shard=self._shard,
            document=self._builder.document,
            allowed=self._intent.allowed,
            shown=None if shown is None else shown.document,
        )

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
