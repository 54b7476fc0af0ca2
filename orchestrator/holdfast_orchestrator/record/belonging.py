"""Whose shard a key is: the app and the stack that wrote its records, and the lineage of its state.

Two apps may share a bucket. Where stacks of both lead to one key (the same name, account, region and
environment, and no `service` that tells them apart), the second must not plan against the state of the
first: its plan would delete what the other has. A state that was copied from another shard is the same
danger, and so is a stack whose id leads to the key of another stack of its app (`Web` and `web`). All are
refused before anything is planned.
"""

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.record.last_good import LAST_GOOD, LastGood, read_last_good
from holdfast_orchestrator.record.state_record import STATES, StateRecord, read_state_record
from holdfast_orchestrator.state.object_store import ListedReader, ObjectReader
from holdfast_orchestrator.state.shard_objects import read_each, shard_folders
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.references import declares

_READERS = 8
# An app without `projectId` is known by this part of the blocks that its shard had.
_ONE_APPS_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class ThisApp:
    """The app that a command works for.

    Attributes:
        project: its name; empty where it has none.
        taken_over: an app whose records count as this one's, because the user said so.
        unnamed: the shard's configuration, where the app has no `projectId` and goes by its folder's name.
        environment: the shard's, where it is known.
    """

    project: str
    taken_over: str | None = None
    unnamed: bytes | None = None
    environment: str = ""


def refuse_other_app(app: ThisApp, key: str, *, good: LastGood | None, record: StateRecord | None) -> None:
    """Return if the records of the state at `key` are of this app, or of one that is taken over by its name.

    Records of older versions name no app and are taken for this one's. An app without `projectId` goes by the
    name of its folder, which may be another one on another machine: there the configuration of the shard
    decides. It is this app's if it declares at least half of the blocks of the last good deployment: with
    fewer, its plan would delete most of what another app has. Raises GateError where another app wrote them.
    """
    project, owner = app.project, _owner(good, record)
    if not project or owner in (None, project, app.taken_over) or _goes_on_from(good, app.unnamed):
        return
    words = (
        "holdfast",
        "deploy",
        *(("--env", app.environment) if app.environment else ()),
        "--take-over-app",
        str(owner),
    )
    raise GateError(
        f"the state {key} is of app {owner!r}{_last_deploy(good, record)}; this app is {project!r} "
        f"(`projectId` in cdktf.json, else the folder's name)",
        next_step="set another `service` (context.holdfast.service in cdktf.json, or what the app says), or, "
        f"if {owner!r} is an earlier name of this app: {shlex.join(words)}",
    )


def refuse_other_stack(
    name: str,
    key: str,
    configuration: bytes,
    *,
    good: LastGood | None,
    record: StateRecord | None,
) -> str | None:
    """Return the other id under which this stack was deployed to the state at `key`, None where it had none.

    Ids that differ may lead to one key (`Web` and `web`). It is one stack under a new id where it declares
    any block of the last good deployment. Raises GateError where nothing says that it is: its plan would
    delete what the other stack has.
    """
    former = None if record is None else record.stack
    if former in (None, name):
        return None
    if record is not None and record.state is not None and not _share_declared(good, configuration):
        raise GateError(
            f"the state {key} is of stack {former!r}{_last_deploy(good, record)}; stack {name!r} leads to "
            "the same key and declares nothing of what it has",
            next_step=f"give {name!r} another id or another `service`: `holdfast plan` then offers what "
            f"{former!r} has; if it is the same stack, deploy it under its former id once, then rename it",
        )
    return former


def refuse_other_apps(
    project: str,
    shards: Iterable[tuple[Shard, ObjectReader]],
    *,
    taken_over: str | None,
    is_named: bool = True,
) -> None:
    """Return if no shard's key has the records of another app or stack. Raises GateError for one that has."""

    def check(shard_and_store: tuple[Shard, ObjectReader]) -> None:
        _refuse_other_app(project, *shard_and_store, taken_over, is_named=is_named)

    with WorkerPool(_READERS, "apps") as readers:
        for _ in readers.map(check, shards):
            pass


def _refuse_other_app(
    project: str, shard: Shard, store: ObjectReader, taken_over: str | None, *, is_named: bool
) -> None:
    good, record = records_of(store, shard.state.folder)
    app = ThisApp(
        project,
        taken_over=taken_over,
        unnamed=None if is_named else shard.configuration,
        environment=shard.environment,
    )
    refuse_other_app(app, shard.state.key, good=good, record=record)
    refuse_other_stack(shard.name, shard.state.key, shard.configuration, good=good, record=record)


def records_of(store: ObjectReader, folder: str) -> tuple[LastGood | None, StateRecord | None]:
    """Return a shard's last good deployment and its state record. Raises NeedsPersonError for damage."""
    kept, good = read_state_record(store, folder), read_last_good(store, folder)
    return None if good is None else good.record, None if kept is None else kept.record


def refuse_other_lineage(store: ListedReader, shard: Shard, lineage: str) -> None:
    """Return if no other shard's records know this lineage. Raises GateError where one does.

    Reads every record of the bucket: only for a state that is not the one recorded for its own shard.
    """
    for folder in known_lineages(store, lineage):
        if folder != shard.state.folder:
            raise GateError(
                f"the state at {shard.state.key} has lineage {lineage}, which is that of {folder}: "
                "it is another shard's state, and a plan against it would delete that shard's objects",
                next_step="put this shard's own state back: "
                f"holdfast state backups {shlex.quote(shard.name)}",
            )


def known_lineages(store: ListedReader, lineage: str) -> Iterator[str]:
    """Yield the state folders of the shards whose records name this lineage."""
    for folder, kept in read_each(shard_folders(store, STATES), lambda name: read_state_record(store, name)):
        if kept.record.state is not None and kept.record.state.lineage == lineage:
            yield folder
    for folder, good in read_each(shard_folders(store, LAST_GOOD), lambda name: read_last_good(store, name)):
        if good.record.state.lineage == lineage:
            yield folder


def _goes_on_from(good: LastGood | None, configuration: bytes | None) -> bool:
    """Say whether a configuration declares half of what the last good deployment has, or that has nothing."""
    if configuration is None:
        return False
    return good is None or not good.index or _share_declared(good, configuration) >= _ONE_APPS_SHARE


def _share_declared(good: LastGood | None, configuration: bytes) -> float:
    """Return the share of the last good deployment's blocks that a configuration declares."""
    held = set() if good is None else {configuration_address(tracked.address) for tracked in good.index}
    document = json.loads(configuration)
    return sum(declares(document, address) for address in held) / len(held) if held else 0.0


def _owner(good: LastGood | None, record: StateRecord | None) -> str | None:
    """Return the app named by the newest record that names one."""
    if record is not None and record.project is not None:
        return record.project
    return None if good is None else good.project


def _last_deploy(good: LastGood | None, record: StateRecord | None) -> str:
    if good is not None:
        return f", last deployed on {good.at:%d %b %Y} by {good.actor} (run {good.run})"
    return "" if record is None else f", last changed on {record.at:%d %b %Y} (run {record.run})"
