"""The gate before the apply: what of this plan could a rollback not undo?

This is the guard that matters most. A table that was replaced and rolled back is there again, the
verify plan is green, and the items are gone; only a look at the forward plan prevents that. Deleting
or replacing a stateful identity, and one-way updates, are held until somebody approved that address by
name (with a snapshot, where AWS can take one). Every other delete is put off to the second stage.
Moves, imports and forgets are noted, because their inverses are needed to go back.
"""

import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.one_way_updates import one_way_updates
from holdfast_orchestrator.terraform.plan import Action, Change, read_plan
from holdfast_orchestrator.terraform.stateful_types import Protection, has_snapshots


class Kind(StrEnum):
    """What a finding is about."""

    UNREADABLE = "unreadable"
    IRREVERSIBLE = "irreversible"
    ONE_WAY = "one_way"
    PUT_OFF = "put_off"
    REPLACED = "replaced"
    MOVED = "moved"
    IMPORTED = "imported"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's consent to lose or change one object: its address, id or name, and the snapshot taken."""

    name: str
    snapshot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a forward plan. `holds` findings stop the run; `next_step` says what lifts them.

    `wants_snapshot` says that AWS can take a snapshot of the object before it is lost.
    """

    kind: Kind
    address: str
    sentence: str
    identity: Identity | None = None
    holds: bool = False
    approved_by: Approval | None = None
    next_step: str | None = None
    wants_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Reversibility:
    """The verdict on a forward plan."""

    findings: tuple[Finding, ...]

    @property
    def held(self) -> tuple[Finding, ...]:
        """What stops the run; nothing may be applied while this is not empty."""
        return tuple(finding for finding in self.findings if finding.holds)

    @property
    def past_return(self) -> tuple[str, ...]:
        """Addresses whose approved change no automatic rollback may try to undo."""
        kinds = (Kind.IRREVERSIBLE, Kind.ONE_WAY)
        return tuple(
            finding.address for finding in self.findings if finding.kind in kinds and finding.approved_by
        )

    @property
    def put_off(self) -> tuple[str, ...]:
        """Addresses whose deletes belong into the second stage."""
        return tuple(finding.address for finding in self.findings if finding.kind is Kind.PUT_OFF)


def judge_forward(
    plan: Document,
    *,
    protection: Protection,
    approvals: Collection[Approval] = (),
    last_good: IdentityIndex | None = None,
) -> Reversibility:
    """Judge whether everything a plan would do can be undone afterwards.

    Args:
        plan: what `terraform show -json` prints for the saved plan.
        protection: what counts as stateful beyond the lists.
        approvals: what somebody approved by name; nothing matches by pattern.
        last_good: the index of the last good deployment; what it calls stateful stays stateful.
    """
    known_good = last_good or IdentityIndex()
    planned = read_plan(plan)
    findings = [_unreadable(problem) for problem in planned.problems]
    for change in planned:
        findings.extend(_judge(change, protection, known_good, tuple(approvals)))
    return Reversibility(tuple(findings))


def find_approval(approvals: Iterable[Approval], change: Change) -> Approval | None:
    """The approval that names this object by address, by id or by its `name`, exactly."""
    before = change.before or {}
    names = {change.address, change.previous_address, before.get("id"), before.get("name")} - {None, ""}
    return next((approval for approval in approvals if approval.name in names), None)


def advice_of(finding: Finding) -> str | None:
    """Return what lifts a finding that holds, with the options that say so."""
    if not finding.address:
        return finding.next_step
    if not finding.wants_snapshot:
        return f"{finding.next_step}: holdfast … --approve {shlex.quote(finding.address)}"
    return (
        f"{finding.next_step}: holdfast … --approve {shlex.quote(f'{finding.address}=SNAPSHOT')}; "
        f"or, without a snapshot: holdfast … --allow-destroy {shlex.quote(finding.address)}"
    )


def _unreadable(problem: str) -> Finding:
    return Finding(
        kind=Kind.UNREADABLE,
        address="",
        sentence=problem,
        holds=True,
        next_step="plan again; if it stays, use a Terraform version this Holdfast supports",
    )


def _judge(
    change: Change, protection: Protection, last_good: IdentityIndex, approvals: tuple[Approval, ...]
) -> Iterator[Finding]:
    if change.deletes:
        yield _judge_delete(change, _is_stateful(change, protection, last_good), approvals)
    for one_way in one_way_updates(change):
        yield _hold_unless_approved(
            change,
            Kind.ONE_WAY,
            f"{change.address}: {one_way.attribute} changes, and {one_way.why}.",
            approvals,
        )
    if change.previous_address:
        yield _note(change, Kind.MOVED, f"moves from {change.previous_address}")
    if change.importing:
        yield _note(change, Kind.IMPORTED, "is imported; a rollback will forget it, not destroy it")
    if change.action is Action.FORGET:
        yield _note(change, Kind.FORGOTTEN, "is forgotten, not destroyed; a rollback will import it again")


def _is_stateful(change: Change, protection: Protection, last_good: IdentityIndex) -> bool:
    if change.identity is None:
        return True
    recorded = last_good.by_identity.get(change.identity)
    addresses = {change.address, change.previous_address} - {None}
    return (
        (recorded is not None and recorded.stateful)
        or any(address in protection.addresses for address in addresses)
        or protection.covers(change.address, change.kind, change.before)
    )


def _judge_delete(change: Change, stateful: bool, approvals: tuple[Approval, ...]) -> Finding:  # noqa: FBT001
    verb = "replace" if change.replaces else "delete"
    if stateful:
        return _hold_unless_approved(
            change,
            Kind.IRREVERSIBLE,
            f"{change.address} would be {verb}d, and what it holds cannot be brought back by a rollback.",
            approvals,
        )
    if change.replaces or change.deposed:
        return _note(change, Kind.REPLACED, f"is {verb}d during the apply; a rollback makes a new one")
    return _note(change, Kind.PUT_OFF, "is deleted in the second stage, when the new version is healthy")


def _hold_unless_approved(
    change: Change, kind: Kind, sentence: str, approvals: tuple[Approval, ...]
) -> Finding:
    approval = find_approval(approvals, change)
    wants_snapshot = kind is Kind.IRREVERSIBLE and has_snapshots(change.kind)
    holds = approval is None or (wants_snapshot and not approval.snapshot)
    return Finding(
        kind=kind,
        address=change.address,
        identity=change.identity,
        sentence=sentence,
        holds=holds,
        approved_by=approval,
        wants_snapshot=wants_snapshot,
        next_step=_next_step(change, wants_snapshot=wants_snapshot) if holds else None,
    )


def _next_step(change: Change, *, wants_snapshot: bool) -> str:
    what = f"approve {change.address} by name"
    if wants_snapshot:
        what = f"take a snapshot, then {what} together with the snapshot's name"
    return f"take the change out of the configuration, or {what}"


def _note(change: Change, kind: Kind, what: str) -> Finding:
    return Finding(
        kind=kind, address=change.address, identity=change.identity, sentence=f"{change.address} {what}."
    )
