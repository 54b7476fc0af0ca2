"""The lease of a shard: one deployer at a time, from the plan to the last verify or the rollback.

    leases = Leases(store, runtime)
    with leases.take(claim, wait=60, on_wait=tell) as lease:
        lease.confirm()                # before each command that changes something
        ...

Terraform's own lock covers single commands; between them another run could slip in. The lease covers
them all. It is one object per shard, written under a condition only, and kept by a thread that
renews it. A run that loses it finds out at the next `check` or `confirm` and must start no other command:
S3 states carry no fencing, so nothing else would stop two writers.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from types import TracebackType
from typing import Self

from holdfast_orchestrator.errors import (
    HoldfastError,
    InterruptedSafelyError,
    LeasedError,
    MachineError,
    NeedsPersonError,
)
from holdfast_orchestrator.state.exact_writes import write_once
from holdfast_orchestrator.state.lease_record import (
    LEASES,
    Kind,
    LeaseRecord,
    StoredLease,
    Takeover,
    lease_key,
    read_lease,
)
from holdfast_orchestrator.state.object_store import ListedStore, ObjectExistsError, ObjectHead
from holdfast_orchestrator.state.process_identity import ProcessIdentity, life_of, this_process
from holdfast_orchestrator.state.shard_objects import shard_folders
from holdfast_orchestrator.state.takeover import Granted, Refused, judge_takeover
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.system.workers import Worker, start_worker

EXPIRES_AFTER = 60.0
"""Seconds after which a lease nobody renews has expired; one missed renewal does not make it."""

_RENEWALS_PER_EXPIRY = 4
_FIRST_POLL_SECONDS = 0.1
_LONGEST_POLL_SECONDS = 2.0
# What the SDK's own retries of one lost answer can lead to, and a conflict (409) that says "again".
_ATTEMPTS = 3

OnWait = Callable[[LeaseRecord], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is asked for.

    `folder` is the shard's state folder (`StateLocation.folder`), `owner` who is asking, `doing` a clause
    such as "deploying orders-prod-eu-west-1". `expires_after` is in seconds.
    """

    folder: str
    run: str
    owner: str
    doing: str
    expires_after: float = EXPIRES_AFTER
    kind: Kind = "run"


