"""Looking for an object that a failed create may have made: what is a no, and what leaves it open."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.deploy_world import CHAIN, FAILURE, NOT_THERE, Deployment, World

from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult
from holdfast_orchestrator.engine.diagnostics import Diagnostic

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
