"""What a lease says, as it lies in the bucket: who holds a shard, since when, from where, doing what.

    _holdfast/leases/<state folder>.json

The object stays when the shard is given back (`held` false): the epoch in it only ever grows, so that a
holder who was thought dead and comes back finds that its epoch is over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import PlainSerializer

from holdfast_orchestrator.state.object_store import ObjectHead, StoredObject
from holdfast_orchestrator.state.process_identity import ProcessIdentity
from holdfast_orchestrator.state.record_format import Format
from holdfast_orchestrator.state.shard_objects import folder_in

LEASES = "_holdfast/leases"

Kind = Literal["run", "human"]

# The bucket's clock counts whole seconds, and two of its servers may differ a little.
_SLACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """From whom a lease was taken, and on what grounds."""

    run: str
    owner: str
    host: str
    epoch: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """One holding of one shard.

    `run` is the run it is held for, `owner` who started it, `process` which process keeps it. `epoch`
    counts the holdings of the shard. `since` is the holder's own time, for people; `expires_after` is in
    seconds after the last renewal by the bucket's clock. `token` is this holding's alone, `renewals` makes
    every version of the object different. A lease of kind `human` is given back by a person only.
    """

    held: bool = True
    kind: Kind = "run"
    run: str
    owner: str
    process: ProcessIdentity
    epoch: int
    token: str
    since: Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]
    doing: str
    expires_after: float
    renewals: int = 0
    taken: Takeover | None = None

    @property
    def described(self) -> str:
        """Who, from where, since when and doing what, in one clause."""
        since = self.since.strftime("%Y-%m-%d %H:%M:%S UTC")
        where = f"process {self.process.pid} on {self.process.host}"
        return f"{self.owner} ({where}, run {self.run}) since {since}, {self.doing}"

    def body(self) -> bytes:
        """Return the object's bytes."""
        return FORMAT.body(self)


FORMAT = Format[LeaseRecord]("holdfast/lease/v1", LeaseRecord)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLease:
    """A lease as it was found."""

    record: LeaseRecord
    head: ObjectHead

    @property
    def folder(self) -> str:
        """The state folder of the shard, by which `holdfast state` knows it too."""
        return folder_in(LEASES, self.head.key)

    @property
    def has_expired(self) -> bool:
        """Whether it was not renewed in time, by the bucket's clock; False where that does not say."""
        if self.head.modified is None or self.head.served is None:
            return False
        age = self.head.served - self.head.modified
        return age > timedelta(seconds=self.record.expires_after) + _SLACK


def lease_key(folder: str) -> str:
    """Return where the lease of the shard with this state folder lies."""
    return f"{LEASES}/{folder}.json"


def read_lease(stored: StoredObject) -> StoredLease:
    """Read a lease object. Raises NeedsPersonError where it is none: nobody knows who holds the shard."""
    step = "make sure that no deploy of this shard runs, then delete that object"
    return StoredLease(record=FORMAT.read(stored, next_step=step), head=stored.head)
