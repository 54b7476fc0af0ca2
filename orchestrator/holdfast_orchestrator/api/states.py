"""The states of shards, from Python: their copies, putting one back, and what holds a shard.

    state = Project.load(".").states().of("orders-prod-eu-west-1")
    copy = state.copies().at(moment)
    proposal = state.propose_restore(copy)     # reads only
    print(proposal.diff.orphaned)
    state.restore(proposal)                    # does exactly that, or nothing

    held = state.held()
    state.unlock(held, held.removable[0])

On a machine without the app: `States.in_bucket("acme-state", region="eu-west-1").of("orders")`; the shard is
looked for among the states and the backups that lie there.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_orchestrator.api.buckets import BucketAccess, Cloud
from holdfast_orchestrator.errors import HoldfastError, UsageError
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import Shard, StateLocation
    from holdfast_orchestrator.context.tools import Tools
    from holdfast_orchestrator.record.actor import Actor
    from holdfast_orchestrator.record.audit.entry import Action
    from holdfast_orchestrator.state.copies import StateCopies, StateCopy
    from holdfast_orchestrator.state.object_store import DurableStore
    from holdfast_orchestrator.state_admin.restore import Restored, RestoreProposal, StatePlace
    from holdfast_orchestrator.state_admin.unlock import Held
    from holdfast_orchestrator.terraform.state_file import StateObject

# A state folder has four parts: service, account, region, environment.
_DEPTH = 4

Tell = Callable[[str], object]
"""Gets a sentence for people."""


def _ignore(_sentence: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class StateAddress:
    """Whose state lies where. `protected` are resource addresses; `project` is the app, where one asks."""

    shard: str
    service: str
    environment: str
    location: "StateLocation"
    cloud: Cloud
    project: str = ""
    protected: frozenset[str] = frozenset()
    open_store: "Callable[[], DurableStore]" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class ShardState:
    """The state of one shard."""

    runtime: Runtime
    address: StateAddress
    tools: "Tools" = field(repr=False)

    @property
    def shard(self) -> str:
        """The shard's name."""
        return self.address.shard

    @cached_property
    def place(self) -> "StatePlace":
        """Where the state lies."""
        from holdfast_orchestrator.state_admin.restore import StatePlace  # noqa: PLC0415 - when it is read
        from holdfast_orchestrator.terraform.stateful_types import Protection  # noqa: PLC0415

        location = self.address.location
        return StatePlace(
            shard=self.shard,
            store=self.address.open_store(),
            bucket=location.bucket,
            key=location.key,
            project=self.address.project,
            protection=Protection(addresses=self.address.protected),
        )

    @cached_property
    def actor(self) -> "Actor":
        """Who is asking."""
        from holdfast_orchestrator.record.actor import aws_caller, find_actor  # noqa: PLC0415

        region, environ = self.address.location.region, self.tools.environ(self.address.cloud)
        return find_actor(
            self.runtime, aws_caller=lambda: aws_caller(self.runtime, region=region, environ=environ)
        )

    def copies(self) -> "StateCopies":
        """Return the copies of the state: backups, and versions of the object itself.

        `all()` of it lists them, `named` and `at` choose one. All of them raise StateBucketError where the
        bucket is missing.
        """
        return self.place.copies

    def current(self) -> "StateObject":
        """Return what lies in the state's place now: whole, damaged, empty or nothing (its `condition`)."""
        from holdfast_orchestrator.terraform.state_file import read_state  # noqa: PLC0415 - when it is read

        stored = self.place.store.get(self.place.key)
        return read_state(self.place.key, None if stored is None else stored.body)

    def content(self, copy: "StateCopy | None" = None) -> bytes:
        """Return the bytes of a copy, or of the newest state; they hold every secret in it.

        Raises HoldfastError where there is no state, or the copy is gone or not what it says.
        """
        if copy is not None:
            return self.copies().read(copy)[1]
        stored = self.place.store.get(self.place.key)
        if stored is None:
            raise HoldfastError(
                f"{self.shard} has no state",
                next_step=f"to see what is left: holdfast state backups {shlex.quote(self.shard)}",
            )
        return stored.body

    def propose_restore(self, copy: "StateCopy") -> "RestoreProposal":
        """Say what putting this copy back would do; changes nothing.

        Raises GateError where it must not be done (a copy of another lineage, a shard of another app),
        NeedsPersonError where a move of the shard did not end.
        """
        from holdfast_orchestrator.state_admin.restore import propose  # noqa: PLC0415

        return propose(self.place, copy)

    def restore(
        self,
        proposal: "RestoreProposal",
        *,
        command: str = "",
        on_step: Tell = _ignore,
        on_warning: Tell = _ignore,
    ) -> "Restored":
        """Put the copy back as it was proposed, and write that into the audit trail, also where it fails.

        `command` is what the trail says was called. `on_step` is told what is done, `on_warning` where the
        trail could not be written: what was done stays done. Raises LeasedError where somebody is at work
        on the shard, NeedsPersonError where the state is no longer the one that was compared.
        """
        from holdfast_orchestrator.report.state_text import proposal_lines, restored_lines  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.operator import Operator  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.restore import carry_out  # noqa: PLC0415

        action = self._action("restore", command)
        restorer = Operator(runtime=self.runtime, actor=self.actor, run=action.run)
        lines = list(proposal_lines(proposal))
        try:
            restored = carry_out(proposal, restorer, on_step=on_step)
        except HoldfastError as error:
            self._record(replace(action, outcome="failed"), [*lines, str(error)], on_warning)
            raise
        lines += restored_lines(proposal, restored)
        self._record(replace(action, outcome="restored"), lines, on_warning)
        return restored

    def held(self) -> "Held":
        """Return what holds the shard: Terraform's lock, a lease, or nothing. Changes nothing."""
        from holdfast_orchestrator.state_admin.unlock import look  # noqa: PLC0415

        return look(self.place)

    def unlock(self, held: "Held", id_: str, *, command: str = "", on_warning: Tell = _ignore) -> str:
        """Remove what has this id (of `held.removable`), if it is still what was looked at.

        Returns what it was, in words, and writes that into the audit trail, also where it is refused.
        `command` and `on_warning` are as for `restore`. Raises LeasedError where somebody is at work,
        UsageError for an id that was not shown.
        """
        from holdfast_orchestrator.state_admin.unlock import let_go  # noqa: PLC0415

        action, lines = self._action("unlock", command), list(held.lines())
        try:
            removed = let_go(held, id_, self.runtime, why=f"by {self.actor}")
        except HoldfastError as error:
            self._record(replace(action, outcome="refused"), [*lines, str(error)], on_warning)
            raise
        self._record(replace(action, outcome="removed"), [*lines, f"removed: {removed}"], on_warning)
        return removed

    def _action(self, verb: str, command: str) -> "Action":
        """What the audit trail says of an action that begins now, but for how it ended."""
        from holdfast_orchestrator.record.audit.entry import Action  # noqa: PLC0415
        from holdfast_orchestrator.run_id import new_run_id  # noqa: PLC0415

        now = self.runtime.clock.now()
        return replace(
            Action.of(self.actor, run=new_run_id(now), action=verb, at=now),
            command=command or f"state {verb} {shlex.quote(self.shard)}",
            environments=(self.address.environment,),
            services=(self.address.service,),
            shards=(self.shard,),
        )

    def _record(self, action: "Action", lines: Sequence[str], on_warning: Tell) -> None:
        """Write an action that has ended into the audit trail; tell `on_warning` where that fails."""
        from holdfast_orchestrator.record.audit.by_hand import add_by_hand  # noqa: PLC0415

        ended = replace(action, at=self.runtime.clock.now(), output="\n".join(lines))
        unwritten = add_by_hand(self.place.store, self.runtime, ended)
        if unwritten is not None:
            on_warning(f"not written into the audit trail: {unwritten}")


