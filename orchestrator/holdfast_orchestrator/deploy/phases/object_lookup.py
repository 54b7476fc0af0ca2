"""Finds out whether an object in doubt exists and is ours, with a plan that only reads.

Its id is worked out from what was planned, or, where only AWS chooses it, found by its tags.

Ours is what was looked for before its create was begun and was absent, whatever its tags. Of an apply whose
events are lost nobody knows what was begun: then the object has to be what was planned, too. Where nobody
looked, ours is what carries the three tags every provider of our stacks puts on everything (`Service`,
`Environment`, `ManagedBy` = holdfast), all with this shard's values, and is in no other state of the app. An
app that puts no such tags on its objects gives no proof: then an object is reported and left alone. What the
guard over the creates refused was there before, and is never ours.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.deploy.decisions.adoption import (
    ATTEMPTS,
    Adopt,
    candidate_ids,
    judge_adoption,
)
from holdfast_orchestrator.deploy.decisions.apply_progress import Step
from holdfast_orchestrator.deploy.phases.tag_search import find_by_tags, stable_tags
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.engine.diagnostics import CommandFailedError
from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.terraform.error_patterns import (
    says_absent,
    says_exists,
    says_hidden,
    says_not_made,
)
from holdfast_orchestrator.terraform.identity import Identity, arn_of
from holdfast_orchestrator.terraform.import_ids import ImportBlock, with_imports
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.object_keys import Place
from holdfast_orchestrator.terraform.plan import Change, read_plan

_FILE = "probe.tfplan"
# A call that was open when Terraform was stopped took 12 s to land.
_WAITS = (4.0, 10.0)
_OPEN_CALL = re.compile(
    r"context canceled|RequestCanceled|Plugin did not respond|connection|timeout|timed out|EOF|"
    r"deadline exceeded|unreachable|no route to host",
    re.IGNORECASE,
)

# What it refers to does not exist, so nothing was made.
_NOT_FOUND = re.compile(r"creating (?!.*Tag\w*,).*StatusCode: 404", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """An object that exists. `why` says why it is not ours; None: it is.

    `was_absent` says that it was looked for before its create, and was not there.
    """

    address: str
    import_id: str
    identity: Identity
    why: str | None
    was_absent: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields as the journal keeps them."""
        return {
            "address": self.address,
            "id": self.import_id,
            "identity": [self.identity.kind, self.identity.value],
            "why": self.why,
            "absent": self.was_absent,
        }


class _NoAnswerError(Exception):
    """Nobody could say whether an object is there."""


def look_for(leased: LeasedShard, attempt: Attempt, doubts: Sequence[Step]) -> tuple[Probed, ...]:
    """Look for each object; what may still be on its way, or could not be read, is looked for again.

    Raises NeedsPersonError where one could not be read in the end: not to know is not the same as no.
    """
    probed_by_address: dict[str, Probed] = {}
    unanswered: dict[str, str] = {}
    for look in range(ATTEMPTS):
        if look > 0:
            leased.run.clock.sleep(_WAITS[look - 1])
        unanswered.clear()
        missing = [step for step in doubts if step.address not in probed_by_address]
        for step in missing:
            try:
                if (probed := _at_known_ids(leased, attempt, step)) is not None:
                    probed_by_address[step.address] = probed
            except _NoAnswerError as error:
                unanswered[step.address] = str(error)
        probed_by_address |= _tagged(leased, attempt, missing, probed_by_address, unanswered)
        if len(probed_by_address) == len(doubts) or not (unanswered or may_still_land(attempt)):
            break
    if unanswered:
        why = "; ".join(dict.fromkeys(unanswered.values()))
        raise NeedsPersonError(
            f"it could not be found out whether {', '.join(unanswered)} was made: {why}",
            next_step=f"holdfast resume {attempt.run} --continue, when that has passed or is put right",
        )
    return tuple(probed_by_address.values())


