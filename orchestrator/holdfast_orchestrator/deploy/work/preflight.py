"""Before anything is planned: is what lies there what we recorded, and was nothing left unfinished?

Fails closed. A state that is missing, damaged or somebody else's is never planned against: Terraform would
take some of them for "no state" and create everything a second time.
"""

import shlex
import shutil
import tempfile
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.configuration import empty_like
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import deploy_command, restore_commands
from holdfast_orchestrator.deploy.work.task import LastGoodDeployment
from holdfast_orchestrator.errors import GateError, MachineError, NeedsPersonError
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.record.belonging import (
    ThisApp,
    refuse_other_app,
    refuse_other_lineage,
    refuse_other_stack,
)
from holdfast_orchestrator.record.last_good import LastGood, Promoted, read_last_good
from holdfast_orchestrator.record.moving import refuse_half_moved
from holdfast_orchestrator.record.state_record import KeptRecord, Leftovers, StateRecord, read_state_record
from holdfast_orchestrator.state.object_store import StoredObject
from holdfast_orchestrator.state.snapshot import StateSnapshot, snapshot_of
from holdfast_orchestrator.state.terraform_lock import lock_key
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.json_values import parsed
from holdfast_orchestrator.terraform.plan import prior_stamp
from holdfast_orchestrator.terraform.state_file import (
    NO_STATE,
    Recorded,
    Standing,
    StateObject,
    compare,
    read_state,
)

R = TypeVar("R")

_MIB = 2**20
# Events, plans and a state that could not be saved; a state is copied and planned some ten times a deploy.
_LEAST_ROOM = 64 * _MIB
_ROOM_PER_STATE = 20
# Sockets of providers, and what Terraform unpacks while it initializes.
_TEMPORARY_ROOM = 16 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedShard:
    """What the bucket says of a shard: its state, the last good deployment, the record of the last run."""

    stored: StoredObject | None
    good: Promoted | None
    kept: KeptRecord | None
    locked: bool = False

    @property
    def good_record(self) -> LastGood | None:
        """The record of the last good deployment."""
        return None if self.good is None else self.good.record

    @property
    def record(self) -> StateRecord | None:
        """The record of the last run."""
        return None if self.kept is None else self.kept.record

    @property
    def leftovers(self) -> Leftovers:
        """What failed runs have left."""
        return Leftovers() if self.kept is None else self.kept.record.leftovers

    @property
    def unfinished(self) -> str | None:
        """The run that was never brought to an end, if there is one."""
        return self.record.run if self.record is not None and self.record.is_open else None

    @property
    def last_run(self) -> KeptRecord:
        """The record of the last run. Raises NeedsPersonError where there is none."""
        if self.kept is None:
            raise NeedsPersonError("nothing is known of an unfinished run")
        return self.kept

    @property
    def expected(self) -> Recorded | None:
        """The state that was left by the last run that is known of."""
        if self.kept is None:
            return None if self.good is None else self.good.record.state
        if (
            self.good is not None
            and self.good.record.run == self.kept.record.run
            and self.kept.record.is_open
        ):
            return self.good.record.state
        return self.kept.record.state

    def snapshot(self) -> StateSnapshot | None:
        """The state. Raises NeedsPersonError where what lies there is none."""
        return None if self.stored is None else snapshot_of(self.stored)


def look(leased: LeasedShard) -> RecordedShard:
    """Read what is known of the shard, all at once. Asks the bucket whether it honours conditions, once."""
    leased.run_context.conditional.require(leased.store, bucket=leased.shard.state.bucket)
    submit = leased.run_context.hands.submit
    stored = submit(leased.store.get, leased.shard.state.key)
    good = submit(read_last_good, leased.store, leased.folder)
    kept = submit(read_state_record, leased.store, leased.folder)
    locked = submit(leased.store.head, lock_key(leased.shard.state.key))
    return RecordedShard(
        stored=stored.result(),
        good=_unless_damaged(leased, good),
        kept=_unless_damaged(leased, kept),
        locked=locked.result() is not None,
    )


def _unless_damaged(leased: LeasedShard, reading: Future[R | None]) -> R | None:
    """A record that was read; None for a damaged one that somebody says to do without.

    Raises NeedsPersonError for any other damaged one.
    """
    try:
        return reading.result()
    except NeedsPersonError as error:
        if not leased.run_context.policy.rebaseline:
            again = f"to do without it: {deploy_command(leased.shard, '--rebaseline')}"
            raise NeedsPersonError(error.what, next_step=again) from None
        leased.say(f"{error.what}; done without, as was asked for")
        return None


