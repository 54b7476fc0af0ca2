"""`Project.adopt`: take over a state that another tool keeps, after showing what that would do."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_orchestrator.api.app import App, only_shard
from holdfast_orchestrator.api.buckets import open_bucket
from holdfast_orchestrator.api.by_hand import ByHand, find_person
from holdfast_orchestrator.app.manifest import Shard, StateLocation
from holdfast_orchestrator.app.selection import Names
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.events import Listener, ignore

if TYPE_CHECKING:
    # What reads and writes states takes long to import, so it is imported where it is used.
    from holdfast_orchestrator.state_admin.adopt import Proposal
    from holdfast_orchestrator.state_admin.adoption import Adoption
    from holdfast_orchestrator.state_admin.sources import Source

_OBJECT = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.*[^/])")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://")


@dataclass(frozen=True, kw_only=True)
class AdoptingApp(App):
    """An app that can take over states from other tools."""

    def adopt(
        self,
        stack: str,
        source: str | Path,
        *,
        env: Names = (),
        yes: bool = False,
        command: str = "",
        on_event: Listener = ignore,
    ) -> "Adoption":
        """Show what it would do to take over the state at `source` for `stack`; with `yes`, do it.

        `source` is a state file or `s3://BUCKET/KEY`. Without `yes` nothing is changed, and the answer has
        the next plan. `command` is the command line for the records. Raises as `state_admin.adopt.propose`
        and `carry_out` do, and UsageError if `stack` does not name one shard.
        """
        from holdfast_orchestrator.state_admin.adopt import propose  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.state_admin.adopt_way import Wanted  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.adoption import Adoption  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.preview import preview  # noqa: PLC0415

        manifest = self.synth(env=env, on_event=on_event)
        shard = only_shard(stack, manifest, env)
        store = self._tools.store(shard)
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
            plan = preview(shard, proposal.content, self.run(manifest, on_event=on_event))
            return Adoption(shard=shard, proposal=proposal, preview=plan)
        return self._adopted(proposal, command=command, on_event=on_event)

    def _adopted(self, proposal: "Proposal", *, command: str, on_event: Listener) -> "Adoption":
        from holdfast_orchestrator.state_admin.adopt import carry_out  # noqa: PLC0415 - when it runs
        from holdfast_orchestrator.state_admin.adoption import Adoption  # noqa: PLC0415

        shard, place = proposal.wanted.shard, proposal.wanted.source.place
        tell = self.teller(on_event)
        by_hand = ByHand.of(
            self.runtime,
            find_person(self.runtime, self._tools, region=shard.region, cloud=shard.cloud),
            proposal.wanted.store,
            on_warning=tell,
            action="adopt",
            command=command or f"adopt {shard.name} --from {shlex.quote(place)}",
            environments=(shard.environment,),
            services=(shard.service,),
            shards=(shard.name,),
            outcomes={shard.name: ""},
        )
        done = by_hand.carry_out(
            lambda adopter: carry_out(proposal, adopter, on_step=tell),
            outcome="adopted",
            shown=lambda _: [f"{place}: serial {proposal.given.serial}, {proposal.objects} objects"],
        )
        return Adoption(shard=shard, proposal=proposal, done=done)

    def _source(self, source: str | Path, shard: Shard) -> "Source":
        from holdfast_orchestrator.state_admin.sources import FileSource, ObjectSource  # noqa: PLC0415

        text = str(source)
        if (s3_object := _OBJECT.fullmatch(text)) is not None:
            bucket, key = s3_object["bucket"], s3_object["key"]
            location = StateLocation(bucket=bucket, key=key, region=shard.state.region)
            return ObjectSource(open_bucket(self.runtime, self._tools, location, shard.cloud), bucket, key)
        if _URL.match(text):
            raise UsageError(
                f"--from takes a state file or s3://BUCKET/KEY, got {text!r}",
                next_step="pull the state first: terraform state pull > state.tfstate; then: "
                "holdfast … --from state.tfstate",
            )
        return FileSource((self.runtime.cwd / text).absolute())
