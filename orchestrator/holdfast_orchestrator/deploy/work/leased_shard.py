"""One shard at work under its lease: every effect on its state and its journal goes through here."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.app.inputs import Inputs
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.engine.workdir import errored_state
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.events import Notice, ShardStep, StateBackedUp
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.ownership.bucket_owners import BucketOwners
from holdfast_orchestrator.record.journal.entry import Edge
from holdfast_orchestrator.record.journal.journal import Journal
from holdfast_orchestrator.state.backups import BackupMeta, keep_backup
from holdfast_orchestrator.state.exact_writes import create_once, write_and_read_back
from holdfast_orchestrator.state.lease import Lease
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.snapshot import StateSnapshot, read_snapshot, snapshot_of
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.reads import Reading
from holdfast_orchestrator.terraform.state_file import Recorded, StateObject, read_state
from holdfast_orchestrator.terraform.stateful_types import Protection

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.terraform import Terraform
    from holdfast_orchestrator.engine.ui_events import UiEvent

RESCUED = "_holdfast/rescued"


@dataclass(kw_only=True)
class LeasedShard:
    """A shard, its bucket, the lease that is held on it and, once something is to change, its journal.

    With `heeds_stop`, nothing is begun once a stop was asked for.
    """

    shard: Shard
    run: Run
    run_context: RunContext
    store: DurableStore
    lease: Lease
    journal: Journal | None = None
    heeds_stop: bool = True

    @property
    def folder(self) -> str:
        """The shard's state folder: what its records are called."""
        return self.shard.state.folder

    @property
    def protection(self) -> Protection:
        """What counts as stateful beyond the lists."""
        return Protection(addresses=frozenset(self.shard.guarded))

    @property
    def workdir(self) -> Path:
        """Where Terraform works."""
        return self.run.tools.workdir(self.shard)

    @property
    def boot(self) -> str:
        """The boot of this machine: what a journal tells the machines apart by that carried a run on."""
        return self.lease.record.process.boot

    @property
    def is_to_stop(self) -> bool:
        """Whether the work ends here: a stop was asked for, and nothing has been begun."""
        return self.heeds_stop and self.journal is None and self.run.stop.asked

    def step(self, words: str) -> None:
        """Tell what is being done now."""
        self.run.emit(ShardStep(shard=self.shard.name, step=words))

    def say(self, sentence: str) -> None:
        """Tell something that is not a step."""
        self.run.emit(Notice(shard=self.shard.name, message=f"{self.run.label(self.shard.name)}: {sentence}"))

    def mark(self, phase: Phase, edge: Edge, **data: Any) -> None:
        """Write a journal entry, where there is a journal."""
        if self.journal is not None:
            self.journal.append(phase, edge, epoch=self.lease.epoch, data=data)

    @contextmanager
    def phase(self, phase: Phase, **data: Any) -> Iterator[dict[str, Any]]:
        """Journal a phase before and after; what is put into the dictionary goes into the second entry."""
        self.lease.check()
        self.mark(phase, "before", **data)
        data_after: dict[str, Any] = {}
        yield data_after
        self.mark(phase, "after", **data_after)

    def terraform(self, configuration: Document | None = None, inputs: Inputs | None = None) -> "Terraform":
        """Terraform, made ready, with this configuration and what it reads (None: the shard's own)."""
        terraform = self.bare_terraform(configuration, inputs)
        terraform.init()
        return terraform

    @property
    def owners(self) -> BucketOwners:
        """Who owns what, as the run asks it."""
        return self.run_context.owners

    def reading(self, *, recalls: bool = False) -> Reading:
        """What the plan of this run remembers of its reads, or its verify recalls."""
        return Reading(f"{self.run.id} {self.shard.name}", recalls)

    def bare_terraform(
        self, configuration: Document | None = None, inputs: Inputs | None = None
    ) -> "Terraform":
        """As `terraform`, and `init` is left to the caller."""
        self.lease.check()
        shard = self.shard
        if configuration is not None:
            shard = replace(shard, configuration=json.dumps(configuration, indent=1).encode())
        if inputs is not None:
            shard = replace(shard, inputs=inputs)
        return self.run.tools.terraform(shard, self.tell)

    def tell(self, event: "UiEvent") -> None:
        """Hand on what Terraform says."""
        from holdfast_orchestrator.deploy.work.failure import progress_of  # noqa: PLC0415 - only with Terraform

        if (progress := progress_of(event, self.shard.name)) is not None:
            self.run.emit(progress)

    def snapshot(self) -> StateSnapshot | None:
        """The newest state. Raises NeedsPersonError where what lies there is none."""
        return read_snapshot(self.store, self.shard.state.key)

    def state(self) -> StateObject:
        """The newest state object, whatever it is."""
        stored = self.store.get(self.shard.state.key)
        return read_state(self.shard.state.key, None if stored is None else stored.body)

    def document(self) -> Document | None:
        """The document of the newest state; None where there is none."""
        snapshot = self.snapshot()
        return None if snapshot is None else snapshot.document

    def index(self, state: Document | None) -> IdentityIndex:
        """The objects of a state."""
        return index_state(state, protection=self.protection)

    def index_now(self) -> IdentityIndex:
        """The objects of the newest state."""
        return self.index(self.document())

    def back_up(self, snapshot: StateSnapshot, reason: str, **details: str | None) -> str:
        """Copy a state aside, read it back, and return where it lies."""
        now = self.run.clock.now()
        meta = BackupMeta(
            run=self.run.id,
            reason=reason,
            at=now,
            written=snapshot.written or now,
            actor=str(self.run_context.actor),
            git=self.run_context.git,
            **details,
        )
        key = keep_backup(self.store, snapshot, meta, copies=self.run.tools.copies(self.shard))
        self.run.emit(StateBackedUp(shard=self.shard.name, key=key, serial=snapshot.serial))
        return key

    def put_state(self, document: Mapping[str, Any], *, reason: str) -> StateSnapshot:
        """Write a state over exactly the one there is now, which is backed up first.

        Raises NeedsPersonError where somebody wrote another one in between.
        """
        key = self.shard.state.key
        self.lease.confirm()
        stored = self.store.get(key)
        with suppress(NeedsPersonError):
            if (snapshot := self.snapshot()) is not None:
                self.back_up(snapshot, reason)
        body = json.dumps(document, indent=2).encode() + b"\n"
        etag = None if stored is None else stored.head.etag
        written = write_and_read_back(self.store, key, body, etag=etag)
        if written is None:
            raise NeedsPersonError(
                f"the state at {key} was written by somebody else while it was being repaired",
                next_step=f"holdfast resume {self.run.id}",
            )
        return snapshot_of(written)

    def rescued(self) -> Path | None:
        """The state an apply on this machine could not save, where there is one."""
        return errored_state(self.workdir)

    def put_away(self, rescued: Path) -> None:
        """Take a rescued state out of Terraform's way; its content stays in the bucket."""
        content = read_source(rescued)
        name = hashlib.sha256(content).hexdigest()
        if content:
            create_once(self.store, f"{RESCUED}/{self.folder}/{name}.json", content)
        rescued.unlink()


def recorded(snapshot: StateSnapshot | None) -> Recorded | None:
    """What is recorded of a state."""
    return None if snapshot is None else snapshot.recorded