def refuse_another_app(leased: LeasedShard, recorded: RecordedShard) -> None:
    """Raise GateError where the shard's key has the records of another app, or of another of its stacks."""
    good, record, shard = recorded.good_record, recorded.record, leased.shard
    app = ThisApp(
        leased.run.project,
        taken_over=leased.run_context.policy.take_over_app,
        unnamed=None if leased.run.is_named else shard.configuration,
        environment=shard.environment,
    )
    refuse_other_app(app, shard.state.key, good=good, record=record)
    former = refuse_other_stack(shard.name, shard.state.key, shard.configuration, good=good, record=record)
    if former is not None:
        leased.say(f"stack {former!r} is called {shard.name!r} now; its state {shard.state.key} goes on")


def refuse_strange_state(leased: LeasedShard, recorded: RecordedShard) -> None:
    """Return if the state is the one that was recorded, or somebody said to accept it.

    Raises NeedsPersonError for one that is gone, damaged or half moved, GateError for one that
    somebody else wrote.
    """
    if recorded.kept is not None and not leased.run_context.policy.rebaseline:
        refuse_half_moved(leased.store, recorded.kept.record.moving)
    key, expected = leased.shard.state.key, recorded.expected
    stored = read_state(key, None if recorded.stored is None else recorded.stored.body)
    standing = compare(stored, expected)
    match standing:
        case Standing.SAME | Standing.NONE_YET:
            return
        case Standing.ABSENT | Standing.DAMAGED:
            raise NeedsPersonError(
                f"the state at {key} is {standing}: {_recorded(expected)} was recorded; Terraform would "
                "create everything a second time",
                next_step=restore_commands(leased.store, leased.shard),
            )
        case _:
            recorded.snapshot()
            if standing in (Standing.FOREIGN, Standing.UNRECORDED):
                refuse_other_lineage(leased.store, leased.shard, stored.lineage)
            if not leased.run_context.policy.rebaseline:
                raise GateError(_strange(key, standing, stored, expected), next_step=_look(leased.shard))
            leased.say(f"the state at {key} is {standing}; accepted as it is, as was asked for")


def refuse_other_state(leased: LeasedShard, plan: Path) -> None:
    """Raise GateError where Terraform planned against another state than the one that lies there.

    A store that denies for a moment that the state exists makes it plan to create everything again.
    """
    snapshot = leased.snapshot()
    stored = NO_STATE if snapshot is None else snapshot.stamp
    planned = prior_stamp(read_source(plan))
    if planned != stored:
        raise GateError(
            f"Terraform planned against state serial {planned.serial} (lineage {planned.lineage or 'none'}), "
            f"and in the bucket lies serial {stored.serial} (lineage {stored.lineage or 'none'})",
            next_step=f"{deploy_command(leased.shard)}; if it stays so: holdfast doctor",
        )


def refuse_full_disk(leased: LeasedShard, recorded: RecordedShard) -> None:
    """Raise MachineError where an apply might not find room for its events and, if need be, for the state."""
    size = 0 if recorded.stored is None else len(recorded.stored.body)
    runtime = leased.run.runtime
    temporary = Path(runtime.environ.get("TMPDIR") or tempfile.gettempdir())
    wanted = (
        (runtime.cache, max(_LEAST_ROOM, _ROOM_PER_STATE * size), "HOLDFAST_CACHE_DIR"),
        (temporary, _TEMPORARY_ROOM, "TMPDIR"),
    )
    looked_at = [(folder, needed, name, _free(folder)) for folder, needed, name in wanted]
    short = [check for check in looked_at if check[3] < check[1]]
    if short:
        raise MachineError(
            "; ".join(
                f"there are {free // _MIB} MiB free for {folder}, and this shard needs {needed // _MIB}"
                for folder, needed, _, free in short
            ),
            next_step=f"make room; {' and '.join(name for _, _, name, _ in short)} can name another folder",
        )


def _free(folder: Path) -> int:
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(existing).free


def good_of(leased: LeasedShard, recorded: RecordedShard) -> LastGoodDeployment | None:
    """The deployment to go back to, with its configuration; after a destroy that has nothing in it."""
    if recorded.good is None:
        return None
    try:
        configuration = parsed(read_artifact(leased.store, recorded.good.record.artifact).configuration)
    except NeedsPersonError as error:
        # After a destroy there is nothing to go back to that could have been lost.
        lost = None if recorded.good.record.is_destroy else error.what
        return LastGoodDeployment(promoted=recorded.good, configuration={}, lost=lost)
    if recorded.good.record.is_destroy:
        configuration = empty_like(configuration)
    return LastGoodDeployment(promoted=recorded.good, configuration=configuration)


def _look(shard: Shard) -> str:
    name = shlex.quote(shard.name)
    return f"find out who wrote it; to accept it as it is: holdfast … --stack {name} --rebaseline"


def _strange(key: str, standing: Standing, stored: StateObject, expected: Recorded | None) -> str:
    stored_as = stored.recorded.stamp if stored.serial >= 0 else stored.condition
    return f"the state at {key} is {standing}: there is {stored_as}, and {_recorded(expected)} was recorded"


def _recorded(expected: Recorded | None) -> str:
    return "none" if expected is None else str(expected.stamp)
