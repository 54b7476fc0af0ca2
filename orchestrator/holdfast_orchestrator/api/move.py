"""`Project.move`: objects from one stack's state into another's, after a look at what that would do."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.api.adopt import AdoptingApp
from holdfast_orchestrator.app.manifest import Manifest, Shard, by_bucket
from holdfast_orchestrator.app.selection import Names, names_of, select
from holdfast_orchestrator.errors import HoldfastError, UsageError
from holdfast_orchestrator.events import Listener, Notice, ignore
from holdfast_orchestrator.state_admin.move_result import Moved

if TYPE_CHECKING:
    from holdfast_orchestrator.plan.result import ShardPlan
    from holdfast_orchestrator.state_admin.operator import Operator


@dataclass(frozen=True, kw_only=True)
class MovingApp(AdoptingApp):
    """An app whose stacks can hand objects to each other."""

    def move(
        self,
        source: str,
        target: str,
        *,
        addresses: Iterable[str] = (),
        env: Names = (),
        yes: bool = False,
        command: str = "",
        on_event: Listener = ignore,
    ) -> Moved:
        """Look at what moving objects of stack `source` to stack `target` would do; with `yes`, do it.

        `source` may be a stack that is not in the app any more: then everything it has moves. Without
        `addresses`, of a stack in the app moves what only `target` declares. Only the states change. Raises
        as `state_admin.move.propose` and `carry_out` do, and UsageError where a name does not fit.
        """
        from holdfast_orchestrator.state_admin.move import Wanted, propose  # noqa: PLC0415

        manifest = self.synth(env=env, on_event=on_event)
        to, kept_in_app = self._receiver(source, target, manifest, env)
        store = self._tools.store(to)
        store.check()
        giving, in_app = self._giver(source, manifest, to, on_event)
        proposal = propose(
            Wanted(
                source=giving,
                target=to,
                store=store,
                project=self.file.own_id,
                source_in_app=in_app,
                addresses=tuple(addresses),
            )
        )
        moved = Moved(
            source=giving,
            target=to,
            proposal=proposal,
            source_in_app=in_app,
            target_in_app=kept_in_app,
        )
        if yes:
            moved = self._moved(moved, command=command, on_event=on_event)
        return replace(moved, plans=self._plans(moved, manifest, on_event))

    def _plans(self, moved: Moved, manifest: Manifest, on_event: Listener) -> "tuple[ShardPlan, ...]":
        """What plans of the two do with the states that they get, or got."""
        from holdfast_orchestrator.state_admin.preview import preview  # noqa: PLC0415 - when it runs

        run, proposal = self.run(manifest, on_event=on_event), moved.proposal
        sides = ((proposal.target, moved.target_in_app), (proposal.source, moved.source_in_app))
        return tuple(preview(side.shard, side.content, run) for side, in_app in sides if in_app)

    def _receiver(self, source: str, name: str, manifest: Manifest, env: Names) -> tuple[Shard, bool]:
        """The shard of this name: of the app, or one of a move that did not end before it left the app."""
        from holdfast_orchestrator.record.begun_moves import begun_move  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.record.shard_record import shard_of  # noqa: PLC0415

        try:
            return _only(name, manifest, env), True
        except UsageError:
            for first, *_ in by_bucket(manifest.shards):
                begun = begun_move(self._tools.store(first), source, name, names_of(env))
                if begun is not None:
                    return shard_of(begun.target), False
            raise

    def _giver(self, name: str, manifest: Manifest, to: Shard, on_event: Listener) -> tuple[Shard, bool]:
        """The shard of this name: of the app, or one that was removed from it."""
        from holdfast_orchestrator.change_detection.retired import find_retired  # noqa: PLC0415
        from holdfast_orchestrator.record.shard_record import shard_of  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.record.state_record import read_state_record  # noqa: PLC0415

        try:
            return _only(name, manifest, (to.environment,)), True
        except UsageError:
            kept = read_state_record(self._tools.store(to), to.state.folder)
            begun = None if kept is None else kept.record.moving
            if begun is not None and begun.source["name"] == name:
                return shard_of(begun.source), False
            retired = {
                one.shard.name: one.shard for one in find_retired(self.run(manifest, on_event=on_event))
            }
            if name in retired:
                return retired[name], False
            gone = ", ".join(sorted(retired)) or "none"
            raise UsageError(
                f"there is no stack {name!r}; removed from the app, and still there: {gone}",
                next_step="holdfast list",
            ) from None

    def _moved(self, moved: Moved, *, command: str, on_event: Listener) -> Moved:
        from holdfast_orchestrator.record.actor import aws_caller, find_actor  # noqa: PLC0415
        from holdfast_orchestrator.run_id import new_run_id  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.state_admin.move_writes import carry_out  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.operator import Operator  # noqa: PLC0415

        shard, emit = moved.target, self._emitter(on_event)
        environ = self._tools.environ(shard.cloud)
        actor = find_actor(
            self.runtime, aws_caller=lambda: aws_caller(self.runtime, region=shard.region, environ=environ)
        )
        mover = Operator(runtime=self.runtime, actor=actor, run=new_run_id(self.runtime.clock.now()))
        try:
            done = carry_out(moved.proposal, mover, on_step=lambda step: emit(Notice(message=step)))
        except HoldfastError as error:
            self._move_recorded(moved, mover, command, outcome="failed", output=str(error))
            raise
        told = ", ".join(sorted(moved.proposal.addresses))
        warned = self._move_recorded(moved, mover, command, outcome="moved", output=told)
        if warned:
            emit(Notice(message=f"not written into the audit trail: {warned}"))
        return replace(moved, done=done)

    def _move_recorded(
        self, moved: Moved, mover: "Operator", command: str, *, outcome: str, output: str
    ) -> str | None:
        """Write the action into the audit trail. What was done stays done where that fails: returns why."""
        from holdfast_orchestrator.record.audit.by_hand import add_by_hand  # noqa: PLC0415
        from holdfast_orchestrator.record.audit.entry import Action  # noqa: PLC0415 - when it runs

        names = (moved.source.name, moved.target.name)
        done = replace(
            Action.of(mover.actor, run=mover.run, action="move", at=self.runtime.clock.now()),
            command=command or shlex.join(("move", *names)),
            environments=(moved.target.environment,),
            services=tuple(sorted({moved.source.service, moved.target.service})),
            shards=names,
            outcome=outcome,
            outcomes=dict.fromkeys(names, outcome),
            output=output,
        )
        return add_by_hand(moved.proposal.wanted.store, self.runtime, done)


def _only(stack: str, manifest: Manifest, env: Names) -> Shard:
    exact = [shard for shard in manifest.shards if shard.name == stack]
    if exact:
        return exact[0]
    shards = select(env=env, stack=stack).of(manifest)
    if len(shards) != 1:
        names = ", ".join(shard.name for shard in shards)
        raise UsageError(f"{stack!r} must name one shard, got {names}", next_step="holdfast list")
    return shards[0]
