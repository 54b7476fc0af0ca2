"""What was seen of objects before their creates: for the guard, the attempt and the journal."""

from collections.abc import Sequence
from typing import Any

from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import Failure
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.gate.takeover import takeovers
from holdfast_orchestrator.plan.looks import look_by_import, unguarded
from holdfast_orchestrator.record.journal.entry import Entry
from holdfast_orchestrator.terraform.holdings import holdings_in
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import Holdings, Sighting, Sightings, Verdict

SEEN, GONE = "seen", "gone"


def holdings_of(leased: LeasedShard, attempt: Attempt, plan: Document | None = None) -> Holdings:
    """What the shard has now, for the guard over an apply of `plan` (by default the one gated last)."""
    return holdings_in(
        leased.document(),
        plan=attempt.plan if plan is None else plan,
        gone=attempt.objects.sightings.gone,
        accepted=attempt.policy.adopt,
    )


def note_sightings(attempt: Attempt, watched: Sightings | None) -> dict[str, Any]:
    """Take in what a command saw, and return what the journal keeps of it."""
    if watched is None or not (watched.by_key or watched.gone):
        return {}
    attempt.objects.sightings.add(watched.by_key.values())
    attempt.objects.sightings.gone |= watched.gone
    return {
        SEEN: [sighting.to_json() for sighting in watched.by_key.values()],
        GONE: [[key.kind, key.name, key.place] for key in sorted(watched.gone, key=str)],
    }


def look_once_more(leased: LeasedShard, attempt: Attempt) -> dict[str, Any]:
    """Look, right before an apply that nothing guards, for what its creates would take over.

    What is there fails the apply before it begins. All else counts as unproven from now on, because somebody
    may make it until its create. Returns what the journal keeps.
    """
    if attempt.verb == "destroy" or attempt.planning.plan_file is None or attempt.planning.terraform.guards:
        return {}
    holdings = holdings_of(leased, attempt)
    watched = unguarded(leased.shard, attempt.plan, holdings)
    if not watched.by_key:
        return {}
    leased.step("looking once more")
    looked = look_by_import(attempt.planning.terraform, leased.shard, attempt.plan, holdings)
    findings = [*takeovers(attempt.plan, looked, leased.shard)]
    if findings:
        attempt.planning.plan_file.unlink(missing_ok=True)
        attempt.planning.plan_file = None
        attempt.evidence.code, attempt.evidence.errors = (
            1,
            tuple(f"{finding.what}: it already exists" for finding in findings),
        )
        attempt.failure = Failure(
            reason="; ".join(finding.what for finding in findings),
            next_step=findings[0].next_step,
            evidence=(),
            lasts=True,
        )
        watched = looked
    return note_sightings(attempt, watched)


def note_applied(leased: LeasedShard, attempt: Attempt, watched: Sightings | None) -> dict[str, Any]:
    """Take in what the guard saw of an apply, and what that apply proves where none was there."""
    if watched is None and attempt.verb != "destroy":
        watched = unguarded(leased.shard, attempt.plan, holdings_of(leased, attempt))
    return note_sightings(attempt, watched)


def tell_unproven(leased: LeasedShard, watched: Sightings) -> None:
    """Tell, once for each type, that nobody can say whether its objects were there before."""
    unproven = {
        sighting.kind: sighting.why
        for sighting in watched.by_key.values()
        if sighting.verdict is Verdict.UNPROVEN
    }
    for kind, why in sorted(unproven.items()):
        reason = why.splitlines()[0] if why else "no answer"
        leased.say(
            f"nobody can tell whether an {kind} is there already ({reason}): should this deploy fail, "
            "what it makes of that type is left behind and named"
        )


def sightings_in(entries: Sequence[Entry]) -> Sightings:
    """Read from a journal what was seen; the newest word of each object counts."""
    sightings = Sightings()
    for entry in entries:
        sightings.add(Sighting.of(item) for item in entry.data.get(SEEN, ()))
        sightings.gone.update(ObjectKey(*key) for key in entry.data.get(GONE, ()))
    return sightings