def may_still_land(attempt: Attempt) -> bool:
    """Whether a call may have been open when Terraform ended: killed, interrupted, or its answer lost."""
    back = attempt.rollback
    codes = (attempt.evidence.code,) if back is None else (attempt.evidence.code, back.code)
    if attempt.evidence.interrupted or any(code is None or code < 0 for code in codes):
        return True
    return any(_OPEN_CALL.search(error) for error in _errors(attempt))


def may_be_there(attempt: Attempt) -> bool:
    """Whether an object may be there whose create failed: its call may land yet, or was answered by its own.

    Where an answer is lost the SDK asks again, and AWS answers that the object exists.
    """
    return may_still_land(attempt) or any(says_exists(error) for error in _errors(attempt))


def was_refused(attempt: Attempt, step: Step) -> bool:
    """Whether AWS refused the call that makes this object: then no answer was lost.

    What a later call was answered says nothing: the object may be there without its tags.
    """
    errors = [
        diagnostic.text
        for diagnostic in attempt.evidence.diagnostics
        if diagnostic.is_error and diagnostic.address == step.address
    ]
    if not errors or attempt.rollback is not None or attempt.evidence.interrupted:
        return False
    return all(_NOT_FOUND.match(text) or says_not_made(text) for text in errors)


def _errors(attempt: Attempt) -> tuple[str, ...]:
    return (
        attempt.evidence.errors
        if attempt.rollback is None
        else (*attempt.evidence.errors, *attempt.rollback.errors)
    )


def known_ids(leased: LeasedShard, attempt: Attempt, step: Step) -> tuple[str, ...]:
    """The ids the object would have: it is there under one of them, or not at all. None: only AWS knows."""
    if step.id_value:
        return (step.id_value,)
    place = Place(account=leased.shard.account, region=leased.shard.region)
    return candidate_ids(step.kind, attempt.planned_values().get(step.address, {}), place)


def _tagged(
    leased: LeasedShard,
    attempt: Attempt,
    missing: Sequence[Step],
    probed_by_address: Mapping[str, Probed],
    unanswered: dict[str, str],
) -> dict[str, Probed]:
    """Find, by their tags, objects whose ids only AWS knows. Adds to `unanswered`."""
    steps = {step.address: step for step in missing if not known_ids(leased, attempt, step)}
    if not steps or attempt.objects.tagged_before is None or not may_be_there(attempt):
        return {}
    planned = attempt.planned_values()
    ids = find_by_tags(
        leased,
        {address: (step.kind, planned.get(address, {})) for address, step in steps.items()},
        strangers={*attempt.objects.tagged_before, *(each.import_id for each in probed_by_address.values())},
    )
    looked = dict[str, Probed]()
    for address, import_id in ids.items():
        try:
            if (probed := _look(leased, attempt, steps[address], import_id, whole=True)) is not None:
                looked[address] = probed
        except _NoAnswerError as error:
            unanswered[address] = str(error)
    return looked


def _look(
    leased: LeasedShard, attempt: Attempt, step: Step, import_id: str, *, whole: bool = False
) -> Probed | None:
    """The object with this id, None where there is none; `whole`: or where it would have to be replaced."""
    change = _read(leased, attempt, ImportBlock(step.address, import_id))
    if change is None or change.identity is None or (whole and change.deletes):
        return None
    absent = _was_absent(attempt, change)
    why = _why_refused(attempt, change) or (
        _why_elsewhere(leased, change.identity)
        if absent
        else _why_not_ours(leased, change) or _why_not_new(attempt, change)
    )
    return Probed(
        address=step.address, import_id=import_id, identity=change.identity, why=why, was_absent=absent
    )


def _at_known_ids(leased: LeasedShard, attempt: Attempt, step: Step) -> Probed | None:
    looked = (_look(leased, attempt, step, import_id) for import_id in known_ids(leased, attempt, step))
    return next((probed for probed in looked if probed is not None), None)


def _read(leased: LeasedShard, attempt: Attempt, block: ImportBlock) -> Change | None:
    """The object as an import would show it, None where there is none. Raises _NoAnswerError."""
    declaring = attempt.declaring(block.address)
    terraform = leased.terraform(with_imports(declaring, [block]), attempt.inputs_for(declaring))
    try:
        outcome = terraform.plan(out=_FILE, targets=[block.address])
    except CommandFailedError as error:
        if _says_no(attempt, block.address, error):
            return None
        raise _NoAnswerError(error.what) from error
    shown = terraform.show_plan(outcome.plan)
    outcome.plan.unlink(missing_ok=True)
    return next((change for change in read_plan(shown) if change.importing), None)


