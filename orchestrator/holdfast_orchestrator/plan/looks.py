"""Is what a plan creates there already? Asked with one plan that only imports, where no gateway looked.

A plan whose import blocks name an object that does not exist fails and says so of each; what it does not
name is there. A queue is asked for by its data source: an import waits 20 seconds for one that is absent.
Nothing is applied, and the file with the questions is gone before the next command.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic
from holdfast_orchestrator.engine.terraform import WITHOUT_LOCK, WITHOUT_REFRESH
from holdfast_orchestrator.errors import EngineError
from holdfast_orchestrator.system.private_files import write_private
from holdfast_orchestrator.terraform.addresses import escape_template
from holdfast_orchestrator.terraform.create_semantics import CreateRule, is_doubtful, is_looked_for, rule_of
from holdfast_orchestrator.terraform.error_patterns import says_absent
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.object_keys import ObjectKey, Place, import_id_of, key_of
from holdfast_orchestrator.terraform.ownership import (
    Holdings,
    Sighting,
    Sightings,
    Verdict,
    judged_without_look,
    parent_names,
)
from holdfast_orchestrator.terraform.plan import Change, read_plan
from holdfast_orchestrator.terraform.provider_places import region_of

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.terraform import Terraform

_QUESTIONS = "holdfast-looks.tf.json"
_FILE = "looks.tfplan"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One object to ask for: `target` is what the plan has to be about."""

    address: str
    kind: str
    key: ObjectKey
    import_id: str
    target: str
    block: Mapping[str, Any]


def look_by_import(
    terraform: "Terraform", shard: Shard, plan: Mapping[str, Any], holdings: Holdings
) -> Sightings:
    """Look for everything that `plan` creates and would take over. Never raises: who cannot say, says so."""
    sightings, questions = Sightings(), list[_Question]()
    for number, (change, key, judged) in enumerate(_judged(shard, plan, holdings)):
        place = place_of(plan, change.address, shard)
        question = None if judged else _question(change, key, place, number)
        if question is None:
            sightings.add([judged or _unproven(key, change.kind, "there is no call that tells")])
        else:
            questions.append(question)
    sightings.add(_asked(terraform, questions))
    return sightings


def absent_of(blocks: Sequence[ImportBlock], error: EngineError) -> Mapping[str, str]:
    """Return the objects that a plan failed to import because they do not exist: address and import id.

    None where it failed for another reason too.
    """
    errors = [each for each in getattr(error, "diagnostics", ()) if each.is_error]
    if not errors or not all(says_absent(each.text) for each in errors):
        return {}
    return {
        block.address: block.import_id
        for block in blocks
        if any(each.address == block.address or f'"{block.address}"' in each.text for each in errors)
    }


def unguarded(shard: Shard, plan: Mapping[str, Any], holdings: Holdings) -> Sightings:
    """Return what the creates of a plan prove where nothing guards them, whatever was seen before.

    What is a part of something new, and what the run has deleted, is new. Of all else nobody can tell.
    """
    sightings = Sightings()
    sightings.add(
        pair or _unproven(key, change.kind, "nothing guards its create")
        for change, key, pair in _judged(shard, plan, holdings)
    )
    return sightings


def _judged(
    shard: Shard, plan: Mapping[str, Any], holdings: Holdings
) -> Iterator[tuple[Change, ObjectKey, Sighting | None]]:
    """Yield each create that might take an object over, its key, and what is known of it without a look."""
    creates = [change for change in read_plan(plan) if change.creates and not change.importing]
    new = [change for change in creates if not is_doubtful(change.kind, change.after or {})]
    made = {pair for change in new for pair in parent_names(change.kind, change.after or {})}
    for change in creates:
        values = change.after or {}
        place = place_of(plan, change.address, shard)
        key = key_of(change.kind, values, None if place is None else str(place))
        if key is not None and is_looked_for(change.kind, values):
            yield change, key, judged_without_look(key, change.kind, values, holdings=holdings, made=made)


