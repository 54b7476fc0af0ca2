"""Objects between shards: each of ours ends in exactly one state, and nobody else's is touched."""

import itertools
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.shards import (
    ACCOUNT,
    REGION,
    Shards,
    Stack,
    another,
    parameter,
    queue,
    stack,
    topic,
    warm_shards,
)

from holdfast_orchestrator.deploy.outcome import RunResult
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.plan.document import ResourceChange
from holdfast_orchestrator.plan.result import ShardPlan

pytestmark = pytest.mark.long

_NUMBERS = itertools.count()
_FROM_A = "${data.terraform_remote_state.cross-stack-reference-input-a.outputs.v}"


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _copy_object(app: Shards, source: str, target: str, kind: str) -> None:
    """Write what one state says of a type into another, as a hand-made state or a restore may."""
    s3 = app.client("s3")
    states = {}
    for name in (source, target):
        key = f"{name}/{ACCOUNT}/{REGION}/dev/terraform.tfstate"
        states[name] = key, json.loads(s3.get_object(Bucket=app.bucket, Key=key)["Body"].read())
    key, state = states[target]
    state["resources"] += [one for one in states[source][1]["resources"] if one["type"] == kind]
    state["serial"] += 1
    s3.put_object(Bucket=app.bucket, Key=key, Body=json.dumps(state).encode())


def _changes(planned: ShardPlan) -> tuple[ResourceChange, ...]:
    return () if planned.document is None else planned.document.changes


def _refuses_the_same(app: Shards, *shards: str) -> RunResult:
    """A deploy that is refused, for what its plan was refused for."""
    planned = app.project.plan()
    refused = app.deploy()
    for name in shards:
        said = planned.by_name[name].refusals
        assert refused.results[name].outcome.value == "blocked", refused
        assert " ".join(one.what for one in said) == refused.results[name].reason
        assert "; ".join(dict.fromkeys(one.next_step for one in said)) == refused.results[name].next_step
    return refused


def _with(made: Stack, more: Stack, needed: str) -> dict[str, Any]:
    """The parameters of a stack and another, which is made after what it depends on."""
    late = {name: {**body, "depends_on": [needed]} for name, body in more["aws_ssm_parameter"].items()}
    return {"aws_ssm_parameter": {**made["resource"].get("aws_ssm_parameter", {}), **late}}


@pytest.fixture(scope="module")
def providers(deploy_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shards]:
    folder = tmp_path_factory.mktemp("providers")
    with warm_shards(folder / "app", deploy_environ, Path(deploy_environ["HOLDFAST_CACHE_DIR"])) as shards:
        yield shards


