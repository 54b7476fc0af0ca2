"""Shows what holds a shard, and removes exactly one lock or lease by the id that was shown.

Two things can: Terraform's lock on the state, and our lease. A lock is removed only where nobody is known
to be at work; the lease of a run only by `holdfast resume`, which knows what that run left behind; a
lease that a person holds, or that nobody can read, here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast_orchestrator.errors import LeasedError, NeedsPersonError, UsageError
from holdfast_orchestrator.state.lease import Leases
from holdfast_orchestrator.state.lease_record import StoredLease, lease_key, read_lease
from holdfast_orchestrator.state.object_store import ObjectExistsError, ObjectHead
from holdfast_orchestrator.state.process_identity import Life, life_of, this_process
from holdfast_orchestrator.state.terraform_lock import TerraformLock, read_lock, remove_lock
from holdfast_orchestrator.state_admin.restore import StatePlace
from holdfast_orchestrator.system.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Held:
    """What holds a shard. `damaged` is a lease object that cannot be read."""

    place: StatePlace
    lock: TerraformLock | None = None
    lease: StoredLease | None = None
    damaged: ObjectHead | None = None

    @property
    def is_free(self) -> bool:
        """Whether nothing holds it."""
        return self.lock is None and self.lease is None and self.damaged is None

    @property
    def removable(self) -> tuple[str, ...]:
        """The ids of what may be let go here."""
        return tuple(self._ids())

    def _ids(self) -> Iterator[str]:
        if self.lock is not None:
            yield self.lock.id
        if self.lease is not None and self.lease.record.kind == "human":
            yield self.lease.record.run
        if self.damaged is not None:
            yield _etag_id(self.damaged)

    def lines(self) -> Iterator[str]:
        """Say what holds the shard, to people."""
        if self.is_free:
            yield f"nothing holds {self.place.shard}"
        if self.lock is not None:
            yield f"Terraform's lock: {self.lock.described}"
            yield f"  id  {self.lock.id}"
        if self.lease is not None:
            record = self.lease.record
            renewed = ", not renewed in time" if self.lease.has_expired else ""
            yield f"Holdfast's lease: {record.described}{renewed}"
            what = "id  " if record.kind == "human" else "run "
            hint = "" if record.kind == "human" else f"   if that run is dead: holdfast resume {record.run}"
            yield f"  {what}{record.run}{hint}"
        if self.damaged is not None:
            yield f"Holdfast's lease: an object that cannot be read ({self.damaged.size} bytes)"
            yield f"  id  {_etag_id(self.damaged)}"


def look(place: StatePlace) -> Held:
    """Return what holds a shard."""
    stored = place.store.get(lease_key(place.folder))
    lease, damaged = None, None
    if stored is not None:
        try:
            lease = read_lease(stored)
        except NeedsPersonError:
            damaged = stored.head
    return Held(
        place=place,
        lock=read_lock(place.store, place.key),
        lease=lease if lease is not None and lease.record.held else None,
        damaged=damaged,
    )


def let_go(held: Held, id_: str, runtime: Runtime, *, why: str) -> str:
    """Remove what has this id, if it is still what was shown; return what it was, in words.

    Raises LeasedError where somebody is at work, UsageError for an id that was not shown.
    """
    lock, lease, store = held.lock, held.lease, held.place.store
    if lock is not None and id_ == lock.id:
        _refuse_while_at_work(held, runtime)
        remove_lock(store, lock)
        return f"Terraform's lock {lock.id}"
    if lease is not None and id_ == lease.record.run:
        # Raises for the lease of a run, and says what to do.
        broken = Leases(store, runtime).break_human(held.place.folder, why=why)
        return f"the lease of {broken.owner}"
    if held.damaged is not None and id_ == _etag_id(held.damaged):
        _delete(held, held.damaged)
        return "the lease that could not be read"
    shown = ", ".join(held.removable) or "none"
    raise UsageError(f"nothing that holds {held.place.shard} has the id {id_!r}; to be removed: {shown}")


def _refuse_while_at_work(held: Held, runtime: Runtime) -> None:
    """Raise LeasedError where the lease says that a run is at work: the lock may be its Terraform's."""
    lease = held.lease
    if lease is None or lease.record.kind == "human":
        return
    me = this_process(runtime.processes)
    life = life_of(lease.record.process, me=me, processes=runtime.processes)
    if life is Life.ALIVE or (life is Life.UNKNOWN and not lease.has_expired):
        sign = "its process runs" if life is Life.ALIVE else "its lease is being renewed"
        raise LeasedError(
            f"{held.place.shard} is held by {lease.record.described}, and {sign}; the lock may be that run's",
            next_step="wait for that run, or end it with SIGINT",
        )


def _delete(held: Held, head: ObjectHead) -> None:
    try:
        held.place.store.delete(head.key, etag=head.etag)
    except ObjectExistsError:
        raise LeasedError(
            f"the object at {head.key} is another one by now; nothing was removed", next_step="look again"
        ) from None


def _etag_id(head: ObjectHead) -> str:
    return f"etag-{head.etag.strip(chr(34))}"
