"""The guard on a rollback plan: may exactly this saved plan be applied?

Judged on identities, because a rename, a move and a deposed object each make a plan destroy the original
while every address looks right. Any violation holds the rollback; nothing is changed, and a person sees
the rule, the object and the next step.

    G1   no delete, replacement or deposed delete of a stateful or protected object the last good has
    G2   no create where the last good has a stateful object: its contents are gone, restore them instead
    G3   deletes only of objects this run created
    G4   nothing but what the failed run touched
    G5   new stateful objects are deleted only if nothing can have been written to them
    G6   no one-way update without an approval
    G7   forget only what the rollback configuration says
    G8   the plan is whole, and made from the state recorded after the failure
    G9   nothing that is not understood
    G10  Terraform and providers at least as new as those that wrote the state
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from holdfast_orchestrator.deploy.decisions.reversibility import Approval, find_approval
from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.one_way_updates import OneWay, one_way_updates
from holdfast_orchestrator.terraform.plan import Action, Change, PlannedChanges, read_plan
from holdfast_orchestrator.terraform.state_edits import Move
from holdfast_orchestrator.terraform.state_file import StateStamp
from holdfast_orchestrator.terraform.stateful_types import Protection
from holdfast_orchestrator.terraform.versions import is_older

Rule = Literal["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One reason the rollback plan must not be applied."""

    rule: Rule
    address: str
    identity: Identity | None
    sentence: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Written:
    """Versions: of Terraform, and of each provider by its source address."""

    terraform: str
    providers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a rollback of one failed run may do.

    Attributes:
        last_good: the index of the last good deployment.
        created: identities this run created (`progress.settle`), adopted ones included.
        touched: every address the forward plan touched, adopted ones included.
        moves: the inverse moves; forgets: addresses the rollback configuration forgets.
        imports: addresses it imports again.
        declared: addresses the last good version declares, whether an object was there or not.
        prior: the stamp of the state recorded after the failure.
        writer: the versions that wrote that state.
        protection: what counts as stateful beyond the lists.
        before: the attributes of each object in the state that the run began with, by type and id.
        health_began: whether anything could have been written to new objects.
        new_data: what to do with new stateful objects once it could.
        approvals: what somebody approved by name.
        run, shard: their names, for what to do next.
    """

    last_good: IdentityIndex
    created: frozenset[Identity]
    touched: frozenset[str]
    prior: StateStamp
    writer: Written
    moves: tuple[Move, ...] = ()
    forgets: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()
    protection: Protection = field(default_factory=Protection)
    before: Mapping[tuple[str, str], Document] = field(default_factory=dict)
    health_began: bool = True
    new_data: Literal["keep", "delete"] = "keep"
    approvals: tuple[Approval, ...] = ()
    run: str = "RUN"
    shard: str = "SHARD"

    @property
    def resume(self) -> str:
        """The command that takes the run up again."""
        return f"holdfast resume {self.run}"

    @property
    def decide(self) -> str:
        """What to do about objects that only a person can judge."""
        return (
            f"`{self.resume} --skip ADDRESS` leaves an object as it is, "
            "`--orphan ADDRESS` lets go of a new one, `--accept-forward` undoes nothing"
        )

    def leave(self, address: str) -> str:
        """What to do about an object that the last good version has: it cannot do without it."""
        return (
            f"`{self.resume} --skip {shlex.quote(address)}` leaves the object as it is, "
            f"`{self.resume} --accept-forward` undoes nothing"
        )

    def decide_on(self, address: str) -> str:
        """What to do about this object; one that the last good version declares it would miss."""
        if address in self.declared or address in self.last_good.by_address:
            return self.leave(address)
        name = shlex.quote(address)
        return (
            f"`{self.resume} --skip {name}` leaves the object as it is, "
            f"`{self.resume} --orphan {name}` lets go of it"
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rollback plan: the document, the stamp in its file, and the versions that would apply it."""

    plan: Document
    stamp: StateStamp
    runner: Written


def judge_rollback(candidate: Candidate, bounds: Bounds) -> tuple[Violation, ...]:
    """Every violation of the rules G1 to G10; the plan may be applied only if there is none."""
    planned = read_plan(candidate.plan)
    violations = [*_whole(planned, candidate, bounds), *_versions(candidate, bounds)]
    violations += _count(planned, bounds)
    for change in planned:
        for rule in _RULES:
            violations.extend(rule(change, bounds))
    return tuple(violations)


def _whole(planned: PlannedChanges, candidate: Candidate, bounds: Bounds) -> Iterator[Violation]:
    for problem in planned.problems:
        yield _about("G9", None, problem, f"`{bounds.resume}` with a supported Terraform")
    if candidate.stamp != bounds.prior:
        stamp, wanted = candidate.stamp, bounds.prior
        yield _about(
            "G8",
            None,
            f"The plan was made from state serial {stamp.serial} (lineage {stamp.lineage or 'none'}); "
            f"recorded after the failure was {wanted.serial} ({wanted.lineage or 'none'}).",
            f"find out who wrote the state in between, then `{bounds.resume}`",
        )


def _versions(candidate: Candidate, bounds: Bounds) -> Iterator[Violation]:
    if is_older(candidate.runner.terraform, bounds.writer.terraform):
        yield _too_old("Terraform", candidate.runner.terraform, bounds.writer.terraform)
    for source, written in bounds.writer.providers.items():
        version = candidate.runner.providers.get(source)
        if version is None or is_older(version, written):
            yield _too_old(source, version or "none", written)


