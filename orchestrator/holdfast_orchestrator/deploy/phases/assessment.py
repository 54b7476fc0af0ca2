"""Assesses what an apply has left: reads everything, changes nothing, and names the kind of failure."""

from dataclasses import dataclass

from holdfast_orchestrator.deploy.decisions.apply_progress import Progress, Settled, Step, settle
from holdfast_orchestrator.deploy.decisions.state_recovery import (
    Decision,
    Evidence,
    NothingToDo,
    UseStored,
    decide,
)
from holdfast_orchestrator.deploy.decisions.verdict import Aftermath, Verdict, classify
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard, recorded
from holdfast_orchestrator.state.backups import list_backups
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.error_patterns import says_exists
from holdfast_orchestrator.terraform.holdings import unproven_in
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.state_file import Condition, Standing, StateObject, compare, read_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The newest state, the events held against it, and what has to be done about the state."""

    stored: StateObject
    now: IdentityIndex
    progress: Progress
    settled: Settled
    rescued: bool
    decision: Decision

    @property
    def state_is_whole(self) -> bool:
        """Whether the stored state is the truth and nothing waits beside it."""
        return not self.rescued and isinstance(self.decision, NothingToDo | UseStored)


def examine(leased: LeasedShard, attempt: Attempt) -> Assessment:
    """Look at state, rescued state and events."""
    stored = leased.state()
    rescued = leased.rescued()
    progress = attempt.progress()
    before = recorded(attempt.before.snapshot)
    now = leased.index(stored.document)
    evidence = Evidence(
        stored=stored,
        recorded=before,
        rescued=() if rescued is None else (read_state("errored.tfstate", read_source(rescued)),),
        copies=_copies(leased, attempt) if _is_lost(stored, attempt) else (),
        created=progress.created(),
        gone=progress.gone() | attempt.objects.let_go,
    )
    return Assessment(
        stored=stored,
        now=now,
        progress=progress,
        settled=settle(
            progress,
            before=attempt.before.index,
            now=now,
            imported=attempt.imported,
            unproven=unproven_in(stored.document, attempt.objects.sightings) - attempt.objects.adopted,
        ),
        rescued=rescued is not None,
        decision=decide(evidence),
    )


def verdict_of(attempt: Attempt, assessment: Assessment) -> Verdict:
    """What kind of failure this is, as far as is known now."""
    waits = not assessment.state_is_whole
    return classify(
        Aftermath(
            exit_code=attempt.evidence.code,
            errors=attempt.evidence.errors,
            rescued_state=waits,
            unsaved=0,
            in_doubt=len(in_doubt(attempt, assessment)),
            adopted=_answered_by_our_own(attempt, assessment),
            verified=attempt.verification.verified,
            healthy=attempt.health.healthy,
        )
    )


def _answered_by_our_own(attempt: Attempt, assessment: Assessment) -> tuple[str, ...]:
    """The errors that report an existing object which this run has adopted."""
    adopted = {tracked.address for tracked in assessment.now if tracked.identity in attempt.objects.adopted}
    return tuple(
        error.text
        for error in attempt.evidence.diagnostics
        if error.address in adopted and says_exists(error.text)
    )


def in_doubt(attempt: Attempt, assessment: Assessment) -> tuple[Step, ...]:
    """The creates in doubt that were not looked for yet. A refused create has made nothing."""
    refused = attempt.refused()
    return tuple(
        step
        for step in assessment.settled.in_doubt
        if (step.address, step.id_value) not in attempt.objects.looked_for and step.address not in refused
    )


def may_be_done(assessment: Assessment) -> bool:
    """Whether every step that was planned was done, as far as the events tell."""
    return not assessment.progress.unfinished and not assessment.progress.not_started


def _is_lost(stored: StateObject, attempt: Attempt) -> bool:
    before = recorded(attempt.before.snapshot)
    if before is None:
        return False
    return compare(stored, before) in (Standing.ABSENT, Standing.DAMAGED, Standing.OLDER)


def _copies(leased: LeasedShard, attempt: Attempt) -> tuple[StateObject, ...]:
    """Copies of the state: the backups, and the bucket's own earlier versions."""
    copies = (
        [] if attempt.before.snapshot is None else [read_state("the backup", attempt.before.snapshot.body)]
    )
    for backup in list_backups(leased.store, leased.folder):
        stored = leased.store.get(backup.key)
        copies.append(read_state(f"backup {backup.serial}", None if stored is None else stored.body))
    key = leased.shard.state.key
    for version in leased.store.versions(key):
        stored = None if version.deleted else leased.store.get_version(key, version.version)
        copies.append(read_state(f"version {version.version}", None if stored is None else stored.body))
    return tuple(copy for copy in copies if copy.condition is Condition.WHOLE)
