"""Looking for an object that a failed create may have made: what is a no, and what leaves it open."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.attempts import cut_off_attempt
from tests.support.deploy_world import CHAIN, FAILURE, NOT_THERE, Deployment, World, key, shard

from holdfast_orchestrator.deploy.decisions.apply_progress import Step
from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult
from holdfast_orchestrator.deploy.phases import object_lookup as probe
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic
from holdfast_orchestrator.engine.outcomes import PlanOutcome
from holdfast_orchestrator.errors import NeedsPersonError, StateBucketError
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.stateful_types import Protection
from holdfast_orchestrator.testing import FrozenClock

UNREACHABLE = 'reading SQS Queue: Post "https://sqs/": dial tcp 10.0.0.1:443: connect: network is unreachable'


def said(text: str, *, address: str | None = "aws_sqs_queue.q") -> Diagnostic:
    return Diagnostic(severity="error", summary=text, address=address)


def looked_for(folder: Path, *answers: Diagnostic, failure: Diagnostic = FAILURE) -> ShardResult:
    """The end of a first deploy whose one create fails, where a look for its object is answered so."""
    world = World(folder, failing={"network"}, unmade={"network"}, failure=failure, looked_for=answers)
    return Deployment(world, (CHAIN[0],)).carry_out().results["network"]


def test_an_object_that_does_not_exist_was_not_made(tmp_path: Path) -> None:
    assert looked_for(tmp_path, NOT_THERE).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "text",
    [
        UNREACHABLE,
        "reading SQS Queue: StatusCode: 403, api error AccessDenied: not authorized to perform: sqs:Get",
        "Error acquiring the state lock: StatusCode: 412, PreconditionFailed",
        "it broke in a way nobody has seen before",
    ],
)
def test_a_look_that_was_not_answered_is_a_persons_to_judge(tmp_path: Path, text: str) -> None:
    ended = looked_for(tmp_path, said(text))

    assert ended.outcome is Outcome.NEEDS_HUMAN
    assert "could not be found out whether aws_sqs_queue.q was made" in str(ended.reason)
    assert text in str(ended.reason)


def test_a_look_that_ends_without_a_word_is_no_answer(tmp_path: Path) -> None:
    assert looked_for(tmp_path).outcome is Outcome.NEEDS_HUMAN


def test_one_answer_among_errors_is_none(tmp_path: Path) -> None:
    assert looked_for(tmp_path, NOT_THERE, said(UNREACHABLE, address=None)).outcome is Outcome.NEEDS_HUMAN


def test_that_something_else_does_not_exist_is_no_answer(tmp_path: Path) -> None:
    elsewhere = said("reading KMS Key: couldn't find resource", address="data.aws_kms_key.k")

    assert looked_for(tmp_path, elsewhere).outcome is Outcome.NEEDS_HUMAN
    assert looked_for(tmp_path, elsewhere, NOT_THERE).outcome is Outcome.FAILED


CREATING = "creating SQS Queue (q): operation error SQS: CreateQueue, https response error "


@pytest.mark.parametrize(
    "refusal",
    [
        "creating S3 Bucket (logs): api error BucketAlreadyExists: The bucket name is not available",
        f"{CREATING}StatusCode: 403, RequestID: 1, api error AccessDenied: not authorized",
        f"{CREATING}StatusCode: 400, RequestID: 1, api error AccessDeniedException: not authorized",
    ],
)
def test_what_aws_refused_to_make_is_not_there_though_nobody_may_look(tmp_path: Path, refusal: str) -> None:
    failure, hidden = replace(FAILURE, summary=refusal), said("StatusCode: 403, api error Forbidden")

    assert looked_for(tmp_path, hidden, failure=failure).outcome is Outcome.FAILED
    assert looked_for(tmp_path, said(UNREACHABLE), failure=failure).outcome is Outcome.NEEDS_HUMAN


@pytest.mark.parametrize(
    "failure",
    [
        "creating S3 Bucket (logs): api error BucketAlreadyOwnedByYou: Your previous request succeeded",
        "creating SQS Queue (q): operation error SQS: TagQueue, StatusCode: 403, api error AccessDenied",
        "creating SQS Queue (q): connection reset by peer",
    ],
)
def test_what_may_have_been_made_and_nobody_may_look_at_is_open(tmp_path: Path, failure: str) -> None:
    hidden = said("StatusCode: 403, api error Forbidden")

    ended = looked_for(tmp_path, hidden, failure=replace(FAILURE, summary=failure))

    assert ended.outcome is Outcome.NEEDS_HUMAN


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("creating EC2 Route: operation error EC2: CreateRoute, StatusCode: 404, api error NotFound", True),
        ("creating SNS Subscription: operation error SNS: Subscribe, StatusCode: 404, NotFound", True),
        ("creating SQS Queue (q): operation error SQS: TagQueue, StatusCode: 404, NonExistent", False),
        ("creating SQS Queue (q): operation error SQS: TagQueue, StatusCode: 403, AccessDenied", False),
        ("creating SQS Queue (q): connection reset by peer", False),
        ("reading SQS Queue (q): StatusCode: 404, NonExistent", False),
    ],
)
def test_a_create_that_aws_refused_has_lost_no_answer(text: str, refused: bool) -> None:  # noqa: FBT001
    step = Step(address="aws_sqs_queue.q", action="create")
    attempt = cut_off_attempt(diagnostics=(replace(FAILURE, summary=text),))

    assert probe.was_refused(attempt, step) is refused
    assert not probe.was_refused(cut_off_attempt(), step)


TAGS = {"Service": "orders", "Environment": "prod", "ManagedBy": "holdfast"}


@dataclass
class Looking:
    """A bench whose Terraform shows a queue, or says why it cannot; and what other shards have."""

    folder: Path
    tags: dict[str, str] = field(default_factory=lambda: TAGS)
    answer: Diagnostic | None = None
    store: MemoryStore = field(default_factory=MemoryStore)
    unreadable: bool = False
    shard: Any = field(default_factory=lambda: shard("orders"))

    @property
    def run(self) -> Any:
        twin = replace(shard("twin"), service="orders")
        tools = SimpleNamespace(store=self._store)
        shards = (self.shard, twin)
        return SimpleNamespace(clock=FrozenClock(), tools=tools, manifest=SimpleNamespace(shards=shards))

    def _store(self, _shard: Any) -> MemoryStore:
        if self.unreadable:
            raise StateBucketError("the bucket cannot be read")
        return self.store

    def index(self, document: Any) -> IdentityIndex:
        return index_state(document, protection=Protection())

    def terraform(self, _configuration: Any, _inputs: Any = None) -> "Looking":
        return self

    def plan(self, **_asked: Any) -> PlanOutcome:
        if self.answer is not None:
            raise CommandFailedError("terraform plan", 1, [self.answer])
        return PlanOutcome(changes=True, plan=self.folder / "probe.tfplan")

    def show_plan(self, plan: Path) -> dict[str, Any]:
        plan.touch()
        there = {"id": "q", "arn": "arn:aws:sqs:eu-west-1:1:q", "tags_all": self.tags}
        change = {
            "address": "aws_sqs_queue.q",
            "mode": "managed",
            "type": "aws_sqs_queue",
            "change": {"actions": ["no-op"], "before": there, "after": there, "importing": {"id": "q"}},
        }
        return {"format_version": "1.2", "resource_changes": [change]}


def found_by(leased: Any, *, id_value: str | None = "q") -> tuple[probe.Probed, ...]:
    step = Step(address="aws_sqs_queue.q", action="create", id_value=id_value)
    return probe.look_for(leased, cut_off_attempt(tagged_before=frozenset[str]()), [step])


def test_an_object_with_the_shards_tags_that_no_state_has_is_ours(tmp_path: Path) -> None:
    assert [one.why for one in found_by(Looking(tmp_path))] == [None]


def test_an_object_that_another_shard_has_is_not_ours(tmp_path: Path) -> None:
    leased = Looking(tmp_path)
    leased.store.create(key("twin"), World(tmp_path, leased.store).state("q"))

    assert [one.why for one in found_by(leased)] == ["another shard's state has it"]


def test_an_object_that_a_state_nobody_can_read_may_have_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(NeedsPersonError, match="twin puts the same tags on, and its state cannot be read"):
        found_by(Looking(tmp_path, unreadable=True))


def test_whose_tags_are_not_ours_needs_no_other_state(tmp_path: Path) -> None:
    (foreign,) = found_by(Looking(tmp_path, tags={"Service": "theirs"}, unreadable=True))

    assert "'theirs'" in str(foreign.why)


def test_an_object_its_tags_lead_to_that_cannot_be_read_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "find_by_tags", lambda *_args, **_more: {"aws_sqs_queue.q": "q"})

    with pytest.raises(NeedsPersonError, match="it could not be found out"):
        found_by(Looking(tmp_path, answer=said(UNREACHABLE)), id_value=None)
