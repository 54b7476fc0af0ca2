"""The verify: a plan that shows nothing, a state that was refreshed, and nothing stateful lost."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.change_detection.fingerprinting import upstream_stamps
from holdfast_orchestrator.deploy.decisions.read_again import Course, because_of_changes, because_of_course
from holdfast_orchestrator.deploy.decisions.reversibility import find_approval
from holdfast_orchestrator.deploy.decisions.verification import ObjectsOfRun, Verified, judge_verify
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import correct_and_deploy
from holdfast_orchestrator.errors import InterruptedSafelyError
from holdfast_orchestrator.events import ShardVerified
from holdfast_orchestrator.record.fingerprint import VerifiedInputs
from holdfast_orchestrator.record.shard_record import accepted_in_note
from holdfast_orchestrator.terraform.differences import Accepting
from holdfast_orchestrator.terraform.identity import IdentityIndex, as_told_now
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.plan import NO_CHANGES, read_plan
from holdfast_orchestrator.terraform.reads import ReadCount, Reading

_FILE = "verify.tfplan"


def prove(leased: LeasedShard, attempt: Attempt, configuration: Document, *, back: bool = False) -> Verified:
    """Plan `configuration` against what there is now, and judge the plan and the state.

    With `back` it is the last good one, gone back to. Objects that nothing can have changed are not read
    again; what that proves is in docs/verify.md. Raises HoldfastError where it cannot be planned.
    """
    reason = _why_all_is_read(attempt, back=back)
    reading = None if reason else leased.reading(recalls=True)
    verified = _proved(leased, attempt, configuration, back=back, reading=reading)
    if verified.proven or verified.reads is None or not verified.reads.remembered:
        return replace(verified, read_again=reason)
    # No deploy is undone for something that was not read just now.
    again = _proved(leased, attempt, configuration, back=back, reading=None)
    return replace(again, reads_before=verified.reads)


def _why_all_is_read(attempt: Attempt, *, back: bool) -> str | None:
    course = Course(
        verb=attempt.verb, code=attempt.evidence.code, retries=attempt.course.retries, goes_back=back
    )
    return because_of_course(course) or because_of_changes(attempt.planning.plans, attempt.configuration)


def _proved(
    leased: LeasedShard, attempt: Attempt, configuration: Document, *, back: bool, reading: Reading | None
) -> Verified:
    inputs = upstream_stamps(leased, configuration)
    terraform = leased.terraform(
        None if configuration is attempt.configuration else configuration, attempt.inputs_for(configuration)
    )
    outcome = terraform.plan(out=_FILE, reading=reading)
    shown = terraform.show_plan(outcome.plan) if outcome.changes else NO_CHANGES
    if not outcome.changes and any(drift.action == "delete" for drift in outcome.drift):
        # A plan can exit 0 while the stored state still lists what is gone; applying it saves the refresh.
        terraform.apply(outcome.plan)
    outcome.plan.unlink(missing_ok=True)
    snapshot = leased.snapshot()
    attempt.verification.proven = None
    if inputs is not None and snapshot is not None:
        attempt.verification.proven = VerifiedInputs(inputs=inputs, state=snapshot.etag)
    objects = ObjectsOfRun(
        before=to_keep(attempt),
        now=leased.index(None if snapshot is None else snapshot.document),
        # What a plan forgets was let go of on purpose, and is still there; a way back brings it in again.
        approved=_approved(attempt) | (frozenset() if back else attempt.forgotten),
        destroyed=attempt.progress().destroyed(),
    )
    verified = judge_verify(
        shown,
        objects,
        baseline=None if attempt.good is None else attempt.good.record.residual,
        accepted=accepting_back(leased.shard, attempt, configuration)
        if back
        else accepting(leased, configuration),
    )
    attempt.verification.accepted = verified.differences.accepted
    attempt.verification.accepted_mark = verified.differences.mark if attempt.verification.accepted else None
    attempt.verification.standing = snapshot if verified.proven else None
    return replace(verified, reads=outcome.reads)


def accepting(leased: LeasedShard, configuration: Document) -> Accepting:
    """The differences that are accepted today."""
    return Accepting(leased.shard.accepted_differences, leased.run.clock.now().date(), configuration)


def accepting_back(shard: Shard, attempt: Attempt, configuration: Document) -> Accepting:
    """The differences accepted today, or when the last good version was deployed; none of them expires."""
    noted = None if attempt.good is None else attempt.good.record.shard
    entries = (*shard.accepted_differences, *accepted_in_note(noted))
    return Accepting(entries, configuration=configuration)


def to_keep(attempt: Attempt) -> IdentityIndex:
    """What of the last good deployment was still there when this run began."""
    if attempt.good is None:
        return IdentityIndex()
    before = attempt.before.index
    good = as_told_now(attempt.good.record.index, before)
    return IdentityIndex(tuple(tracked for tracked in good if tracked.identity in before))


def told(verified: Verified) -> dict[str, Any]:
    """The fields of a verify that the journal keeps."""
    return {
        "plan": verified.plan,
        "fingerprint": verified.fingerprint,
        "differing": list(verified.differing),
        **(
            {"accepted": [str(use) for use in verified.differences.accepted]}
            if verified.differences.accepted
            else {}
        ),
        "lost": [tracked.address for tracked in verified.lost],
        **({} if verified.reads is None else asdict(verified.reads)),
        **({} if verified.reads_before is None else {"repeated_after": asdict(verified.reads_before)}),
        **({} if verified.read_again is None else {"read_again": verified.read_again}),
    }


def sentence(verified: Verified) -> str:
    """Why a verify did not prove what it had to."""
    if verified.lost:
        lost = ", ".join(f"{tracked.address} ({tracked.id})" for tracked in verified.lost)
        return f"lost: {lost}"
    left = verified.differences
    shown = ", ".join(map(str, left.open)) or "what was accepted once"
    over = "".join(
        f"; accepted until {one.expires} only: {one.resource} {one.attribute}" for one in left.expired
    )
    return f"a plan right after the apply still shows changes of {shown}{over}"


def way_out(verified: Verified, leased: LeasedShard) -> str:
    """What to do about a verify that did not prove what it had to; entries that accept it, word for word."""
    left = verified.differences
    again = correct_and_deploy(leased.shard)
    if verified.lost or verified.plan == "unreadable" or not all(one.attributes for one in left.open):
        return again
    if not left.open:
        return f"set a later `expires` in the entry of accepted_differences, or {again}"
    entries = json.dumps([*_entries(verified, leased)], ensure_ascii=False)
    return (
        f"{again}; where it never settles, first accept it: write into cdktf.json, under context.holdfast, "
        f'"accepted_differences": {entries}'
    )


def tell_unused(leased: LeasedShard, verified: Verified) -> None:
    """Say which entries nothing needed: one that is not needed could hide what is to come."""
    for entry in verified.differences.unused:
        leased.say(
            f"accepted difference {entry.resource} {entry.attribute} (owner {entry.owner}) did not show: "
            "remove it from accepted_differences if it never does"
        )


def tell_reads(leased: LeasedShard, reads: ReadCount | None) -> None:
    """Say how much of a verify rests on what the plan has read."""
    if reads is None:
        return
    leased.run.emit(ShardVerified(shard=leased.shard.name, read=reads.read, remembered=reads.remembered))
    if reads.remembered:
        leased.say(
            f"verified: {reads.read} {'object was' if reads.read == 1 else 'objects were'} read again; "
            f"{reads.remembered} share no identifier with any change, and count as the plan has read them "
            "(--full-verify reads all)"
        )


def _entries(verified: Verified, leased: LeasedShard) -> Iterator[dict[str, str]]:
    for one in verified.differences.open:
        for attribute in one.attributes:
            yield {
                "stack": leased.shard.name,
                "resource": one.address,
                "attribute": attribute,
                "reason": "shows a change after every apply",
                "owner": leased.run_context.actor.name,
            }


def refuse_when_interrupted(leased: LeasedShard) -> None:
    """Raise where somebody asked to stop and nothing has been changed yet."""
    if leased.run.stop.asked:
        raise InterruptedSafelyError("interrupted before anything was applied")


def _approved(attempt: Attempt) -> frozenset[str]:
    """Addresses whose loss somebody approved by name."""
    consents = attempt.consents
    return frozenset(
        change.address
        for plan in attempt.planning.plans
        for change in read_plan(plan)
        if change.deletes and find_approval(consents, change) is not None
    )
