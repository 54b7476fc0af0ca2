"""After a run: backups that may go, the lifecycle that ends audit records, and what grows old in the cache.

Nothing here can fail a run. What was decided to go is decided by `retention`, which keeps whatever may be
needed; the bucket's own lifecycle rules are left as they are, and only ours are added or brought up to date.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.engine.old_folders import is_due, prune_files, prune_folders
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.record.audit.athena import with_ours
from holdfast_orchestrator.record.audit.trail import AuditSettings
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.local_runs import open_shards, prune_runs
from holdfast_orchestrator.state.backups import count_backups, list_backups
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.retention import Retention, may_go, prune


def audit_settings(shards: Sequence[Shard]) -> AuditSettings:
    """Join the settings of a bucket's shards: the longest retention, and secrets only where all keep them."""
    return AuditSettings(
        retention_days=max(shard.keeping.audit_days for shard in shards),
        raw=all(shard.keeping.unredacted for shard in shards),
    )


def set_lifecycle(run: Run, store: DurableStore, shards: Sequence[Shard]) -> None:
    """Give the bucket the rules that end audit records; its other rules stay."""
    days = audit_settings(shards).retention_days
    try:
        wanted = with_ours(store.lifecycle(), days)
        if wanted is not None:
            store.set_lifecycle(wanted)
    except HoldfastError as error:
        run.emit(
            Notice(
                message=f"nothing ends audit records: the bucket's lifecycle could not be set: {error} "
                f"(the rules to add: holdfast audit lifecycle --days {days})"
            )
        )


def tidy_cache(cache: Path, now: datetime) -> None:
    """Delete what is out of use in this machine's cache; once a day also what takes long to find."""
    prune_runs(cache, now)
    if is_due(cache, now):
        prune_folders(cache, now, needed=open_shards(cache))
        prune_files(cache, now)


def prune_backups(run: Run, shard: Shard) -> None:
    """Delete the shard's backups that are both surplus and old, here and in the copies."""
    try:
        for place in (run.tools.store(shard), *run.tools.copies(shard)):
            # A request that lists them tells most shards that there is nothing to do.
            if count_backups(place, shard.state.folder) > shard.keeping.backup_count:
                _prune(run, shard, place)
    except HoldfastError as error:
        run.emit(Notice(shard=shard.name, message=f"old backups were not tidied up: {error}"))


def _prune(run: Run, shard: Shard, place: DurableStore) -> None:
    keeping, folder = shard.keeping, shard.state.folder
    good = read_last_good(run.tools.store(shard), folder)
    retention = Retention(count=keeping.backup_count, days=keeping.backup_days)
    last_good = None if good is None else good.record.state
    backups = list_backups(place, folder)
    prune(place, may_go(backups, retention, now=place.now(), last_good=last_good))