def place_of(plan: Mapping[str, Any], address: str, shard: Shard) -> Place | None:
    """Return where the provider of a planned object works, None where nothing tells."""
    region, elsewhere = region_of(plan, address)
    if elsewhere or not shard.account:
        return None
    return Place(shard.account, region or shard.region)


def _question(change: Change, key: ObjectKey, place: Place | None, number: int) -> _Question | None:
    rule, values = rule_of(change.kind), change.after or {}
    if rule is None or rule.look in ("", "none"):
        return None
    import_id = import_id_of(change.kind, values, place) or ""
    if rule.data_arguments:
        name = f"holdfast_look_{number}"
        arguments = {argument: values.get(attribute) for argument, attribute in rule.data_arguments.items()}
        target = f"data.{change.kind}.{name}"
        block: dict[str, Any] = {"data": {change.kind: {name: {**arguments, **_postcondition(rule)}}}}
        if any(value is None for value in arguments.values()):
            return None
    elif import_id:
        target = change.address
        block = {"import": [{"to": change.address, "id": escape_template(import_id)}]}
    else:
        return None
    return _Question(
        address=change.address, kind=change.kind, key=key, import_id=import_id, target=target, block=block
    )


def _postcondition(rule: CreateRule) -> dict[str, Any]:
    """A condition that fails where what the data source found may be an object that was deleted."""
    if rule.gone_if is None:
        return {}
    attribute, text = rule.gone_if
    condition = f'${{tostring(self.{attribute}) != "{text}"}}'
    message = f"It may be one that was deleted: its {attribute} is {text}."
    return {"lifecycle": {"postcondition": [{"condition": condition, "error_message": message}]}}


def _asked(terraform: "Terraform", questions: Sequence[_Question]) -> Iterator[Sighting]:
    if not questions:
        return
    answers = _answers(terraform, questions)
    for question in questions:
        about = [error for error in answers if _is_about(question, error)]
        if about:
            absent = all(says_absent(error.text) for error in about)
            sighting = Sighting(key=question.key, kind=question.kind, verdict=Verdict.ABSENT)
            yield sighting if absent else _unproven(question.key, question.kind, about[0].text)
        elif others := [error for error in answers if not any(_is_about(each, error) for each in questions)]:
            yield _unproven(question.key, question.kind, others[0].text)
        else:
            yield Sighting(
                key=question.key, kind=question.kind, verdict=Verdict.FOUND, import_id=question.import_id
            )


def _answers(terraform: "Terraform", questions: Sequence[_Question]) -> tuple[Diagnostic, ...]:
    """What the plan with the questions complains of; nothing where everything is there."""
    file = terraform.workdir / _QUESTIONS
    write_private(file, json.dumps(_merged(questions)).encode())
    try:
        outcome = terraform.plan(
            out=_FILE,
            targets=[question.target for question in questions],
            flags=(WITHOUT_LOCK, WITHOUT_REFRESH),
        )
        outcome.plan.unlink(missing_ok=True)
    except CommandFailedError as error:
        return tuple(diagnostic for diagnostic in error.diagnostics if diagnostic.is_error)
    finally:
        file.unlink(missing_ok=True)
    return ()


def _merged(questions: Sequence[_Question]) -> dict[str, Any]:
    imports = [block for question in questions for block in question.block.get("import", ())]
    data: dict[str, dict[str, Any]] = {}
    for question in questions:
        for kind, named in question.block.get("data", {}).items():
            data.setdefault(kind, {}).update(named)
    return {**({"import": imports} if imports else {}), **({"data": data} if data else {})}


def _is_about(question: _Question, error: Diagnostic) -> bool:
    if error.address in (question.target, question.address):
        return True
    # An import of what does not exist has its address in the text alone.
    return error.address is None and f'"{question.address}"' in error.text


def _unproven(key: ObjectKey, kind: str, why: str) -> Sighting:
    return replace(Sighting(key=key, kind=kind, verdict=Verdict.UNPROVEN), why=why)