@dataclass(frozen=True, kw_only=True)
class States:
    """The states of an app, or those that lie in a bucket."""

    runtime: Runtime
    addresses: tuple[StateAddress, ...]
    tools: "Tools" = field(repr=False)

    @classmethod
    def of_app(cls, shards: "Sequence[Shard]", *, project: str, tools: "Tools", runtime: Runtime) -> "States":
        """Return the states of an app's shards; `project` is the app's own name."""
        addresses = (
            StateAddress(
                shard=shard.name,
                service=shard.service,
                environment=shard.environment,
                location=shard.state,
                cloud=shard.cloud,
                project=project,
                protected=frozenset(shard.protected),
                open_store=partial(tools.store, shard),
            )
            for shard in shards
        )
        return cls(runtime=runtime, addresses=tuple(addresses), tools=tools)

    @classmethod
    def in_bucket(
        cls,
        bucket: str,
        *,
        region: str,
        kms_key_id: str | None = None,
        path: str | Path = ".",
        runtime: Runtime | None = None,
    ) -> "States":
        """Return the states that lie in a bucket, and those of which only backups are left; needs no app.

        `kms_key_id` is the key that the states are encrypted with. `path` is the folder of the project whose
        local cloud may hold the bucket. Raises StateBucketError where the bucket is missing.
        """
        from holdfast_orchestrator.app.manifest import StateLocation  # noqa: PLC0415 - only without an app

        runtime = runtime or real_runtime()
        access = BucketAccess(runtime=runtime, folder=(runtime.cwd / path).absolute())
        top = StateLocation(bucket=bucket, key="", region=region, kms_key_id=kms_key_id)
        addresses = tuple(_in_bucket(access, top, access.cloud_of(bucket)))
        return cls(runtime=runtime, addresses=addresses, tools=access.tools)

    def of(self, shard: str) -> ShardState:
        """Return the state of the shard with this name, state folder or key, or the only one of a service.

        Raises UsageError where there is none, or several fit.
        """
        return ShardState(runtime=self.runtime, address=_chosen(self.addresses, shard), tools=self.tools)


