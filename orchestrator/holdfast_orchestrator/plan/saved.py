"""Plans kept in a folder, to be looked at now and applied later as they are.

`plan.json` says what each plan is and what it was made from; `<shard>.tfplan` is Terraform's own file.
Both hold secrets: the folder is private. A kept plan is refused once the configuration, the state or the
outputs it was made from are others, because what is applied must be what was looked at.
"""

import hashlib
import json
import os
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.errors import GateError, SettingsError
from holdfast_orchestrator.plan.result import Plan, ShardPlan, configuration_sha256
from holdfast_orchestrator.state.record_format import Format, copied
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.state_key import file_name
from holdfast_orchestrator.system.json_input import parse_json, read_settings
from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_file, refuse_link, write_new
from holdfast_orchestrator.terraform.state_file import StateStamp

_INDEX = "plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptShard(ShardPlan):
    """The plan of a shard; Terraform's own file lies beside it, and has this digest."""

    content: Annotated[bytes | None, Field(exclude=True)] = field(default=None, repr=False)
    content_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """What `plan.json` says."""

    run: str
    environments: tuple[str, ...]
    shards: tuple[_KeptShard, ...]


FORMAT = Format[KeptPlan]("holdfast/kept-plan/v1", KeptPlan)


def refuse_unusable(folder: Path) -> None:
    """Return if plans can be kept in `folder`, as far as can be seen beforehand. Raises SettingsError."""
    if os.path.lexists(folder):
        _refuse_unsafe(folder)


def keep(plan: Plan, folder: Path) -> None:
    """Write `plan` to `folder`. Raises SettingsError where other files lie there."""
    _open_folder(folder)
    strangers = sorted(path.name for path in folder.iterdir() if not _is_kept(path))
    if strangers:
        raise SettingsError(f"{folder} must be empty or hold kept plans, it holds {strangers[0]!r}")
    folder.chmod(0o700)
    for old in folder.iterdir():
        old.unlink()
    for shard in plan.shards:
        if shard.content is not None:
            write_new(_file(folder, shard.shard), shard.content)
    kept = KeptPlan(run=plan.run, environments=plan.environments, shards=tuple(map(_kept, plan.shards)))
    document = {"schema": FORMAT.schema, **FORMAT.to_json(kept)}
    write_new(folder / _INDEX, json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")


def read_kept(folder: Path) -> Plan:
    """Return the plan kept in `folder`. Raises SettingsError where it is none, or was tampered with."""
    try:
        _refuse_unsafe(folder)
        kept = FORMAT.from_json(parse_json(read_settings(folder / _INDEX)))
        return copied(Plan, kept, shards=tuple(_restored(shard, folder) for shard in kept.shards))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{folder} holds no kept plan: {error}", next_step="holdfast plan --out DIR"
        ) from None


def refuse_stale(
    kept: ShardPlan, shard: Shard, snapshot: StateSnapshot | None, inputs: Mapping[str, str]
) -> None:
    """Return if `kept` may be applied now. Raises GateError that says what is different."""
    if kept.configuration_sha256 != configuration_sha256(shard):
        raise GateError(
            f"the plan kept for {kept.label} was made from another configuration",
            next_step="check out the commit it was made from, or plan again",
        )
    if kept.document is not None and kept.reads != shard.inputs.digests:
        raise GateError(
            f"the plan kept for {kept.label} was made from other inputs: "
            f"{', '.join(_differing(kept.reads, shard.inputs.digests))}",
            next_step="put them back as they were, or plan again",
        )
    now = None if snapshot is None else snapshot.stamp
    if kept.failure is None and not kept.waits_for and kept.state != now:
        raise GateError(
            f"the plan kept for {kept.label} was made against {_stamp(kept.state)}, now it is {_stamp(now)}",
            next_step="plan again",
        )
    if kept.document is not None and not kept.skipped and kept.inputs != inputs:
        raise GateError(
            f"the plan kept for {kept.label} was made from other outputs of "
            f"{', '.join(_differing(kept.inputs, inputs))}",
            next_step="plan again",
        )


def _differing(link: Mapping[str, str], other: Mapping[str, str]) -> Iterator[str]:
    return (name for name in sorted({*link, *other}) if link.get(name) != other.get(name))


def _stamp(stamp: StateStamp | None) -> str:
    return "no state" if stamp is None else f"state serial {stamp.serial} (lineage {stamp.lineage})"


def _kept(plan: ShardPlan) -> _KeptShard:
    digest = None if plan.content is None else hashlib.sha256(plan.content).hexdigest()
    return copied(_KeptShard, plan, content_sha256=digest)


def _restored(kept: _KeptShard, folder: Path) -> ShardPlan:
    if kept.content_sha256 is None:
        return copied(ShardPlan, kept)
    file = _file(folder, kept.shard)
    content = read_file(file)
    if hashlib.sha256(content).hexdigest() != kept.content_sha256:
        raise ValueError(f"{file.name} is not the file that was kept")
    return copied(ShardPlan, kept, content=content)


def _file(folder: Path, shard: str) -> Path:
    return folder / f"{file_name(shard)}.tfplan"


def _is_kept(path: Path) -> bool:
    return (path.name == _INDEX or path.suffix == ".tfplan") and not stat.S_ISDIR(path.lstat().st_mode)


def _open_folder(folder: Path) -> None:
    """Make the folder, or see that it is one of ours. Raises SettingsError."""
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        _refuse_unsafe(folder)


def _refuse_unsafe(folder: Path) -> None:
    try:
        link = refuse_link(folder, of=folder.parent)
    except UnsafePlaceError as error:
        raise SettingsError(error.what, next_step=error.next_step) from None
    if stat.S_IMODE(link.st_mode) & stat.S_IWOTH and not link.st_mode & stat.S_ISVTX:
        raise SettingsError(
            f"anybody may write to {folder}, and what lies there would be applied",
            next_step=f"look at it, then: chmod o-w {shlex.quote(str(folder))}",
        )
