"""After the apply: classification, the verify verdict, the machine, locks, plan files and versions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.deploy.decisions.verdict import Aftermath, Verdict, classify
from holdfast_orchestrator.deploy.decisions.verification import (
    CLEAN_FINGERPRINT,
    ObjectsOfRun,
    fingerprint,
    judge_verify,
)
from holdfast_orchestrator.terraform.error_patterns import (
    says_absent,
    says_exists,
)
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject

LOCK = "Error releasing the state lock: AccessDenied"
THROTTLED = "creating SQS Queue: ThrottlingException: Rate exceeded, StatusCode: 400"
INVALID = "creating SQS Queue: InvalidAttributeValue"
EXISTS = "creating SSM Parameter (/shop/fresh): ParameterAlreadyExists: The parameter already exists."
CLOSED = "DescribeClusters, StatusCode: 200, read tcp 10.0.0.1:51462: use of closed network connection"


@pytest.mark.parametrize(
    ("aftermath", "verdict"),
    [
        (Aftermath(exit_code=1, errors=(LOCK,), verified="proven"), Verdict.APPLIED_AFTER_ALL),
        (Aftermath(exit_code=1, errors=(INVALID,), verified="differs"), Verdict.DEFINITE),
        (Aftermath(exit_code=1, errors=(THROTTLED,), verified="differs"), Verdict.TRANSIENT),
        (Aftermath(exit_code=1, errors=(THROTTLED, LOCK), verified="differs"), Verdict.TRANSIENT),
        (Aftermath(exit_code=1, errors=(THROTTLED, INVALID), verified="differs"), Verdict.DEFINITE),
        (Aftermath(exit_code=1, errors=(CLOSED,), verified="differs"), Verdict.TRANSIENT),
        (Aftermath(exit_code=1, errors=(EXISTS,)), Verdict.DEFINITE),
        (Aftermath(exit_code=1, errors=(EXISTS,), adopted=(EXISTS,)), Verdict.TRANSIENT),
        (Aftermath(exit_code=1, errors=(EXISTS, THROTTLED), adopted=(EXISTS,)), Verdict.TRANSIENT),
        (Aftermath(exit_code=1, errors=(EXISTS, INVALID), adopted=(EXISTS,)), Verdict.DEFINITE),
        (Aftermath(exit_code=1, errors=(THROTTLED,), rescued_state=True), Verdict.STATE_NOT_SAVED),
        (Aftermath(exit_code=0, unsaved=1, verified="proven"), Verdict.STATE_NOT_SAVED),
        (Aftermath(exit_code=None, in_doubt=1), Verdict.IN_DOUBT),
        (Aftermath(exit_code=None, unsaved=1, in_doubt=1), Verdict.STATE_NOT_SAVED),
        (Aftermath(exit_code=1, errors=("api error ExpiredToken: ...",)), Verdict.CREDENTIALS),
        (Aftermath(exit_code=1, errors=("ExpiredToken",), verified="proven"), Verdict.APPLIED_AFTER_ALL),
        (Aftermath(exit_code=0, verified="proven", healthy=False), Verdict.DEFINITE),
        (Aftermath(exit_code=None, verified="differs"), Verdict.DEFINITE),
        (Aftermath(exit_code=1, errors=(LOCK,), verified="differs"), Verdict.DEFINITE),
        (Aftermath(exit_code=0, verified="differs"), Verdict.DEFINITE),
    ],
)
def test_a_failure_is_classified_by_what_is_proven_and_not_by_the_exit_code(
    aftermath: Aftermath, verdict: Verdict
) -> None:
    assert classify(aftermath) is verdict


@given(code=st.none() | st.integers(0, 255), errors=st.lists(st.sampled_from([THROTTLED, INVALID, LOCK])))
def test_a_proven_apply_is_never_rolled_back_whatever_the_exit_code(
    code: int | None, errors: list[str]
) -> None:
    found = classify(Aftermath(exit_code=code, errors=tuple(errors), verified="proven"))

    assert found is Verdict.APPLIED_AFTER_ALL


@pytest.mark.parametrize(
    ("error", "exists"),
    [
        (EXISTS, True),
        ("creating S3 Bucket (a): BucketAlreadyOwnedByYou: Your previous request succeeded", True),
        ("creating IAM Role (a): EntityAlreadyExists: Role with name a already exists.", True),
        ("creating CloudWatch Logs Log Group (a): ResourceAlreadyExistsException: exists", True),
        ("creating Security Group (a): api error InvalidGroup.Duplicate: it is there", True),
        ("creating ELBv2 Load Balancer (a): DuplicateLoadBalancerName: another of that name", True),
        (INVALID, False),
        (THROTTLED, False),
    ],
)
def test_an_object_of_that_name_is_recognized(error: str, *, exists: bool) -> None:
    assert says_exists(error) is exists


@pytest.mark.parametrize(
    "error",
    [
        "Cannot import non-existent remote object\nWhile attempting to import an existing object to",
        'Cannot import non-existent remote object\nWhile attempting to import to "aws_iam_role.AssumeRole"',
        "reading SSM Parameter (/a): couldn't find resource",
        "reading IAM Role (a): empty result",
        "finding Route Table: No association found between route table ID rtb-1 and target ID subnet-1",
        "StatusCode: 404, api error ResourceNotFoundException: Function not found",
        "StatusCode: 404, NoSuchEntity: The role with name a cannot be found.",
        "StatusCode: 400, api error InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist",
        "StatusCode: 400, api error InvalidVpcId.Malformed: Invalid id",
        "AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist.",
        "StatusCode: 400, api error QueueDoesNotExist: gone",
        "StatusCode: 400, api error StateMachineDoesNotExist: gone",
        "StatusCode: 400, ValidationException: Value 'A B' at 'tableName' failed to satisfy constraint",
        'unexpected format of ID ("a"), expected <role-name>/<policy_arn>',
        "unexpected format for ID (a), expected BUCKET",
        'unexpected format ("a"), expected <service-namespace>/<resource-id>',
        "wrong format of import ID (a), use: 'api-id/stage-name'",
        "Invalid Resource Import ID Value\nThe import ID could not be parsed as an ARN.",
        "role_policy id must be of the form <role name>:<policy name>",
    ],
)
def test_an_object_that_is_not_there_is_recognized(error: str) -> None:
    assert says_absent(error)


NO_NETWORK = [
    "dial tcp 10.0.0.1:443: connect: network is unreachable",
    "dial tcp 10.0.0.1:443: connect: no route to host",
    "dial tcp 10.0.0.1:443: connect: connection timed out",
    "dial tcp 10.0.0.1:443: connect: host is down",
    "operation error SSM: GetParameter, StatusCode: 0, canceled, context deadline exceeded",
    "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
    "dial tcp: lookup ssm.eu-west-1.amazonaws.com: no such host",
]


@pytest.mark.parametrize(
    "error",
    [
        *NO_NETWORK,
        THROTTLED,
        "StatusCode: 503, ServiceUnavailable",
        "StatusCode: 403, AccessDeniedException: no identity-based policy allows ssm:GetParameter",
        "AccessDeniedException: The ciphertext refers to a customer master key that does not exist",
        "Cannot assume IAM Role: ValidationError: 1 validation error detected",
        "No valid credential sources found",
        "Error acquiring the state lock: StatusCode: 412, PreconditionFailed",
        "Error acquiring the state lock: ResourceNotFoundException: Requested resource not found",
        "Failed to load state: NoSuchBucket: The specified bucket does not exist",
        "Plugin did not respond: the plugin encountered an error",
        "Instance cannot be destroyed",
        "too many results: wanted 1, got 2",
        "",
    ],
)
def test_that_nobody_could_look_is_not_taken_for_an_object_that_is_not_there(error: str) -> None:
    assert not says_absent(error)


@pytest.mark.parametrize("error", NO_NETWORK)
def test_a_network_that_fails_is_no_reason_to_undo(error: str) -> None:
    found = classify(Aftermath(exit_code=1, errors=(f"creating SSM Parameter: {error}",)))

    assert found is Verdict.TRANSIENT


@pytest.mark.parametrize(
    "error",
    [
        "waiting for RDS Cluster (a) create: context deadline exceeded",
        "waiting for EKS Cluster (a) create: operation error EKS: canceled, context deadline exceeded",
        "creating SQS Queue: StatusCode: 403, AccessDenied",
    ],
)
def test_what_would_fail_again_is_undone(error: str) -> None:
    assert classify(Aftermath(exit_code=1, errors=(error,))) is Verdict.DEFINITE


QUEUE = TrackedObject(
    identity=Identity("aws_sqs_queue", "q"), address="aws_sqs_queue.q", provider="p", stateful=True, id="q"
)


def plan(**values: Any) -> dict[str, Any]:
    entry = {
        "address": "aws_sqs_queue.q",
        "mode": "managed",
        "type": "aws_sqs_queue",
        "name": "q",
        "change": {"actions": ["update" if values else "no-op"], "before": {"id": "q"}, "after": values},
    }
    return {"format_version": "1.2", "resource_changes": [entry]}


def verify(
    document: dict[str, Any], *, baseline: str | None = None, now: tuple[TrackedObject, ...] = (QUEUE,)
) -> Any:
    objects = ObjectsOfRun(before=IdentityIndex((QUEUE,)), now=IdentityIndex(now))
    return judge_verify(document, objects, baseline=baseline)


def test_a_plan_without_changes_proves_the_deploy() -> None:
    found = verify(plan())

    assert (found.plan, found.proven, found.fingerprint) == ("clean", True, CLEAN_FINGERPRINT)


def test_the_same_difference_as_last_time_is_no_difference_and_another_one_is() -> None:
    baseline = fingerprint(plan(tags="perpetual"))

    assert verify(plan(tags="perpetual"), baseline=baseline).proven
    assert not verify(plan(tags="other"), baseline=baseline).proven
    assert verify(plan(tags="perpetual")).differing == ("aws_sqs_queue.q",)


def test_a_fingerprint_does_not_give_values_away() -> None:
    assert "hunter2" not in fingerprint(plan(password="hunter2"))


def test_a_lost_object_is_not_proven_by_a_clean_plan() -> None:
    found = verify(plan(), now=())

    assert found.plan == "clean"
    assert not found.proven


def test_an_object_this_run_destroyed_is_lost_though_a_namesake_exists() -> None:
    index = IdentityIndex((QUEUE,))

    objects = ObjectsOfRun(before=index, now=index, destroyed=[("aws_sqs_queue", "q")])
    found = judge_verify(plan(), objects, baseline=None)

    assert found.lost == (QUEUE,)


def test_a_plan_that_cannot_be_read_proves_nothing() -> None:
    assert verify({"format_version": "9.0"}).plan == "unreadable"
    assert not verify({"format_version": "9.0"}).proven