def _in_bucket(access: BucketAccess, top: "StateLocation", cloud: Cloud) -> Iterator[StateAddress]:
    from holdfast_orchestrator.state.backups import BACKUPS  # noqa: PLC0415 - only without an app
    from holdfast_orchestrator.state_key import STATE_FILE  # noqa: PLC0415

    store = access.store(top, cloud)
    for path in sorted({*_paths(store, ""), *_paths(store, f"{BACKUPS}/")}):
        service, _, region, environment = path.split("/")
        location = replace(top, key=f"{path}/{STATE_FILE}")
        yield StateAddress(
            shard=f"{service}-{environment}-{region}",
            service=service,
            environment=environment,
            location=location,
            cloud=cloud,
            open_store=partial(access.store, location, cloud),
        )


def _paths(store: "DurableStore", prefix: str, depth: int = _DEPTH) -> Iterator[str]:
    """The state folders below `prefix`: service, account, region, environment."""
    for name in store.folders(prefix):
        if depth == 1:
            yield name
        elif prefix or not name.startswith("_"):
            yield from (f"{name}/{rest}" for rest in _paths(store, f"{prefix}{name}/", depth - 1))


def _chosen(addresses: Sequence[StateAddress], wanted: str) -> StateAddress:
    exact = [each for each in addresses if wanted in (each.shard, each.location.folder, each.location.key)]
    fitting = exact or [each for each in addresses if wanted == each.service]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        which = ", ".join(sorted(each.location.folder for each in fitting))
        raise UsageError(f"{wanted!r} may be any of several shards: {which}", next_step="name one of these")
    names = ", ".join(sorted(each.shard for each in addresses)) or "none at all"
    raise UsageError(f"there is no shard {wanted!r}; there are: {names}")
