"""The records in the state buckets, from Python: runs, their journals, the audit trail.

    history = Project.load(".").history(env="prod")
    for run in history.runs(limit=5):
        print(run.run, run.status, run.outcomes)
    history.run(run.run).journals["orders-prod"]     # the steps of one shard
    history.audit(AuditFilter(outcome="rolled_back"))
    all(history.verify_audit().values())             # False where a record was deleted or changed

On a machine without the app: `History.in_bucket("acme-state", region="eu-west-1")`. Nothing is changed.
A bucket that is missing or may not be read raises StateBucketError.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.api.buckets import BucketAccess
from holdfast_orchestrator.app.selection import Names, names_of
from holdfast_orchestrator.errors import UsageError, nearest
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.record.audit.entry import AuditRecord
    from holdfast_orchestrator.record.audit.trail import AuditFilter
    from holdfast_orchestrator.record.audit.verify import Verification
    from holdfast_orchestrator.record.journal.entry import Entry
    from holdfast_orchestrator.record.outputs import DeployedShard, ShardOutputs
    from holdfast_orchestrator.record.runs import RunRecord
    from holdfast_orchestrator.state.object_store import DurableStore


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run, and the journals of the shards that it changed, by shard name."""

    record: "RunRecord"
    journals: "Mapping[str, tuple[Entry, ...]]"


@dataclass(frozen=True, kw_only=True)
class History:
    """The records in one or several state buckets, by the bucket's name."""

    runtime: Runtime
    buckets: "Mapping[str, DurableStore]" = field(repr=False)

    @classmethod
    def in_bucket(
        cls, bucket: str, *, region: str, path: str | Path = ".", runtime: Runtime | None = None
    ) -> "History":
        """Return the records of one bucket, without an app.

        `path` is the folder of the project whose local cloud may hold the bucket.
        """
        from holdfast_orchestrator.app.manifest import StateLocation  # noqa: PLC0415 - only without an app

        runtime = runtime or real_runtime()
        access = BucketAccess(runtime=runtime, folder=(runtime.cwd / path).absolute())
        location = StateLocation(bucket=bucket, key="", region=region)
        return cls(runtime=runtime, buckets={bucket: access.store(location, access.cloud_of(bucket))})

    def runs(self, *, env: Names = (), limit: int = 20) -> "tuple[RunRecord, ...]":
        """Return at most `limit` runs, newest first, of these environments (none: all).

        Raises NeedsPersonError for a record that cannot be read.
        """
        from holdfast_orchestrator.record.runs import newest_runs  # noqa: PLC0415 - when it is called

        now = self.runtime.clock.now()
        # A run that spans several buckets is recorded in each.
        records = {
            record.run: record
            for store in self.buckets.values()
            for environment in names_of(env) or (None,)
            for record in newest_runs(store, now=now, limit=limit, environment=environment)
        }
        return tuple(records[run] for run in sorted(records, reverse=True)[:limit])

    def run(self, run: str) -> RecordedRun:
        """Return one run with its journals.

        Raises UsageError if `run` cannot be the name of a run or no bucket has it, NeedsPersonError for a
        record or a journal that cannot be read.
        """
        from holdfast_orchestrator.record.journal.entry import JournalName  # noqa: PLC0415
        from holdfast_orchestrator.record.journal.journal import journalled_shards, read_journal  # noqa: PLC0415
        from holdfast_orchestrator.record.runs import read_run  # noqa: PLC0415

        name = run_name(run)
        record: RunRecord | None = None
        journals: dict[str, tuple[Entry, ...]] = {}
        for store in self.buckets.values():
            record = read_run(store, name) or record
            for shard in journalled_shards(store, name):
                journals[shard] = read_journal(store, JournalName(name, shard))
        if record is None:
            buckets = ", ".join(self.buckets) or "no bucket at all"
            raise UsageError(f"there is no run {name} in {buckets}", next_step="to see them: holdfast runs")
        return RecordedRun(record, journals)

    def outputs(self, shard: str | None = None, *, env: Names = ()) -> "tuple[ShardOutputs, ...]":
        """Return the outputs of each shard's last good deployment, sorted by shard name.

        `shard` is the name of one, or its service where only one shard has it; `env` names environments
        (none: all). Raises UsageError where no deployed shard, or more than one, has that name;
        NeedsPersonError where a record or the state that it names cannot be read.
        """
        from holdfast_orchestrator.record.outputs import at_once, deployed_shards  # noqa: PLC0415

        wanted = names_of(env)
        shards = [
            each
            for store in self.buckets.values()
            for each in deployed_shards(store)
            if not wanted or each.environment in wanted
        ]
        chosen = shards if shard is None else [_named(shards, shard)]
        # Only the states that are asked for are read: they are large.
        return tuple(at_once(lambda each: each.outputs(), sorted(chosen, key=lambda each: each.shard)))

    def audit(
        self, wanted: "AuditFilter | None" = None, *, env: Names = (), limit: int = 50
    ) -> "tuple[AuditRecord, ...]":
        """Return at most `limit` records of the audit trail, newest first.

        `wanted` filters them, `env` names environments (none: all). Raises HoldfastError for a record that
        cannot be read.
        """
        from holdfast_orchestrator.record.audit.trail import AuditFilter, read_audit  # noqa: PLC0415

        base = wanted or AuditFilter()
        filters = [replace(base, environment=name) for name in names_of(env)] or [base]
        records = {
            (bucket, record.n): record
            for bucket, store in self.buckets.items()
            for audit_filter in filters
            for record in read_audit(store, audit_filter, limit=limit)
        }
        newest = sorted(records.values(), key=lambda record: record.action.at, reverse=True)
        return tuple(islice(newest, limit))

    def verify_audit(self) -> "Mapping[str, Verification]":
        """Return for each bucket whether its audit trail is whole, and the faults in it.

        Raises NeedsPersonError if the end of a trail cannot be read.
        """
        from holdfast_orchestrator.record.audit.verify import verify_audit  # noqa: PLC0415

        return {
            bucket: verify_audit(store, clock=self.runtime.clock) for bucket, store in self.buckets.items()
        }

    def athena_statements(self) -> Mapping[str, str]:
        """Return for each bucket the statement that creates an Athena table of its trail, and a query."""
        from holdfast_orchestrator.record.audit.athena import example_query, table_ddl  # noqa: PLC0415

        return {bucket: f"{table_ddl(bucket)};\n\n{example_query()};\n" for bucket in self.buckets}


def _named(shards: "Sequence[DeployedShard]", wanted: str) -> "DeployedShard":
    """Return the one shard with this name, or the only one of this service."""
    exact = [each for each in shards if each.shard == wanted]
    fitting = exact or [each for each in shards if each.service == wanted]
    if len(fitting) == 1:
        return fitting[0]
    names = sorted(each.shard for each in (fitting or shards))
    raise UsageError(
        f"{wanted!r} is {'the service of several deployed shards' if fitting else 'no deployed shard'}; "
        f"there are: {', '.join(names) or 'none'}",
        next_step=f"name one of them, such as {nearest(wanted, names) or names[0]}"
        if names
        else "deploy it first: holdfast deploy",
    )


def run_name(text: str) -> str:
    """Return the name of a run in upper case. Raises UsageError if `text` cannot be one."""
    from holdfast_orchestrator.record.runs import checked_run  # noqa: PLC0415 - when it is called

    return checked_run(text)


def audit_lifecycle(days: int) -> dict[str, Any]:
    """Return lifecycle rules for the bucket that expire the trail's records after this many days."""
    from holdfast_orchestrator.record.audit.athena import lifecycle  # noqa: PLC0415

    return lifecycle(days)
