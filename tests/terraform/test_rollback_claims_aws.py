"""What the rollback logic takes for true about Terraform with the AWS provider, on a private local cloud.

State is in a bucket of that cloud, so that a state can be lost, forked and put back by raw writes. Only
services that answer at once are used; the claims that need no cloud are in `test_rollback_claims.py`.
"""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.aws_workbench import (
    ACCOUNT,
    BUCKET,
    POLICY,
    PROTECTION,
    REATTACH,
    REGION,
    SOURCE,
    TAG,
    TRUST,
    WRITTEN,
    Shard,
    aws,
    bucket,
    environ_of,
    parameters,
    table,
)
from tests.support.moto_process import moto_process
from tests.support.workbench import actions

from holdfast_orchestrator.deploy.decisions.adoption import (
    Adopt,
    Foreign,
    candidate_ids,
    judge_adoption,
)
from holdfast_orchestrator.deploy.decisions.apply_progress import (
    measure,
    planned_steps,
    settle,
)
from holdfast_orchestrator.deploy.decisions.configuration import RollbackNeeds, build_rollback, to_forget
from holdfast_orchestrator.deploy.decisions.deferred_deletes import (
    stage,
    stage_one_problems,
    stage_two,
    stage_two_problems,
)
from holdfast_orchestrator.deploy.decisions.guard import Bounds
from holdfast_orchestrator.deploy.decisions.imports import (
    judge_import_plan,
    plan_imports,
    planned_values_by_address,
)
from holdfast_orchestrator.deploy.decisions.reversibility import Approval, judge_forward
from holdfast_orchestrator.deploy.decisions.state_recovery import (
    Evidence,
    RebuildByImport,
    RestoreCopy,
    decide,
)
from holdfast_orchestrator.deploy.decisions.verification import (
    CLEAN_FINGERPRINT,
    ObjectsOfRun,
    judge_verify,
)
from holdfast_orchestrator.engine.mirrors import find_mirrors, this_platform
from holdfast_orchestrator.system.runtime import real_runtime
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.import_ids import ImportBlock, with_imports
from holdfast_orchestrator.terraform.object_keys import Place
from holdfast_orchestrator.terraform.plan import Action, prior_stamp, read_plan
from holdfast_orchestrator.terraform.state_edits import deposed_to_swap, swap_deposed
from holdfast_orchestrator.terraform.state_file import Standing, compare, read_state

