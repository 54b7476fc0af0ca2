"""After the apply: classification, the verify verdict, the machine, locks, plan files and versions."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.deploy.decisions.lock_owner import Owner, Spawned, judge_lock
from holdfast_orchestrator.deploy.decisions.verdict import Aftermath, Verdict, classify
from holdfast_orchestrator.deploy.decisions.verification import (
    CLEAN_FINGERPRINT,
    ObjectsOfRun,
    fingerprint,
    judge_verify,
)
from holdfast_orchestrator.engine.lockfile import locked_providers
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.lifecycle import (
    ARROWS,
    WRITING,
    Phase,
    Resume,
    Resumption,
    WrongArrowError,
    follow,
    next_after_crash,
)
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.terraform_lock import lock_key, read_lock
from holdfast_orchestrator.terraform.error_patterns import (
    lock_not_taken,
    says_absent,
    says_exists,
    says_lock_not_released,
)
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.plan import prior_stamp
from holdfast_orchestrator.terraform.state_file import NO_STATE, StateStamp
from holdfast_orchestrator.terraform.versions import is_older, newest

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


def test_every_phase_has_arrows_and_is_reached() -> None:
    reached = {after for targets in ARROWS.values() for after in targets}

    assert set(ARROWS) == set(Phase)
    assert reached == set(Phase) - {Phase.PREPARED}
    assert {phase for phase, targets in ARROWS.items() if not targets} == {
        Phase.PROMOTED,
        Phase.ROLLED_BACK,
        Phase.KEPT,
        Phase.HELD,
        Phase.NEEDS_OPERATOR,
    }


@given(before=st.sampled_from(Phase), after=st.sampled_from(Phase))
def test_a_step_that_the_table_does_not_have_is_a_defect(before: Phase, after: Phase) -> None:
    if after in ARROWS[before]:
        assert follow(before, after) is after
    else:
        with pytest.raises(WrongArrowError, match=f"{before} does not lead to {after}"):
            follow(before, after)


def test_a_rollback_never_leads_to_another_rollback_or_a_forward_apply_by_itself() -> None:
    back = {phase for phase in Phase if phase.startswith("rb_")}
    seen, waiting = set[Phase](), list(back)
    while waiting:
        phase = waiting.pop()
        if phase not in seen | {Phase.NEEDS_OPERATOR, Phase.ROLLED_BACK}:
            seen.add(phase)
            waiting.extend(ARROWS[phase])

    assert seen <= back


def test_nothing_is_applied_without_its_gate() -> None:
    before_apply = {phase for phase in Phase if Phase.APPLYING in ARROWS[phase]}
    before_rollback = {phase for phase in Phase if Phase.RB_APPLYING in ARROWS[phase]}

    assert before_apply == {Phase.PREPARED, Phase.RETRY_FORWARD}
    assert before_rollback == {Phase.RB_PLANNED}
    assert {phase for phase in Phase if Phase.RB_PLANNED in ARROWS[phase]} == {Phase.RB_BUILD}


def test_before_the_first_apply_every_phase_is_read_only() -> None:
    assert Phase.PREPARED not in WRITING
    assert Phase.APPLYING in WRITING


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (Phase.PREPARED, Resumption(Resume.START_OVER, Phase.PREPARED)),
        (Phase.APPLYING, Resumption(Resume.REDO, Phase.SETTLE)),
        (Phase.HEALTH, Resumption(Resume.REDO, Phase.HEALTH)),
        (Phase.DELETING, Resumption(Resume.REDO, Phase.DELETING)),
        (Phase.RB_PLANNED, Resumption(Resume.REDO, Phase.RB_BUILD)),
        (Phase.RB_APPLYING, Resumption(Resume.REDO, Phase.RB_SETTLE)),
        (Phase.PROMOTED, Resumption(Resume.REDO, Phase.VERIFY)),
        (Phase.NEEDS_OPERATOR, Resumption(Resume.WAIT_FOR_PERSON, Phase.NEEDS_OPERATOR)),
        (Phase.KEPT, Resumption(Resume.NOTHING, Phase.KEPT)),
        (Phase.HELD, Resumption(Resume.NOTHING, Phase.HELD)),
        (Phase.ROLLED_BACK, Resumption(Resume.NOTHING, Phase.ROLLED_BACK)),
    ],
)
def test_a_restart_knows_what_to_do(last: Phase, expected: Resumption) -> None:
    assert next_after_crash(last) == expected


@given(last=st.sampled_from(Phase))
def test_a_restart_never_goes_straight_into_an_apply(last: Phase) -> None:
    found = next_after_crash(last)

    assert found.phase not in (Phase.APPLYING, Phase.RB_APPLYING)
    assert found.phase not in WRITING or found.phase is last or found.phase is Phase.RB_BUILD


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
TEXT = "2026-11-21T12:00:05.123456789Z"


def spawned(**fields: Any) -> Spawned:
    return Spawned(**{"who": "ci@runner", "started": NOW, "ended": True, **fields})


@pytest.mark.parametrize(
    ("lock", "process", "owner"),
    [
        ({"ID": "1", "Who": "ci@runner", "Created": TEXT}, spawned(), Owner.OURS),
        ({"ID": "1", "Who": "ci@runner", "Created": TEXT}, spawned(ended=False), Owner.RUNNING),
        ({"ID": "1", "Who": "anna@laptop", "Created": TEXT}, spawned(), Owner.FOREIGN),
        ({"ID": "1", "Who": "ci@runner", "Created": TEXT}, spawned(started=LATER), Owner.FOREIGN),
        ({"ID": "1", "Who": "ci@runner", "Created": "soon"}, spawned(), Owner.FOREIGN),
        ({"ID": "1", "Who": "anna@laptop"}, spawned(lock_id="1"), Owner.OURS),
        ({"ID": "2", "Who": "ci@runner", "Created": TEXT}, spawned(lock_id="1"), Owner.FOREIGN),
        ({"ID": "1", "Who": "ci@runner", "Created": TEXT}, None, Owner.FOREIGN),
        ({"Who": "ci@runner"}, spawned(), Owner.UNREADABLE),
        (None, spawned(), Owner.UNREADABLE),
    ],
)
def test_only_a_lock_that_is_proven_ours_is_ours(lock: Any, process: Spawned | None, owner: Owner) -> None:
    store = MemoryStore()
    store.create(lock_key("s"), json.dumps(lock).encode())
    left = read_lock(store, "s")

    assert left is not None
    assert judge_lock(left, process) is owner


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return packed.getvalue()


def test_a_plan_file_tells_which_state_it_was_made_from() -> None:
    nothing = {"version": 4, "lineage": "", "serial": 0}

    assert prior_stamp(archive(tfstate=json.dumps({"lineage": "L", "serial": 3}))) == StateStamp("L", 3)
    assert prior_stamp(archive(tfstate=json.dumps(nothing))) == NO_STATE


@pytest.mark.parametrize(
    "content", [b"", b"no zip", archive(other="x"), archive(tfstate="{"), archive(tfstate="[]")]
)
def test_what_is_no_plan_file_is_refused(content: bytes) -> None:
    with pytest.raises(HoldfastError, match="not a plan file"):
        prior_stamp(content)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9.0", "1.10.0"),
        ("5.99.1", "~> 5.100"),
        ("1.0.0-rc1", "1.0.0"),
        ("", "0.1.0"),
        (">= 1.2, < 2.0", "2.1.0"),
    ],
)
def test_the_newer_of_two_versions_is_kept(older: str, newer: str) -> None:
    assert newest(older, newer) == newest(newer, older) == newer
    assert is_older(older, newer)
    assert not is_older(newer, older)


def test_the_lock_file_names_the_version_of_each_provider() -> None:
    text = """
provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "5.100.0"
  hashes = [
    "h1:x",
  ]
}

provider "registry.terraform.io/hashicorp/random" {
  version = "3.6.0"
}
"""

    assert locked_providers(text) == {
        "registry.terraform.io/hashicorp/aws": "5.100.0",
        "registry.terraform.io/hashicorp/random": "3.6.0",
    }


def test_a_lock_the_store_refuses_for_a_moment_is_told_from_one_somebody_holds() -> None:
    conflict = "Error acquiring the state lock StatusCode: 409, ConditionalRequestConflict"
    held = "Error acquiring the state lock StatusCode: 412, PreconditionFailed: Lock Info: ID: 1b2c"

    assert lock_not_taken([conflict])
    assert not lock_not_taken([held])
    assert not lock_not_taken([conflict, "creating SSM Parameter: AccessDeniedException"])
    assert not lock_not_taken([])


def test_a_lock_that_could_not_be_released_is_told_from_one_that_could_not_be_had() -> None:
    assert says_lock_not_released(["Error releasing the state lock: failed to retrieve lock info"])
    assert not says_lock_not_released(["Error acquiring the state lock"])
