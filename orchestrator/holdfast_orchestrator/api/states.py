"""The states of shards, from Python: list copies, restore one, unlock a shard.

    state = Project.load(".").states().of("orders-prod-eu-west-1")
    copy = state.copies().at(moment)
    proposal = state.propose_restore(copy)     # reads only
    print(proposal.diff.orphaned)
    state.restore(proposal)                    # does exactly that, or nothing

    held = state.held()
    state.unlock(held, held.removable[0])

On a machine without the app: `States.in_bucket("acme-state", region="eu-west-1").of("orders")` finds the
shard among the states and backups in that bucket.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_orchestrator.api.buckets import BucketAccess, Cloud
from holdfast_orchestrator.api.by_hand import ByHand, Tell, find_person
from holdfast_orchestrator.app.selection import Names, names_of
from holdfast_orchestrator.errors import HoldfastError, UsageError, nearest
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import Shard, StateLocation
    from holdfast_orchestrator.context.tools import Tools
    from holdfast_orchestrator.record.actor import Actor
    from holdfast_orchestrator.state.copies import StateCopies, StateCopy
    from holdfast_orchestrator.state.object_store import DurableStore
    from holdfast_orchestrator.state_admin.restore import Restored, RestoreProposal, StatePlace
    from holdfast_orchestrator.state_admin.unlock import Held
    from holdfast_orchestrator.terraform.state_file import StateObject

# A state folder has four parts: service, account, region, environment.
_DEPTH = 4


def _ignore(_sentence: str) -> None:
    """Do nothing with the sentence."""


@dataclass(frozen=True, kw_only=True)
class StateAddress:
    """A shard and the place of its state. `protected` are addresses; `project` is the app, if any."""

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
        """The person or CI job that is calling."""
        return find_person(
            self.runtime, self.tools, region=self.address.location.region, cloud=self.address.cloud
        )

    def copies(self) -> "StateCopies":
        """Return the copies of the state: backups, and versions of the object itself.

        `all()` lists them, `named` and `at` choose one. All of these raise StateBucketError if the bucket is
        missing.
        """
        return self.place.copies

    def current(self) -> "StateObject":
        """Return the state object as it is now; its `condition` is whole, damaged, empty or absent."""
        from holdfast_orchestrator.terraform.state_file import read_state  # noqa: PLC0415 - when it is read

        stored = self.place.store.get(self.place.key)
        return read_state(self.place.key, None if stored is None else stored.body)

    def content(self, copy: "StateCopy | None" = None) -> bytes:
        """Return the bytes of a copy, or of the newest state, with every secret in them.

        Raises HoldfastError if there is no state, or the copy is gone or damaged.
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
        """Return what it would do to restore this copy; changes nothing.

        Raises GateError if the restore is not allowed (a copy of another lineage, a shard of another app),
        NeedsPersonError if a move of the shard is unfinished.
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
        """Restore the copy as proposed, and write that into the audit trail, also if it fails.

        `command` is the command line for the trail. `on_step` is called with each step, `on_warning` if the
        trail cannot be written; the restore stays done. Raises LeasedError if somebody is at work on the
        shard, NeedsPersonError if the state has changed since it was compared.
        """
        from holdfast_orchestrator.report.state_text import proposal_lines, restored_lines  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.restore import carry_out  # noqa: PLC0415 - when it runs

        return self._by_hand("restore", command, on_warning).carry_out(
            lambda operator: carry_out(proposal, operator, on_step=on_step),
            outcome="restored",
            before=list(proposal_lines(proposal)),
            shown=lambda restored: restored_lines(proposal, restored),
        )

    def held(self) -> "Held":
        """Return Terraform's lock and the lease on the shard, if any. Changes nothing."""
        from holdfast_orchestrator.state_admin.unlock import look  # noqa: PLC0415

        return look(self.place)

    def unlock(self, held: "Held", id_: str, *, command: str = "", on_warning: Tell = _ignore) -> str:
        """Remove the lock or lease with this id (of `held.removable`), if it has not changed since.

        Returns a description of it, and writes that into the audit trail, also if the removal is refused.
        `command` and `on_warning` are as for `restore`. Raises LeasedError if somebody is at work, UsageError
        for an id that is not in `held`.
        """
        from holdfast_orchestrator.state_admin.unlock import let_go  # noqa: PLC0415

        return self._by_hand("unlock", command, on_warning).carry_out(
            lambda operator: let_go(held, id_, self.runtime, why=f"by {operator.actor}"),
            outcome="removed",
            refusal="refused",
            before=list(held.lines()),
            shown=lambda removed: [f"removed: {removed}"],
        )

    def _by_hand(self, verb: str, command: str, on_warning: Tell) -> ByHand:
        return ByHand.of(
            self.runtime,
            self.actor,
            self.place.store,
            on_warning=on_warning,
            action=verb,
            command=command or f"state {verb} {shlex.quote(self.shard)}",
            environments=(self.address.environment,),
            services=(self.address.service,),
            shards=(self.shard,),
        )


@dataclass(frozen=True, kw_only=True)
class States:
    """The states of an app, or those in a bucket."""

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
        """Return the states in a bucket, and those of which only backups are left, without an app.

        `kms_key_id` is the key that encrypts the states. `path` is the folder of the project whose local
        cloud may hold the bucket. Raises StateBucketError if the bucket is missing.
        """
        from holdfast_orchestrator.app.manifest import StateLocation  # noqa: PLC0415 - only without an app

        runtime = runtime or real_runtime()
        access = BucketAccess(runtime=runtime, folder=(runtime.cwd / path).absolute())
        top = StateLocation(bucket=bucket, key="", region=region, kms_key_id=kms_key_id)
        addresses = tuple(_in_bucket(access, top, access.cloud_of(bucket)))
        return cls(runtime=runtime, addresses=addresses, tools=access.tools)

    def in_environments(self, env: Names) -> "States":
        """Return the states of these environments (none: all). Raises UsageError for one without a shard."""
        wanted = names_of(env)
        existing = {each.environment for each in self.addresses}
        for name in wanted:
            if name not in existing:
                meant = nearest(name, existing)
                raise UsageError(
                    f"--env {name!r} has no shard; there are: {', '.join(sorted(existing)) or 'none'}",
                    next_step=None if meant is None else f"if you mean it: holdfast … --env {meant}",
                )
        chosen = tuple(each for each in self.addresses if not wanted or each.environment in wanted)
        return replace(self, addresses=chosen)

    def of(self, shard: str) -> ShardState:
        """Return the state of the shard with this name, state folder or key, or the only shard of a service.

        Raises UsageError if no shard or several shards fit.
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
    exact = [
        address
        for address in addresses
        if wanted in (address.shard, address.location.folder, address.location.key)
    ]
    fitting = exact or [address for address in addresses if wanted == address.service]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        which = ", ".join(sorted(address.location.folder for address in fitting))
        raise UsageError(f"{wanted!r} may be any of several shards: {which}", next_step="name one of these")
    names = ", ".join(sorted(address.shard for address in addresses)) or "none at all"
    raise UsageError(f"there is no shard {wanted!r}; there are: {names}")