@dataclass(frozen=True)
class Leases:
    """The leases of one bucket, taken by this process."""

    store: ListedStore
    runtime: Runtime

    @cached_property
    def me(self) -> ProcessIdentity:
        """This process, as the leases it takes name it."""
        return this_process(self.runtime.processes)

    def holder(self, folder: str) -> LeaseRecord | None:
        """Return who holds the shard, None for nobody. Raises NeedsPersonError for a damaged lease."""
        stored_lease = self._find(folder)
        return stored_lease.record if stored_lease is not None and stored_lease.record.held else None

    def last(self, folder: str) -> LeaseRecord | None:
        """Return who held the shard last, whether or not it was given back; None for nobody ever.

        Raises NeedsPersonError for a damaged lease.
        """
        stored_lease = self._find(folder)
        return None if stored_lease is None else stored_lease.record

    def held(self) -> Mapping[str, LeaseRecord]:
        """Return every lease of the bucket that is held, by state folder. Raises as `holder` does."""
        folders = shard_folders(self.store, LEASES)
        return {folder: record for folder in folders if (record := self.holder(folder)) is not None}

    def take(
        self,
        claim: Claim,
        *,
        wait: float = 0.0,
        on_wait: OnWait | None = None,
        operator: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> "Lease":
        """Take the lease and keep it renewed until it is released.

        Args:
            claim: what is asked for.
            wait: seconds to wait for another holder.
            on_wait: told who holds it, when waiting begins and whenever that changes.
            operator: a person asked for this shard to be taken from a holder that is gone.
            stopped: whether waiting has to end.

        Raises:
            InterruptedSafelyError: waiting had to end.
            LeasedError: somebody else holds the shard; says who, since when, from where, doing what.
            NeedsPersonError: the lease object cannot be read.
        """
        began = self.runtime.clock.monotonic()
        poll, told_token = _FIRST_POLL_SECONDS, ""
        while True:
            answer = self._attempt(claim, operator=operator)
            if isinstance(answer, Lease):
                return answer.keep()
            holder, refused = answer
            if self.runtime.clock.monotonic() - began >= wait:
                raise leased(holder, refused)
            if stopped():
                raise InterruptedSafelyError(f"interrupted while it waited: held by {holder.described}")
            if on_wait is not None and holder.token != told_token:
                on_wait(holder)
                told_token = holder.token
            self.runtime.clock.sleep(poll)
            poll = min(poll * 2, _LONGEST_POLL_SECONDS)

    def break_human(self, folder: str, *, why: str) -> LeaseRecord:
        """Give back what a person holds, in that person's place; returns what was broken.

        Raises LeasedError where a run holds it, and HoldfastError where nobody does.
        """
        stored_lease = self._find(folder)
        if stored_lease is None or not stored_lease.record.held:
            raise HoldfastError(f"nobody holds {folder}")
        if stored_lease.record.kind != "human":
            raise leased(
                stored_lease.record, Refused("a run holds it", f"holdfast resume {stored_lease.record.run}")
            )
        given_back = replace(
            stored_lease.record, held=False, doing=f"broken: {why}", renewals=stored_lease.record.renewals + 1
        )
        self.store.replace(lease_key(folder), given_back.body(), etag=stored_lease.head.etag)
        return stored_lease.record

    def _find(self, folder: str) -> StoredLease | None:
        stored = self.store.get(lease_key(folder))
        return None if stored is None else read_lease(stored)

    def _attempt(self, claim: Claim, *, operator: bool) -> "Lease | tuple[LeaseRecord, Refused]":
        """Try once; a race that was lost is tried again with what the winner wrote."""
        token = secrets.token_hex(16)
        while True:
            asked_at = self.runtime.clock.monotonic()
            stored_lease = self._find(claim.folder)
            verdict = self._verdict(stored_lease, operator=operator)
            if isinstance(verdict, Refused) and stored_lease is not None:
                return stored_lease.record, verdict
            record = self._record(claim, token, stored_lease, verdict)
            with suppress(ObjectExistsError):
                etag = None if stored_lease is None else stored_lease.head.etag
                head = write_once(self.store, lease_key(claim.folder), record.body(), etag=etag)
                return Lease(self, claim, record, head, asked_at)

    def _verdict(self, stored_lease: StoredLease | None, *, operator: bool) -> Granted | Refused | None:
        if stored_lease is None or not stored_lease.record.held:
            return None
        life = life_of(stored_lease.record.process, me=self.me, processes=self.runtime.processes)
        return judge_takeover(stored_lease, life, operator=operator)

    def _record(
        self, claim: Claim, token: str, stored_lease: StoredLease | None, verdict: Granted | Refused | None
    ) -> LeaseRecord:
        return LeaseRecord(
            run=claim.run,
            owner=claim.owner,
            process=self.me,
            epoch=1 if stored_lease is None else stored_lease.record.epoch + 1,
            token=token,
            since=self.runtime.clock.now(),
            doing=claim.doing,
            expires_after=claim.expires_after,
            kind=claim.kind,
            taken=_taken(stored_lease.record, verdict.why)
            if stored_lease and isinstance(verdict, Granted)
            else None,
        )


class Lease:
    """A lease that is held. `record` says how; `record.taken` from whom it was taken, if from anybody."""

    def __init__(
        self, leases: Leases, claim: Claim, record: LeaseRecord, head: ObjectHead, confirmed: float
    ) -> None:
        self._leases = leases
        self._key = lease_key(claim.folder)
        self._lock = threading.Lock()
        self._etag = head.etag
        self._confirmed = confirmed
        self._lost: HoldfastError | None = None
        self._over = threading.Event()
        self._keeper: Worker | None = None
        self.record = record

    @property
    def epoch(self) -> int:
        """The number of this holding; it goes into every record made under it."""
        return self.record.epoch

    def keep(self) -> Self:
        """Start the thread that renews; a person's lease needs none."""
        if self.record.kind == "run":
            try:
                self._keeper = start_worker(self._renew_for_ever, name="lease")
            except MachineError:
                # A lease that is not renewed protects nothing.
                self.release()
                raise
        return self

    def check(self) -> None:
        """Return if the lease is held as far as is known here; costs nothing while it is fresh.

        Raises LeasedError where somebody took it, NeedsPersonError where it was deleted, and
        StateBucketError where it may have expired and the bucket does not answer.
        """
        if self._lost is not None:
            raise self._lost
        clock = self._leases.runtime.clock
        if self.record.kind == "run" and clock.monotonic() - self._confirmed > self.record.expires_after / 2:
            self.confirm()

    def confirm(self) -> None:
        """Renew now: the bucket itself says that the lease is held. Raises as `check` does."""
        with self._lock:
            if self._lost is not None:
                raise self._lost
            self._renew(self.record)

    def release(self) -> None:
        """Give it back. A lease that was lost is left to its new holder."""
        self._over.set()
        if self._keeper is not None and self._keeper is not threading.current_thread():
            self._keeper.join()
        with self._lock:
            if self._lost is None and self.record.held:
                with suppress(LeasedError, NeedsPersonError):
                    self._renew(replace(self.record, held=False))

    def abandon(self) -> None:
        """Stop renewing and leave the lease where it is: what it protects is not in order."""
        self._over.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.release()

    def _renew_for_ever(self) -> None:
        while not self._over.wait(self.record.expires_after / _RENEWALS_PER_EXPIRY):
            # A bucket that cannot be reached is asked again; whether the lease still holds is `check`'s.
            with suppress(HoldfastError):
                self.confirm()
            if self._lost is not None:
                return

    def _renew(self, record: LeaseRecord) -> None:
        asked_at = self._leases.runtime.clock.monotonic()
        renewed = replace(record, renewals=record.renewals + 1)
        head = self._written(renewed)
        self.record, self._etag, self._confirmed = renewed, head.etag, asked_at

    def _written(self, record: LeaseRecord) -> ObjectHead:
        store = self._leases.store
        for _ in range(_ATTEMPTS):
            with suppress(ObjectExistsError):
                return write_once(store, self._key, record.body(), etag=self._etag)
            stored = store.get(self._key)
            stored_lease = None if stored is None else read_lease(stored)
            if (
                stored_lease is None
                or stored_lease.record.token != self.record.token
                or not stored_lease.record.held
            ):
                self._lost = _loss(self._key, stored_lease, ours=self.record)
                raise self._lost
            self._etag = stored_lease.head.etag
        raise HoldfastError(f"the lease at {self._key} could not be renewed: conflicting requests")


def leased(holder: LeaseRecord, refused: Refused) -> LeasedError:
    """Return the error for the run that asked for the shard."""
    return LeasedError(f"the shard is held by {holder.described}; {refused.why}", next_step=refused.next_step)


def _taken(previous: LeaseRecord, why: str) -> Takeover:
    return Takeover(
        run=previous.run,
        owner=previous.owner,
        host=previous.process.host,
        epoch=previous.epoch,
        why=why,
    )


def _loss(key: str, stored_lease: StoredLease | None, *, ours: LeaseRecord) -> HoldfastError:
    if stored_lease is None:
        return NeedsPersonError(
            f"the lease at {key} was deleted while this run held it",
            next_step=f"make sure that no other deploy of this shard runs, then: holdfast resume {ours.run}",
        )
    if not stored_lease.record.held and stored_lease.record.epoch > ours.epoch:
        return LeasedError(
            f"this run no longer holds the shard: it was taken for run {stored_lease.record.run} by "
            f"{stored_lease.record.owner}, which has ended; nothing more was changed here",
            next_step=f"holdfast show {stored_lease.record.run}",
        )
    if not stored_lease.record.held:
        return NeedsPersonError(
            f"the lease at {key} was given back in this run's place",
            next_step=f"holdfast resume {stored_lease.record.run}",
        )
    return LeasedError(
        f"this run no longer holds the shard: it was taken by {stored_lease.record.described}",
        next_step=f"holdfast show {stored_lease.record.run}",
    )
