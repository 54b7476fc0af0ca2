"""The person who changes a state by hand: takes leases and backups for restore, adopt and move."""

from dataclasses import dataclass

from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.state.backups import BackupMeta, keep_backup
from holdfast_orchestrator.state.lease import Claim, Lease, Leases
from holdfast_orchestrator.state.object_store import ListedStore, ObjectStore, StoredObject
from holdfast_orchestrator.state.snapshot import snapshot_of
from holdfast_orchestrator.system.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Who changes a state, in which run and runtime."""

    runtime: Runtime
    actor: Actor
    run: str

    def lease(self, store: ListedStore, folder: str, doing: str) -> Lease:
        """Take the lease of the shard with this state folder. Raises LeasedError where somebody has it."""
        claim = Claim(folder=folder, run=self.run, owner=str(self.actor), doing=doing)
        return Leases(store, self.runtime).take(claim)

    def back_up(self, store: ObjectStore, stored: StoredObject, reason: str) -> str:
        """Back a state up as it was read, and return where the backup lies."""
        now = self.runtime.clock.now()
        meta = BackupMeta(
            run=self.run,
            reason=reason,
            at=now,
            written=stored.head.modified or now,
            actor=str(self.actor),
        )
        return keep_backup(store, snapshot_of(stored), meta)