pytestmark = [
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
    pytest.mark.long,  # minutes in all; what needs no cloud runs in `make test`
]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_process(tmp_path_factory.mktemp("cloud")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def warm_provider(endpoint: str) -> Iterator[dict[str, str]]:
    """One provider process for all tests, where the mirror has it unpacked: half the time a command."""
    pattern = f"{SOURCE}/*/{this_platform()}/terraform-provider-aws_*"
    mirrors = find_mirrors(real_runtime(), "registry.terraform.io")
    found = next((binary for mirror in mirrors for binary in mirror.path.glob(pattern)), None)
    if found is None:
        yield {}
        return
    process = subprocess.Popen(
        [found, "-debug"],
        env=environ_of(endpoint),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = next(text for text in process.stdout if f"{REATTACH}=" in text)
        yield {REATTACH: line.partition("=")[2].strip().strip("'")}
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
def shard(tmp_path: Path, endpoint: str, warm_provider: Mapping[str, str]) -> Shard:
    (tmp_path / "cli.tfrc").write_text("")
    reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=30).close()
    made = Shard(tmp_path, endpoint, warm_provider)
    made.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


def test_a_state_that_was_never_saved_is_rebuilt_from_the_events(shard: Shard) -> None:
    configuration = aws(
        aws_ssm_parameter=parameters("p"),
        aws_cloudwatch_log_group={"l": {"name": "l"}},
        aws_sns_topic={"t": {"name": "t"}},
        aws_dynamodb_table={"d": table("d")},
        aws_iam_role={"r": {"name": "r", "assume_role_policy": json.dumps(TRUST)}},
        aws_iam_role_policy_attachment={
            "a": {"role": "${aws_iam_role.r.name}", "policy_arn": "${aws_iam_policy.y.arn}"}
        },
        aws_iam_policy={"y": {"name": "y", "policy": json.dumps(POLICY)}},
    )
    forward = shard.plan(configuration)
    progress = measure(planned_steps(read_plan(forward)), shard.apply())
    shard.lose()

    evidence = Evidence(
        stored=read_state("stored", shard.stored()), recorded=None, created=progress.created()
    )
    decision = decide(evidence)
    planned = {**planned_values_by_address(forward)}
    # The role's name and the policy's ARN are known only once these two exist.
    planned["aws_iam_role_policy_attachment.a"] = {
        "role": "r",
        "policy_arn": f"arn:aws:iam::{ACCOUNT}:policy/y",
    }
    assert isinstance(decision, RebuildByImport)
    blocks = plan_imports(decision.missing, planned).blocks
    plan = shard.plan(with_imports(configuration, blocks))
    problems = judge_import_plan(plan, expected=blocks, may_create=())
    shard.apply()
    verify = shard.plan(configuration)

    assert len(blocks) == 7
    # An attachment's id is made up at each import, so nothing can vouch for it.
    assert [problem for problem in problems if "aws_iam_role_policy_attachment" not in problem] == []
    assert actions(verify) == {}
    assert settle(progress, before=IdentityIndex(), now=shard.index()).unsaved in (
        (),
        tuple(step for step in progress.created() if step.kind == "aws_iam_role_policy_attachment"),
    )


def test_a_topic_renamed_without_a_move_is_destroyed_neither_by_stage_two_nor_by_a_rollback(
    shard: Shard,
) -> None:
    old, new = aws(aws_sns_topic={"a": {"name": "t"}}), aws(aws_sns_topic={"b": {"name": "t"}})
    shard.deploy(old)
    last_good = shard.index()

    staging = stage(new, plan=shard.plan(new), earlier=[old])
    assert staging.stage_one is not None
    first = shard.plan(staging.stage_one)
    progress = measure(planned_steps(read_plan(first)), shard.apply())
    between, put_off = shard.index(), staging.put_off
    settled = settle(progress, before=last_good, now=between)
    forget = to_forget(between, last_good, imported=(), created=settled.created, keep_created=False)
    built = build_rollback(old, new, needs=RollbackNeeds(forget=forget), state=between)
    rollback = shard.plan(built.configuration)
    naive = stage_two_problems(shard.plan(new), put_off=put_off, forgotten=(), state=between)
    second = stage_two(new, put_off=put_off, state=between)
    plan = shard.plan(second.configuration)
    problems = stage_two_problems(plan, put_off=put_off, forgotten=second.forgotten, state=between)
    shard.apply()

    assert stage_one_problems(first, put_off=put_off) == ()
    assert settled.created == frozenset()
    assert actions(rollback) == {"aws_sns_topic.b": Action.FORGET}
    assert naive == ("aws_sns_topic.a is the same object as one the new version keeps.",)
    assert problems == ()
    assert actions(plan) == {"aws_sns_topic.a": Action.FORGET}
    assert len(shard.client("sns").list_topics()["Topics"]) == 1
    assert actions(shard.plan(new)) == {}


def test_a_failed_deploy_goes_back_by_a_guarded_plan_and_nothing_is_left_over(shard: Shard) -> None:
    old = aws(aws_ssm_parameter=parameters("a", "b"), aws_sns_topic={"t": {"name": "t"}})
    new = aws(
        aws_ssm_parameter={**parameters("a", "c", value="new"), **parameters("taken")},
        aws_sns_topic={"t": {"name": "t"}},
    )
    shard.deploy(old)
    last_good = shard.index()
    ssm = shard.client("ssm")
    ssm.put_parameter(Name="/taken", Type="String", Value="foreign")

    staging = stage(new, plan=shard.plan(new), earlier=[old])
    assert staging.stage_one is not None
    forward = read_plan(shard.plan(staging.stage_one))
    progress = measure(planned_steps(forward), shard.apply())
    settled = settle(progress, before=last_good, now=shard.index())
    built = build_rollback(old, new, needs=RollbackNeeds(), state=shard.index())
    plan = shard.plan(built.configuration)
    bounds = Bounds(
        last_good=last_good,
        created=settled.created,
        touched=forward.touched,
        prior=prior_stamp((shard.folder / "saved.tfplan").read_bytes()),
        writer=WRITTEN,
        health_began=False,
    )
    rules = shard.judge(plan, bounds)
    shard.apply()
    verify = shard.plan(old)
    verified = judge_verify(
        verify,
        ObjectsOfRun(before=last_good, now=shard.index(), destroyed=progress.destroyed()),
        baseline=CLEAN_FINGERPRINT,
    )

    assert [step.address for step in settled.in_doubt] == ["aws_ssm_parameter.taken"]
    assert rules == []
    assert actions(plan) == {"aws_ssm_parameter.a": Action.UPDATE, "aws_ssm_parameter.c": Action.DELETE}
    assert verified.proven
    found = {each["Name"]: each for each in ssm.describe_parameters()["Parameters"]}
    assert set(found) == {"/a", "/b", "/taken"}
    assert ssm.get_parameter(Name="/a")["Parameter"]["Value"] == "v"


def test_a_replaced_table_verifies_clean_after_its_rollback_and_has_lost_its_items(shard: Shard) -> None:
    old, new = aws(aws_dynamodb_table={"d": table("d")}), aws(aws_dynamodb_table={"d": table("d", "other")})
    shard.deploy(old)
    last_good = shard.index()
    dynamodb = shard.client("dynamodb")
    dynamodb.put_item(TableName="d", Item={"id": {"S": "1"}})

    forward = shard.plan(new)
    held = judge_forward(forward, protection=PROTECTION, last_good=last_good).held
    without_snapshot = judge_forward(
        forward, protection=PROTECTION, approvals=[Approval("aws_dynamodb_table.d")]
    ).held
    approved = judge_forward(
        forward, protection=PROTECTION, approvals=[Approval("aws_dynamodb_table.d", "backup-1")]
    )
    progress = measure(planned_steps(read_plan(forward)), shard.apply())
    destroyed = set(progress.destroyed())
    back = shard.deploy(old)
    verify = shard.plan(old)
    verified = judge_verify(
        verify,
        ObjectsOfRun(before=last_good, now=shard.index(), destroyed=destroyed | back.destroyed()),
        baseline=CLEAN_FINGERPRINT,
    )

    assert [finding.address for finding in held] == ["aws_dynamodb_table.d"]
    assert len(without_snapshot) == 1
    assert approved.held == ()
    assert approved.past_return == ("aws_dynamodb_table.d",)
    assert actions(verify) == {}
    assert verified.plan == "clean"
    assert [known.address for known in verified.lost] == ["aws_dynamodb_table.d"]
    assert dynamodb.scan(TableName="d")["Count"] == 0


def test_an_object_in_doubt_is_adopted_only_with_the_tag_of_this_shard(shard: Shard) -> None:
    configuration = aws(aws_ssm_parameter=parameters("ours", "foreign"))
    ssm = shard.client("ssm")
    ssm.put_parameter(Name="/ours", Type="String", Value="v", Tags=[{"Key": TAG.key, "Value": TAG.value}])
    ssm.put_parameter(Name="/foreign", Type="String", Value="v")

    forward = shard.plan(configuration)
    planned, place = planned_values_by_address(forward), Place(ACCOUNT, REGION)
    blocks = [
        ImportBlock(address, candidate_ids("aws_ssm_parameter", planned[address], place)[0])
        for address in sorted(planned)
    ]
    probe = read_plan(shard.plan(with_imports(configuration, blocks)))
    verdicts = {
        change.address: judge_adoption(change.identity, change.before or {}, tag=TAG, elsewhere=())
        for change in probe
        if change.importing and change.identity
    }

    assert verdicts["aws_ssm_parameter.ours"] == Adopt()
    assert isinstance(verdicts["aws_ssm_parameter.foreign"], Foreign)
    assert shard.stored() is None


def test_a_bucket_whose_replacement_could_not_delete_it_is_swapped_back(shard: Shard) -> None:
    shard.deploy(bucket("first"))
    last_good, s3 = shard.index(), shard.client("s3")
    s3.put_object(Bucket="first", Key="data", Body=b"kept")
    progress = shard.deploy(bucket("second"))
    settled = settle(progress, before=last_good, now=shard.index())

    naive = shard.plan(bucket("first"))
    swaps = deposed_to_swap(shard.state(), last_good)
    shard.put(swap_deposed(shard.state(), swaps))
    plan = shard.plan(bucket("first"))
    stamp = prior_stamp((shard.folder / "saved.tfplan").read_bytes())
    bounds = Bounds(
        last_good=last_good,
        created=settled.created,
        touched=frozenset({"aws_s3_bucket.b"}),
        prior=stamp,
        writer=WRITTEN,
        health_began=False,
    )
    rules = shard.judge(plan, bounds)
    shard.apply()

    assert [(step.action, step.id_value) for step in progress.unfinished] == [("delete", "first")]
    assert any(change.deposed and change.deletes for change in read_plan(naive))
    assert actions(plan) == {"aws_s3_bucket.b": Action.DELETE}
    assert rules == []
    assert {each["Name"] for each in s3.list_buckets()["Buckets"]} == {"first", BUCKET}
    assert s3.get_object(Bucket="first", Key="data")["Body"].read() == b"kept"
    assert actions(shard.plan(bucket("first"))) == {}


def test_a_state_lost_or_damaged_comes_back_with_its_lineage_and_is_understood(shard: Shard) -> None:
    configuration = aws(aws_ssm_parameter=parameters("a"))
    shard.deploy(configuration)
    good, recorded = shard.stored(), shard.recorded()
    assert good is not None

    shard.put(b"")
    naive = shard.plan(configuration)
    standing = compare(read_state("stored", shard.stored()), recorded)
    evidence = Evidence(
        stored=read_state("stored", shard.stored()),
        recorded=recorded,
        copies=[read_state("version 1", good), read_state("version 2", good[:40])],
    )
    decision = decide(evidence)
    assert isinstance(decision, RestoreCopy)
    shard.put(decision.state)
    plan = shard.plan(configuration)

    assert actions(naive) == {"aws_ssm_parameter.a": Action.CREATE}
    assert standing is Standing.DAMAGED
    assert decision.source == "version 1"
    assert actions(plan) == {}
    assert prior_stamp((shard.folder / "saved.tfplan").read_bytes()).lineage == recorded.lineage
    assert shard.state()["serial"] == recorded.serial + 1