def _says_no(attempt: Attempt, address: str, error: CommandFailedError) -> bool:
    """Whether the error says that the object does not exist, or is not ours and must not be read."""
    # An import has no address in its complaints where the provider makes them; others are of what it needs.
    errors = [
        diagnostic.text
        for diagnostic in error.diagnostics
        if diagnostic.is_error and diagnostic.address in (None, address)
    ]
    if errors and all(says_absent(text) for text in errors):
        return True
    made = (diagnostic.text for diagnostic in attempt.evidence.diagnostics if diagnostic.address == address)
    return any(says_not_made(text) for text in made) and any(says_hidden(text) for text in errors)


def _was_absent(attempt: Attempt, change: Change) -> bool:
    """Whether the object was looked for before its create, was absent, and this run may have made it."""
    if not attempt.objects.sightings.was_absent(change.kind, change.before or {}):
        return False
    begun = any(step.address == change.address for step in attempt.begun())
    return begun or _is_as_planned(change)


def _is_as_planned(change: Change) -> bool:
    """Whether the object is what was planned, apart from values that AWS does not return."""
    before, after = change.before or {}, change.after or {}
    names = {name for name, value in before.items() if value not in (None, "", [], {}, False)}
    return not change.deletes and all(before[name] == after.get(name) for name in names & after.keys())


def _why_refused(attempt: Attempt, change: Change) -> str | None:
    refused = attempt.objects.sightings.was_refused(change.kind, change.before or {})
    if refused or change.address in attempt.refused():
        return "it was there before this run, which was refused to take it over"
    return None


def _why_elsewhere(leased: LeasedShard, identity: Identity) -> str | None:
    return "another shard's state has it" if identity in set(_elsewhere(leased)) else None


def _why_not_ours(leased: LeasedShard, change: Change) -> str | None:
    """Why the object is not this shard's; None where it may be. Raises _NoAnswerError."""
    identity, values = change.identity or Identity(change.kind, ""), change.before or {}
    tags = stable_tags(leased.shard)
    answers = [judge_adoption(identity, values, tag=tag, elsewhere=()) for tag in tags]
    if all(isinstance(answer, Adopt) for answer in answers):
        # Whose tags are not ours is in no state that has to be read for it.
        answers = [judge_adoption(identity, values, tag=tags[0], elsewhere=frozenset(_elsewhere(leased)))]
    return next((answer.why for answer in answers if not isinstance(answer, Adopt)), None)


def _why_not_new(attempt: Attempt, change: Change) -> str | None:
    """Whether it was left in the cloud before this run began: then it is not this run's to destroy."""
    arn = arn_of(change.before or {})
    if arn not in (attempt.objects.tagged_before or ()):
        return None
    # What the state had may have been destroyed and made anew under the same ARN.
    states = (instance.get("attributes") or {} for _, _, instance in managed(attempt.before.document or {}))
    if arn in map(arn_of, states):
        return None
    return (
        "it carried this shard's tags before this run began, in no state. "
        "Import it into the state to go on with it"
    )


def _elsewhere(leased: LeasedShard) -> Iterator[Identity]:
    """What other shards of the same service and environment have: only they put the same tags on.

    Raises _NoAnswerError where one of their states cannot be read: it may have the object.
    """
    for other in leased.run.manifest.shards:
        same = (other.service, other.environment) == (leased.shard.service, leased.shard.environment)
        if other.name == leased.shard.name or not same:
            continue
        try:
            snapshot = read_snapshot(leased.run.tools.store(other), other.state.key)
        except HoldfastError as error:
            raise _NoAnswerError(
                f"{other.name} puts the same tags on, and its state cannot be read: {error}"
            ) from error
        yield from (
            tracked.identity for tracked in leased.index(None if snapshot is None else snapshot.document)
        )
