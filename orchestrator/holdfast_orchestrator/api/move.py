"""`Project.move`: move objects from one stack's state to another's, after showing what that would do."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.api.adopt import AdoptingApp
from holdfast_orchestrator.api.app import only_shard
from holdfast_orchestrator.api.by_hand import ByHand, find_person
from holdfast_orchestrator.app.manifest import Manifest, Shard, by_bucket
from holdfast_orchestrator.app.selection import Names, names_of
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.events import Listener, ignore

if TYPE_CHECKING:
    from holdfast_orchestrator.plan.result import ShardPlan
    from holdfast_orchestrator.state_admin.move_result import Moved


@dataclass(frozen=True, kw_only=True)
class MovingApp(AdoptingApp):
    """An app that can move objects between its stacks."""

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
    ) -> "Moved":
        """Show what it would do to move objects of stack `source` to stack `target`; with `yes`, do it.

        All objects of a `source` that is no longer in the app move. Of a stack in the app, the objects at
        `addresses` move, by default those that only `target` declares. Only the states change. Raises as
        `state_admin.move.propose` and `carry_out` do, and UsageError if a name does not fit.
        """
        from holdfast_orchestrator.state_admin.move import Wanted, propose  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.state_admin.move_result import Moved  # noqa: PLC0415

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

    def _plans(self, moved: "Moved", manifest: Manifest, on_event: Listener) -> "tuple[ShardPlan, ...]":
        """Plan both stacks with the states that they get, or got."""
        from holdfast_orchestrator.state_admin.preview import preview  # noqa: PLC0415 - when it runs

        run, proposal = self.run(manifest, on_event=on_event), moved.proposal
        sides = ((proposal.target, moved.target_in_app), (proposal.source, moved.source_in_app))
        return tuple(preview(side.shard, side.content, run) for side, in_app in sides if in_app)

    def _receiver(self, source: str, name: str, manifest: Manifest, env: Names) -> tuple[Shard, bool]:
        """Return the shard, from the app or else from an unfinished move, and whether the app has it."""
        from holdfast_orchestrator.record.begun_moves import begun_move  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.record.shard_record import shard_of  # noqa: PLC0415

        try:
            return manifest.by_name.get(name) or only_shard(name, manifest, env), True
        except UsageError:
            for first, *_ in by_bucket(manifest.shards):
                begun = begun_move(self._tools.store(first), source, name, names_of(env))
                if begun is not None:
                    return shard_of(begun.target), False
            raise

    def _giver(self, name: str, manifest: Manifest, to: Shard, on_event: Listener) -> tuple[Shard, bool]:
        """Return the shard, from the app or else from its last deployment, and whether the app has it."""
        from holdfast_orchestrator.change_detection.retired import find_retired  # noqa: PLC0415
        from holdfast_orchestrator.record.shard_record import shard_of  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.record.state_record import read_state_record  # noqa: PLC0415

        try:
            env = (to.environment,)
            return manifest.by_name.get(name) or only_shard(name, manifest, env), True
        except UsageError:
            kept = read_state_record(self._tools.store(to), to.state.folder)
            begun = None if kept is None else kept.record.moving
            if begun is not None and begun.source["name"] == name:
                return shard_of(begun.source), False
            run = self.run(manifest, on_event=on_event)
            retired = {stack.shard.name: stack.shard for stack in find_retired(run)}
            if name in retired:
                return retired[name], False
            gone = ", ".join(sorted(retired)) or "none"
            raise UsageError(
                f"there is no stack {name!r}; removed from the app, and still there: {gone}",
                next_step="holdfast list",
            ) from None

    def _moved(self, moved: "Moved", *, command: str, on_event: Listener) -> "Moved":
        from holdfast_orchestrator.state_admin.move_writes import carry_out  # noqa: PLC0415 - when it runs

        names, target = (moved.source.name, moved.target.name), moved.target
        tell = self.teller(on_event)
        by_hand = ByHand.of(
            self.runtime,
            find_person(self.runtime, self._tools, region=target.region, cloud=target.cloud),
            moved.proposal.wanted.store,
            on_warning=tell,
            action="move",
            command=command or shlex.join(("move", *names)),
            environments=(target.environment,),
            services=tuple(sorted({moved.source.service, target.service})),
            shards=names,
            outcomes=dict.fromkeys(names, ""),
        )
        done = by_hand.carry_out(
            lambda mover: carry_out(moved.proposal, mover, on_step=tell),
            outcome="moved",
            shown=lambda _: [", ".join(sorted(moved.proposal.addresses))],
        )
        return replace(moved, done=done)