@pytest.fixture
def app(providers: Shards, tmp_path: Path) -> Shards:
    return another(providers, tmp_path / "app", f"between-{next(_NUMBERS)}")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for objects that no other test has."""
    return f"o{next(_NUMBERS)}"


@pytest.fixture
def taken(app: Shards, name: str) -> Stack:
    """A parameter whose create fails at the apply: somebody has one of that name."""
    app.client("ssm").put_parameter(Name=f"{name}-taken", Value="theirs", Type="String")
    return parameter(f"{name}-taken", at="bad")


def test_what_a_drops_and_b_declares_in_one_run_arrives(app: Shards, name: str) -> None:
    app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    app.write(a=stack(parameter(f"{name}a")), b=stack(parameter(f"{name}b"), topic(name, at="mine")))

    planned = app.project.plan()
    result = app.deploy()

    told = {shard.shard: [(c.action.value, c.ownership) for c in _changes(shard)] for shard in planned.shards}
    assert told == {"a": [("forget", "moves to b")], "b": [("no-op", "moves here from a")]}
    assert planned.refusals == ()
    assert {one.shard: one.outcome.value for one in result.shards} == {"a": "committed", "b": "committed"}, (
        result
    )
    assert app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.mine", "aws_ssm_parameter.p"]}
    assert name in app.topics()
    assert app.outcomes(refresh=True) == {"a": "unchanged", "b": "unchanged"}
    assert sum(one.destroyed for one in result.shards) == 0


def test_an_object_that_refuses_a_second_create_moves_too_and_its_content_stays(
    app: Shards, name: str
) -> None:
    """A queue with a message, and a parameter: neither could be made a second time, or be lost."""
    app.write(a=stack(queue(name), parameter(name)), b=stack(topic(name)))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    sqs = app.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="here")
    app.write(a=stack(topic(f"{name}x")), b=stack(topic(name), queue(name), parameter(name)))

    assert app.outcomes() == {"a": "committed", "b": "committed"}

    assert app.owned() == {
        "a": ["aws_sns_topic.t"],
        "b": ["aws_sns_topic.t", "aws_sqs_queue.q", "aws_ssm_parameter.p"],
    }
    received = sqs.receive_message(QueueUrl=url)["Messages"]
    assert [message["Body"] for message in received] == ["here"]


def test_what_moves_to_a_shard_that_depends_on_its_giver_arrives(app: Shards, name: str) -> None:
    """The receiver has to come after: the giver keeps the object and has a second turn."""
    giver = parameter(f"{name}a")
    app.write(
        a=stack(giver, topic(name), v="${aws_ssm_parameter.p.name}"),
        b=stack(parameter(f"{name}b", value=_FROM_A), after=("a",)),
    )
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    app.write(
        a=stack(giver, v="${aws_ssm_parameter.p.name}"),
        b=stack(parameter(f"{name}b", value=_FROM_A), topic(name), after=("a",)),
    )

    assert app.outcomes() == {"a": "committed", "b": "committed"}

    assert app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in app.topics()
    assert app.outcomes(refresh=True) == {"a": "unchanged", "b": "unchanged"}


def test_what_moves_to_the_shard_that_read_it_arrives(app: Shards, name: str) -> None:
    """The giver keeps object and output until the receiver, whose last good deploy reads them, has it."""
    giver = parameter(f"{name}a")
    app.write(
        a=stack(giver, topic(name), v="${aws_sns_topic.t.arn}"),
        b=stack(parameter(f"{name}b", value=_FROM_A), after=("a",)),
    )
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    own = parameter(f"{name}b", value="${aws_sns_topic.t.arn}")
    app.write(a=stack(giver), b=stack(own, topic(name)))

    assert app.outcomes()["b"] == "committed"

    assert app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in app.topics()
    assert app.outcomes(refresh=True) == {"a": "unchanged", "b": "unchanged"}


def test_where_the_receiver_that_comes_after_fails_the_giver_keeps_the_object(
    app: Shards, name: str, taken: Stack
) -> None:
    app.write(
        a=stack(parameter(f"{name}a"), topic(name), v="${aws_ssm_parameter.p.name}"),
        b=stack(parameter(f"{name}b", value=_FROM_A), after=("a",)),
    )
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    less = stack(parameter(f"{name}a"), v="${aws_ssm_parameter.p.name}")
    after = stack(parameter(f"{name}b", value=_FROM_A), topic(name), after=("a",))
    app.write(
        a=less, b={**after, "resource": {**after["resource"], **_with(after, taken, "aws_sns_topic.t")}}
    )

    assert app.deploy().outcome["b"] == "rolled_back"
    assert app.owned()["a"] == ["aws_sns_topic.t", "aws_ssm_parameter.p"]
    assert app.owned()["b"] == ["aws_ssm_parameter.p"]
    assert name in app.topics()

    app.write(a=less, b=after)
    assert app.deploy().is_good
    assert app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in app.topics()


def test_where_the_receiver_fails_the_giver_stays_as_it_was(app: Shards, name: str, taken: Stack) -> None:
    app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    after = stack(parameter(f"{name}b"), topic(name))
    app.write(
        a=stack(parameter(f"{name}a")),
        b={**after, "resource": {**after["resource"], **_with(after, taken, "aws_sns_topic.t")}},
    )

    assert app.outcomes() == {"a": "skipped", "b": "rolled_back"}

    assert app.owned() == {"a": ["aws_sns_topic.t", "aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert name in app.topics()


def test_a_shard_that_only_went_after_one_that_failed_is_not_skipped(
    app: Shards, name: str, taken: Stack
) -> None:
    """What the other might have received, by a name that nobody knows before the apply, stays meanwhile."""
    app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    named = {"terraform_data": {"n": {"input": f"{name}-other"}}}
    late = topic("${terraform_data.n.output}", at="late")
    less = stack(parameter(f"{name}a", value="2"))
    app.write(a=less, b=stack(parameter(f"{name}b"), named, late, taken))

    assert app.outcomes() == {"a": "committed", "b": "rolled_back"}

    assert "a keeps in its state what goes to b, until that is deployed" in " ".join(app.told)
    assert app.owned() == {"a": ["aws_sns_topic.t", "aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert name in app.topics()

    app.write(a=less, b=stack(parameter(f"{name}b"), named, late))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    assert app.owned()["a"] == ["aws_ssm_parameter.p"]
    assert {one for one in app.topics() if one.startswith(name)} == {f"{name}-other"}


def test_blocks_renamed_without_moved_keep_their_objects(app: Shards, name: str) -> None:
    """The old and the new address are one object, whatever ids the provider makes up for it."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket"}

    def renamed(at: str) -> Stack:
        target = {"rule": name, "target_id": "t", "arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}
        policy = [{**deny, "Resource": f"arn:aws:s3:::{name}-b"}]
        attached = {"role": name, "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
        return stack(
            {"aws_iam_role": {"r": {"name": name, "assume_role_policy": _document([trust])}}},
            {"aws_cloudwatch_event_rule": {"r": {"name": name, "schedule_expression": "rate(1 day)"}}},
            {"aws_s3_bucket": {"b": {"bucket": f"{name}-b"}}},
            {"aws_iam_role_policy_attachment": {at: attached | {"depends_on": ["aws_iam_role.r"]}}},
            {"aws_cloudwatch_event_target": {at: target | {"depends_on": ["aws_cloudwatch_event_rule.r"]}}},
            {
                "aws_s3_bucket_policy": {
                    at: {
                        "bucket": f"{name}-b",
                        "policy": _document(policy),
                        "depends_on": ["aws_s3_bucket.b"],
                    }
                }
            },
        )

    app.write(a=renamed("old"))
    assert app.outcomes() == {"a": "committed"}
    app.write(a=renamed("new"))

    assert app.outcomes() == {"a": "committed"}

    iam, events, s3 = app.client("iam"), app.client("events"), app.client("s3")
    assert len(iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]) == 1
    assert [one["Id"] for one in events.list_targets_by_rule(Rule=name)["Targets"]] == ["t"]
    assert "DeleteBucket" in s3.get_bucket_policy(Bucket=f"{name}-b")["Policy"]
    assert not [one for one in app.owned()["a"] if one.endswith(".old")]
    assert app.outcomes(refresh=True) == {"a": "unchanged"}


def test_an_instance_renamed_without_moved_is_refused_and_keeps_its_object(app: Shards, name: str) -> None:
    def each(key: str) -> Stack:
        return stack({"aws_sns_topic": {"t": {"for_each": {key: name}, "name": "${each.value}"}}})

    app.write(a=each("old"))
    assert app.outcomes() == {"a": "committed"}
    app.write(a=each("new"))

    ended = app.deploy()

    assert ended.outcome == {"a": "blocked"}
    assert 'aws_sns_topic.t["old"] would be deleted' in str(ended.shards[0].reason)
    assert name in app.topics()


def test_where_the_giver_fails_the_receiver_goes_back_too(app: Shards, name: str, taken: Stack) -> None:
    moving = {**topic(name), **queue(name)}
    app.write(a=stack(moving, parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    app.write(a=stack(parameter(f"{name}a"), taken), b=stack(parameter(f"{name}b"), moving))

    assert app.outcomes() == {"a": "rolled_back", "b": "rolled_back"}

    assert app.owned() == {
        "a": ["aws_sns_topic.t", "aws_sqs_queue.q", "aws_ssm_parameter.p"],
        "b": ["aws_ssm_parameter.p"],
    }
    assert name in app.topics()


def test_all_or_nothing_takes_a_move_back(app: Shards, name: str, taken: Stack) -> None:
    app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    app.write(
        a=stack(parameter(f"{name}a")),
        b=stack(parameter(f"{name}b"), topic(name)),
        c=stack(taken, parameter(f"{name}c", value=_FROM_A), after=("a",)),
    )

    result = app.deploy(atomic=True)

    assert result.outcome["a"] == result.outcome["b"] == "rolled_back", result.shards
    assert app.owned()["a"] == ["aws_sns_topic.t", "aws_ssm_parameter.p"]
    assert app.owned()["b"] == ["aws_ssm_parameter.p"]
    assert name in app.topics()


def test_a_sibling_that_keeps_an_object_is_not_robbed_of_it(app: Shards, name: str, taken: Stack) -> None:
    """What was B2: b's failing second version took a's topic, and its rollback deleted it."""
    app.write(a=stack(topic(name)), b=stack(parameter(f"{name}b")))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    app.write(a=stack(topic(name)), b=stack(parameter(f"{name}b"), topic(name), taken))

    result = _refuses_the_same(app, "b")

    b = result.results["b"]
    assert (b.outcome.value, b.exit_code) == ("blocked", 4)
    assert "aws_sns_topic.t is aws_sns_topic.t of a, which has it" in str(b.reason)
    assert app.owned() == {"a": ["aws_sns_topic.t"], "b": ["aws_ssm_parameter.p"]}
    assert name in app.topics()
    assert app.client("ssm").get_parameter(Name=f"{name}-taken")["Parameter"]["Value"] == "theirs"


def test_two_shards_that_would_both_make_an_object_in_one_run(app: Shards, name: str) -> None:
    app.write(a=stack(topic(name)), b=stack(topic(name, at="mine")))

    outcomes = app.outcomes()

    assert sorted(outcomes.values()) == ["blocked", "committed"]
    assert len(app.owned()) == 1
    assert name in app.topics()


def test_another_apps_object_is_refused_and_named(
    app: Shards, providers: Shards, tmp_path: Path, name: str
) -> None:
    other = another(providers, tmp_path / "other", app.bucket, project="other")
    app.write(a=stack(topic(name)))
    assert app.outcomes() == {"a": "committed"}
    other.write(b=stack(topic(name), topic(f"{name}x", at="x")))

    result = _refuses_the_same(other, "b")

    assert result.exit_code == 4
    assert "is aws_sns_topic.t of app app (stack a)" in str(result.results["b"].reason)
    assert app.owned() == {"a": ["aws_sns_topic.t"]}
    assert app.topics() & {name, f"{name}x"} == {name}


def test_what_both_have_is_let_go_of_by_whoever_deletes(app: Shards, name: str) -> None:
    """Put-off deletes, destroys and retired stacks; a state that was written by hand made the twins."""
    both = [topic(name)]
    app.write(
        a=stack(*both, parameter(f"{name}a")), b=stack(parameter(f"{name}b")), c=stack(parameter(f"{name}c"))
    )
    assert set(app.outcomes().values()) == {"committed"}
    _copy_object(app, "a", "b", "aws_sns_topic")
    _copy_object(app, "a", "c", "aws_sns_topic")
    app.write(
        a=stack(*both, parameter(f"{name}a")), b=stack(parameter(f"{name}b")), c=stack(parameter(f"{name}c"))
    )

    put_off = app.outcomes(policy=DeployPolicy(rebaseline=True), stack=["b"])
    told = list(app.told)
    app.write(a=stack(*both, parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    retired = app.destroy_retired("c", policy=DeployPolicy(rebaseline=True))

    assert put_off == {"b": "committed"}
    assert any("aws_sns_topic.t" in each and "only forgotten" in each for each in told), told
    assert retired.is_good, retired
    assert retired.shards[0].destroyed == 1, "its own parameter"
    assert app.owned() == {"a": ["aws_sns_topic.t", "aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert name in app.topics()


def test_a_destroy_lets_go_of_what_another_state_has(app: Shards, name: str) -> None:
    app.write(a=stack(topic(name)), b=stack(parameter(f"{name}b")))
    assert set(app.outcomes().values()) == {"committed"}
    _copy_object(app, "a", "b", "aws_sns_topic")

    result = app.destroy(stack=["b"], policy=DeployPolicy(rebaseline=True))

    assert result.is_good, result
    assert app.owned() == {"a": ["aws_sns_topic.t"]}
    assert name in app.topics()


def test_a_destroy_beside_a_state_that_cannot_be_read_deletes_nothing(app: Shards, name: str) -> None:
    app.write(a=stack(topic(name)), b=stack(parameter(f"{name}b")))
    assert set(app.outcomes().values()) == {"committed"}
    key = f"b/{ACCOUNT}/{REGION}/dev/terraform.tfstate"
    app.client("s3").put_object(Bucket=app.bucket, Key=key, Body=b"{broken")

    result = app.destroy(stack=["a"])

    assert result.exit_code == 6
    assert f"{key} cannot be read" in str(result.shards[0].reason)
    assert name in app.topics()


def test_twins_of_one_object_under_two_types_are_one(app: Shards, name: str) -> None:
    s3 = app.client("s3")
    s3.create_bucket(Bucket=f"b-{name}", CreateBucketConfiguration={"LocationConstraint": REGION})
    older = {"aws_s3_bucket_object": {"o": {"bucket": f"b-{name}", "key": "k", "content": "a's"}}}
    newer = {"aws_s3_object": {"o": {"bucket": f"b-{name}", "key": "./k", "content": "b's"}}}
    app.write(a=stack(older), b=stack(parameter(f"{name}b")))
    assert set(app.outcomes().values()) == {"committed"}
    app.write(a=stack(older), b=stack(parameter(f"{name}b"), newer))

    assert app.outcomes() == {"a": "unchanged", "b": "blocked"}

    assert s3.get_object(Bucket=f"b-{name}", Key="k")["Body"].read() == b"a's"


def test_the_same_name_in_two_regions_is_two_objects(app: Shards, name: str) -> None:
    west = {
        "aws": [
            *stack()["provider"]["aws"],
            {**stack()["provider"]["aws"][0], "alias": "us", "region": "us-east-1"},
        ]
    }
    there = {"aws_sns_topic": {"t": {"name": name, "provider": "aws.us"}}}
    b = stack(there, parameter(f"{name}b"))
    app.write(a=stack(topic(name)), b={**b, "provider": west})
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    app.write(a=stack(topic(name)), b={**stack(parameter(f"{name}b")), "provider": west})

    assert app.outcomes() == {"a": "unchanged", "b": "committed"}

    assert name in app.topics(), "that of a"
    assert name not in app.topics(region="us-east-1"), "b's own was deleted"


@pytest.mark.parametrize("place", ["contract:before:a", "promoted:after:b"])
def test_after_a_kill_in_the_middle_of_a_move_each_object_is_in_one_state(
    app: Shards, name: str, place: str
) -> None:
    """Killed between the receiver's promotion and the giver's forgetting, and in the middle of that."""
    app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    app.write(a=stack(parameter(f"{name}a")), b=stack(parameter(f"{name}b"), topic(name)))

    app.killed_at(place, "deploy", "--yes")
    ended = app.run("deploy", "--yes", "--wait", "90")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in app.topics()


def test_going_back_by_hand_to_before_a_move_deletes_nothing(app: Shards, name: str) -> None:
    app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    app.write(a=stack(parameter(f"{name}a")), b=stack(parameter(f"{name}b"), topic(name)))
    assert app.outcomes() == {"a": "committed", "b": "committed"}

    too_early = app.rollback("a")
    back = app.rollback("b")
    told = list(app.told)
    in_between = app.owned()
    then = app.rollback("a")

    assert too_early.exit_code == 4
    assert "holdfast rollback b" in str(too_early.results["a"].next_step)
    assert back.is_good, back
    assert any("aws_sns_topic.t" in each and "it stays, and leaves the state" in each for each in told), told
    assert in_between == {"a": ["aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert then.is_good, then
    assert app.owned() == {"a": ["aws_sns_topic.t", "aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert name in app.topics()


def test_what_is_unchanged_asks_for_nobody_elses_state(app: Shards, name: str, caplog: Any) -> None:
    """Neither a LIST of the bucket nor a GET of another state, where no plan is made."""
    app.write(a=stack(topic(name)), b=stack(parameter(name)))
    assert app.outcomes() == {"a": "committed", "b": "committed"}
    caplog.set_level(logging.DEBUG, logger="botocore.endpoint")

    assert app.outcomes() == {"a": "unchanged", "b": "unchanged"}

    def asked(what: str) -> list[str]:
        told = [one.getMessage() for one in caplog.records if "Making request" in one.getMessage()]
        return [each for each in told if what in each]

    assert asked(""), "requests are seen"
    assert not [each for each in asked("ListObjectsV2") if "'prefix'" not in each]
    assert not [each for each in asked("GetObject)") if "terraform.tfstate'" in each]
    app.write(a=stack(topic(name)), b=stack(parameter(f"{name}x")))
    assert app.outcomes() == {"a": "unchanged", "b": "committed"}
    assert [each for each in asked("ListObjectsV2") if "'prefix'" not in each], "a LIST would be seen"
    assert [each for each in asked("GetObject)") if "terraform.tfstate'" in each], "a GET would be seen"