def _count(planned: PlannedChanges, bounds: Bounds) -> Iterator[Violation]:
    deletes = sum(change.deletes for change in planned)
    if deletes > len(bounds.created):
        yield _about(
            "G3",
            None,
            f"The plan deletes {deletes} objects, and the failed run created {len(bounds.created)}.",
            bounds.decide,
        )


def _g1(change: Change, bounds: Bounds) -> Iterator[Violation]:
    if not change.deletes or change.identity is None:
        return
    tracked = bounds.last_good.by_identity.get(change.identity)
    if tracked is None:
        return
    addresses = (tracked.address, change.address, change.previous_address or change.address)
    covered = any(bounds.protection.covers(each, change.kind, change.before) for each in addresses)
    if tracked.stateful or covered:
        yield _about(
            "G1",
            change,
            f"{change.address} is {tracked.address} of the last good version, and would be {_verb(change)}.",
            bounds.leave(change.address),
        )


def _g2(change: Change, bounds: Bounds) -> Iterator[Violation]:
    if not change.creates or change.importing:
        return
    tracked = bounds.last_good.by_address.get(change.address)
    if tracked is None:
        return
    if tracked.stateful or bounds.protection.covers(change.address, change.kind, change.after):
        yield _about(
            "G2",
            change,
            f"{change.address} would be created empty; the last good version had data in it.",
            f"restore it from its snapshot, import it, then `{bounds.resume}`",
        )


def _g3(change: Change, bounds: Bounds) -> Iterator[Violation]:
    if change.deletes and change.identity is not None and change.identity not in bounds.created:
        yield _about(
            "G3",
            change,
            f"{change.address} was not created by the failed run.",
            bounds.decide_on(change.address),
        )


def _g4(change: Change, bounds: Bounds) -> Iterator[Violation]:
    move = Move(change.previous_address, change.address) if change.previous_address else None
    if move is not None and not _foreseen(move, bounds):
        yield _about(
            "G4",
            change,
            f"{move.target} moves from {move.source}, which nobody asked for.",
            bounds.decide_on(change.address),
        )
    allowed = {move.target for move in bounds.moves} | {move.source for move in bounds.moves}
    allowed |= bounds.touched | bounds.imports | bounds.forgets
    if change.touches and change.address not in allowed:
        yield _about(
            "G4",
            change,
            f"{change.address} was not touched by the failed run and would change: {change.action}.",
            "somebody changed it outside Holdfast: "
            f"look at `holdfast plan --stack {shlex.quote(bounds.shard)} --refresh`, then `{bounds.resume}`",
        )
    if change.importing and change.address not in bounds.imports:
        yield _about(
            "G4",
            change,
            f"{change.address} would be imported, which nobody asked for.",
            bounds.decide_on(change.address),
        )


def _g5(change: Change, bounds: Bounds) -> Iterator[Violation]:
    if not change.deletes or change.identity not in bounds.created:
        return
    stateful = bounds.protection.covers(change.address, change.kind, change.before)
    if stateful and bounds.health_began and bounds.new_data == "keep":
        yield _about(
            "G5",
            change,
            f"{change.address} is new, and something may have been written to it already.",
            bounds.decide_on(change.address),
        )


def _g6(change: Change, bounds: Bounds) -> Iterator[Violation]:
    for one_way in one_way_updates(change):
        if find_approval(bounds.approvals, change) is None and not _is_restored(one_way, change, bounds):
            yield _about(
                "G6",
                change,
                f"{change.address}: {one_way.attribute} would change back, and {one_way.why}.",
                bounds.leave(change.address),
            )


def _is_restored(one_way: OneWay, change: Change, bounds: Bounds) -> bool:
    """Whether the value is one from before the run, of a kind that can be taken back at no loss."""
    before = bounds.before.get((change.kind, str((change.before or {}).get("id"))))
    if not one_way.restorable or before is None:
        return False
    return before.get(one_way.attribute) == (change.after or {}).get(one_way.attribute)


def _g7(change: Change, bounds: Bounds) -> Iterator[Violation]:
    ours = {change.address, configuration_address(change.address)} & bounds.forgets
    if change.action is Action.FORGET and not ours:
        yield _about(
            "G7",
            change,
            f"{change.address} would be forgotten, which nobody asked for.",
            bounds.decide_on(change.address),
        )


def _g9(change: Change, bounds: Bounds) -> Iterator[Violation]:
    if change.deletes and change.identity is None:
        yield _about(
            "G9",
            change,
            f"{change.address} would be {_verb(change)}, and has no identity.",
            bounds.decide_on(change.address),
        )


_RULES: tuple[Callable[[Change, Bounds], Iterator[Violation]], ...] = (
    _g1,
    _g2,
    _g3,
    _g4,
    _g5,
    _g6,
    _g7,
    _g9,
)


def _foreseen(move: Move, bounds: Bounds) -> bool:
    """Whether a move is one of those that the rollback wants; a block moves with all its instances."""
    block = Move(configuration_address(move.source), configuration_address(move.target))
    return move in bounds.moves or block in bounds.moves


def _verb(change: Change) -> str:
    return "replaced" if change.replaces else "destroyed"


def _too_old(what: str, version: str, written: str) -> Violation:
    return _about(
        "G10",
        None,
        f"The state was written with {what} {written}, and the rollback would use {version}.",
        f"use {what} {written} or newer for the rollback",
    )


def _about(rule: Rule, change: Change | None, sentence: str, next_step: str) -> Violation:
    return Violation(
        rule=rule,
        address=change.address if change else "",
        identity=change.identity if change else None,
        sentence=sentence,
        next_step=next_step,
    )
