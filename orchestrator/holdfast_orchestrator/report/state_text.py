"""The text of `holdfast state`: a table of copies, and what a restore changes."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from holdfast_orchestrator.report.wording import columns, counted, moment
from holdfast_orchestrator.state.copies import StateCopy
from holdfast_orchestrator.state_admin.restore import Restored, RestoreProposal
from holdfast_orchestrator.terraform.identity import TrackedObject
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.state_file import StateObject

_HEADING = ("WRITTEN", "SERIAL", "SIZE", "WHAT", "BY", "NAME")


def copies_lines(
    copies: Sequence[StateCopy], current: StateObject, *, width: int | None = None
) -> Iterator[str]:
    """Yield a table of the copies of a state, in at most `width` columns; `current` is the object now."""
    if current.document is None:
        yield f"the state object is {current.condition}"
    if copies:
        rows = (_row(copy, is_current=copy.sha256 == current.sha256) for copy in copies)
        yield from columns([_HEADING, *rows], width=width, cut=("WHAT", "BY"))
    else:
        yield "no copies"


def proposal_lines(proposal: RestoreProposal) -> Iterator[str]:
    """Yield what a restore would do."""
    diff, place = proposal.diff, proposal.place
    yield f"Restore the state of {place.shard} ({place.bucket}/{place.key})"
    yield f"  now   {_now(proposal.now)}"
    yield f"  then  {proposal.copy.described}, {_count(proposal.then)} objects"
    yield f"  it would become serial {proposal.serial} of lineage {proposal.then.lineage}"
    if proposal.now.document is None:
        yield "  nothing can be compared: there is no usable state now"
    elif diff.empty:
        yield "  the two states know the same objects"
    yield from _objects(
        "Orphaned: these exist, and no state will know them",
        diff.orphaned,
        "holds data that is yours to keep",
    )
    yield from _objects(
        "Known again; where one no longer exists, the next plan creates it anew, empty",
        diff.resurrected if proposal.now.document is not None else (),
        "held data",
    )
    yield from _section(
        "Known under another address", (f"{move.source} -> {move.target}" for move in diff.moved)
    )
    yield from _section("Recorded differently; the next plan shows the truth", diff.changed)
    yield from _section("Outputs that differ, which other shards may read", diff.outputs)
    yield from (f"! {warning}" for warning in proposal.warnings)


def restored_lines(proposal: RestoreProposal, ended: Restored) -> Iterator[str]:
    """Yield what was done and the next step."""
    shard = proposal.place.shard
    yield f"restored: {shard} is at serial {ended.serial}"
    yield f"  what was there before  {ended.backup or 'nothing worth keeping'}"
    plan = f"holdfast plan --stack {shlex.quote(shard)}"
    yield f"  next                   {plan}   look at it before anything is deployed"
    if proposal.diff.orphaned:
        orphaned = counted(len(proposal.diff.orphaned), "orphaned object")
        yield f"  {orphaned}: import those that this state is to keep"


def _row(copy: StateCopy, *, is_current: bool) -> tuple[str, ...]:
    meta = copy.meta
    what = "version" if meta is None and copy.is_version else "backup" if meta is None else meta.reason
    return (
        moment(copy.written),
        str(copy.serial),
        _size(copy.size),
        f"{what} (now)" if is_current else what,
        "" if meta is None else meta.actor,
        copy.short_name,
    )


def _now(now: StateObject) -> str:
    if now.document is None:
        return f"the object is {now.condition}"
    return f"serial {now.serial}, {_count(now)} objects"


def _count(state: StateObject) -> int:
    return sum(1 for _ in managed(state.document or {}))


def _objects(title: str, objects: Sequence[TrackedObject], warning: str) -> Iterator[str]:
    lines = (
        f"{tracked.address}  {tracked.id or tracked.identity.value}"
        + (f"  ({warning})" if tracked.stateful else "")
        for tracked in objects
    )
    yield from _section(title, lines)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    listed = list(lines)
    if listed:
        yield f"{title} ({len(listed)}):"
        yield from (f"  {line}" for line in listed)


def _size(size: int) -> str:
    return f"{size / 1024:.0f}K" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f}M"
