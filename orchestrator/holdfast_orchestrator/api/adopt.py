"""`Project.adopt`: take over a state that another tool keeps, after a look at what that would do."""

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_orchestrator.api.app import App
from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.app.selection import Names, select
from holdfast_orchestrator.errors import HoldfastError, UsageError
from holdfast_orchestrator.events import Listener, Notice, ignore
from holdfast_orchestrator.state_admin.adoption import Adoption

if TYPE_CHECKING:
    from holdfast_orchestrator.state.s3 import S3Store
    from holdfast_orchestrator.state_admin.adopt import Proposal
    from holdfast_orchestrator.state_admin.operator import Operator
    from holdfast_orchestrator.state_admin.sources import Source

_OBJECT = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.*[^/])")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://")


@dataclass(frozen=True, kw_only=True)
class AdoptingApp(App):
    """An app whose stacks' states can be taken over."""

    def adopt(
        self,
        stack: str,
        source: str | Path,
        *,
        env: Names = (),
        yes: bool = False,
        command: str = "",
        on_event: Listener = ignore,
    ) -> Adoption:
        """Look at what taking the state at `source` over into `stack`'s place would do; with `yes`, do it.

        `source` is a state file or `s3://BUCKET/KEY`. Without `yes` nothing is changed, and the plan that
        would come next is in the answer. `command` is what the records say was called. Raises as
        `state_admin.adopt.propose` and `carry_out` do, and UsageError where `stack` does not name one shard.
        """
        from holdfast_orchestrator.state_admin.adopt import propose  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.state_admin.adopt_way import Wanted  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.preview import preview  # noqa: PLC0415

        manifest = self.synth(env=env, on_event=on_event)
        shard = _only(stack, manifest, env)
        tools = self._tools
        store = tools.store(shard)
        store.check()
        wanted = Wanted(
            shard=shard,
            manifest=manifest,
            source=self._source(source, shard),
            store=store,
            project=self.file.own_id,
        )
        proposal = propose(wanted)
        if not yes:
            looked = preview(shard, proposal.content, self.run(manifest, on_event=on_event))
            return Adoption(shard=shard, proposal=proposal, preview=looked)
        return self._adopted(proposal, command=command, on_event=on_event)

    def _adopted(self, proposal: "Proposal", *, command: str, on_event: Listener) -> Adoption:
        from holdfast_orchestrator.record.actor import aws_caller, find_actor  # noqa: PLC0415
        from holdfast_orchestrator.run_id import new_run_id  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.state_admin.adopt import carry_out  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.operator import Operator  # noqa: PLC0415

        shard, emit = proposal.wanted.shard, self._emitter(on_event)
        environ = self._tools.environ(shard.cloud)
        actor = find_actor(
            self.runtime, aws_caller=lambda: aws_caller(self.runtime, region=shard.region, environ=environ)
        )
        adopter = Operator(runtime=self.runtime, actor=actor, run=new_run_id(self.runtime.clock.now()))
        try:
            done = carry_out(proposal, adopter, on_step=lambda step: emit(Notice(message=step)))
        except HoldfastError as error:
            self._recorded(proposal, adopter, command, outcome="failed", output=str(error))
            raise
        said = f"{proposal.wanted.source.place}: serial {proposal.given.serial}, {proposal.objects} objects"
        warned = self._recorded(proposal, adopter, command, outcome="adopted", output=said)
        if warned:
            emit(Notice(message=f"not written into the audit trail: {warned}"))
        return Adoption(shard=shard, proposal=proposal, done=done)

    def _recorded(
        self, proposal: "Proposal", adopter: "Operator", command: str, *, outcome: str, output: str
    ) -> str | None:
        """Write the action into the audit trail. What was done stays done where that fails: returns why."""
        from holdfast_orchestrator.record.audit.by_hand import add_by_hand  # noqa: PLC0415
        from holdfast_orchestrator.record.audit.entry import Action  # noqa: PLC0415 - when it runs

        wanted = proposal.wanted
        done = replace(
            Action.of(adopter.actor, run=adopter.run, action="adopt", at=self.runtime.clock.now()),
            command=command or f"adopt {wanted.shard.name} --from {shlex.quote(wanted.source.place)}",
            environments=(wanted.shard.environment,),
            services=(wanted.shard.service,),
            shards=(wanted.shard.name,),
            outcome=outcome,
            outcomes={wanted.shard.name: outcome},
            output=output,
        )
        return add_by_hand(wanted.store, self.runtime, done)

    def _source(self, source: str | Path, shard: Shard) -> "Source":
        from holdfast_orchestrator.state_admin.sources import FileSource, ObjectSource  # noqa: PLC0415

        text = str(source)
        found = _OBJECT.fullmatch(text)
        if found is not None:
            return ObjectSource(
                self._store_of(found["bucket"], found["key"], shard), found["bucket"], found["key"]
            )
        if _URL.match(text):
            raise UsageError(
                f"--from takes a state file or s3://BUCKET/KEY, got {text!r}",
                next_step="pull the state first: terraform state pull > state.tfstate; then "
                "--from state.tfstate",
            )
        return FileSource((self.runtime.cwd / text).absolute())

    def _store_of(self, bucket: str, key: str, shard: Shard) -> "S3Store":
        from holdfast_orchestrator.state.s3 import S3Store  # noqa: PLC0415 - when it runs

        environ = self._tools.environ(shard.cloud)
        client = self.runtime.aws.client("s3", region=shard.state.region, environ=environ)
        location = StateLocation(bucket=bucket, key=key, region=shard.state.region)
        return S3Store(client, location, cloud=shard.cloud)


def _only(stack: str, manifest: Manifest, env: Names) -> Shard:
    shards = select(env=env, stack=stack).of(manifest)
    exact = tuple(shard for shard in shards if shard.name == stack)
    if len(exact) == 1:
        return exact[0]
    if len(shards) != 1:
        names = ", ".join(shard.name for shard in shards)
        raise UsageError(f"{stack!r} must name one shard, got {names}", next_step="holdfast list")
    return shards[0]
