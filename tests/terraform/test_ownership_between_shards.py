"""Objects between shards: each of ours ends in exactly one state, and nobody else's is touched."""

import json
import logging
from typing import Any

import pytest
from tests.support.shards import (
    ACCOUNT,
    REGION,
    Shards,
    Stack,
    parameter,
    queue,
    stack,
    topic,
)

from holdfast_orchestrator.plan.document import ResourceChange
from holdfast_orchestrator.plan.result import ShardPlan

pytestmark = pytest.mark.long

_FROM_A = "${data.terraform_remote_state.cross-stack-reference-input-a.outputs.v}"


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _changes(planned: ShardPlan) -> tuple[ResourceChange, ...]:
    return () if planned.document is None else planned.document.changes


def _with(made: Stack, more: Stack, needed: str) -> dict[str, Any]:
    """The parameters of a stack and another, which is made after what it depends on."""
    late = {name: {**body, "depends_on": [needed]} for name, body in more["aws_ssm_parameter"].items()}
    return {"aws_ssm_parameter": {**made["resource"].get("aws_ssm_parameter", {}), **late}}


def test_what_a_drops_and_b_declares_in_one_run_arrives(warm_app: Shards, name: str) -> None:
    warm_app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    warm_app.write(a=stack(parameter(f"{name}a")), b=stack(parameter(f"{name}b"), topic(name, at="mine")))

    planned = warm_app.project.plan()
    result = warm_app.deploy()

    told = {shard.shard: [(c.action.value, c.ownership) for c in _changes(shard)] for shard in planned.shards}
    assert told == {"a": [("forget", "moves to b")], "b": [("no-op", "moves here from a")]}
    assert planned.refusals == ()
    assert {one.shard: one.outcome.value for one in result.shards} == {"a": "committed", "b": "committed"}, (
        result
    )
    assert warm_app.owned() == {
        "a": ["aws_ssm_parameter.p"],
        "b": ["aws_sns_topic.mine", "aws_ssm_parameter.p"],
    }
    assert name in warm_app.topics()
    assert warm_app.outcomes(refresh=True) == {"a": "unchanged", "b": "unchanged"}
    assert sum(one.destroyed for one in result.shards) == 0


def test_an_object_that_refuses_a_second_create_moves_too_and_its_content_stays(
    warm_app: Shards, name: str
) -> None:
    """A queue with a message, and a parameter: neither could be made a second time, or be lost."""
    warm_app.write(a=stack(queue(name), parameter(name)), b=stack(topic(name)))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    sqs = warm_app.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="here")
    warm_app.write(a=stack(topic(f"{name}x")), b=stack(topic(name), queue(name), parameter(name)))

    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}

    assert warm_app.owned() == {
        "a": ["aws_sns_topic.t"],
        "b": ["aws_sns_topic.t", "aws_sqs_queue.q", "aws_ssm_parameter.p"],
    }
    received = sqs.receive_message(QueueUrl=url)["Messages"]
    assert [message["Body"] for message in received] == ["here"]


def test_what_moves_to_a_shard_that_depends_on_its_giver_arrives(warm_app: Shards, name: str) -> None:
    """The receiver has to come after: the giver keeps the object and has a second turn."""
    giver = parameter(f"{name}a")
    warm_app.write(
        a=stack(giver, topic(name), v="${aws_ssm_parameter.p.name}"),
        b=stack(parameter(f"{name}b", value=_FROM_A), after=("a",)),
    )
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    warm_app.write(
        a=stack(giver, v="${aws_ssm_parameter.p.name}"),
        b=stack(parameter(f"{name}b", value=_FROM_A), topic(name), after=("a",)),
    )

    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}

    assert warm_app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in warm_app.topics()
    assert warm_app.outcomes(refresh=True) == {"a": "unchanged", "b": "unchanged"}


def test_what_moves_to_the_shard_that_read_it_arrives(warm_app: Shards, name: str) -> None:
    """The giver keeps object and output until the receiver, whose last good deploy reads them, has it."""
    giver = parameter(f"{name}a")
    warm_app.write(
        a=stack(giver, topic(name), v="${aws_sns_topic.t.arn}"),
        b=stack(parameter(f"{name}b", value=_FROM_A), after=("a",)),
    )
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    own = parameter(f"{name}b", value="${aws_sns_topic.t.arn}")
    warm_app.write(a=stack(giver), b=stack(own, topic(name)))

    assert warm_app.outcomes()["b"] == "committed"

    assert warm_app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in warm_app.topics()
    assert warm_app.outcomes(refresh=True) == {"a": "unchanged", "b": "unchanged"}


def test_where_the_receiver_that_comes_after_fails_the_giver_keeps_the_object(
    warm_app: Shards, name: str, taken: Stack
) -> None:
    warm_app.write(
        a=stack(parameter(f"{name}a"), topic(name), v="${aws_ssm_parameter.p.name}"),
        b=stack(parameter(f"{name}b", value=_FROM_A), after=("a",)),
    )
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    less = stack(parameter(f"{name}a"), v="${aws_ssm_parameter.p.name}")
    after = stack(parameter(f"{name}b", value=_FROM_A), topic(name), after=("a",))
    warm_app.write(
        a=less, b={**after, "resource": {**after["resource"], **_with(after, taken, "aws_sns_topic.t")}}
    )

    assert warm_app.deploy().outcome["b"] == "rolled_back"
    assert warm_app.owned()["a"] == ["aws_sns_topic.t", "aws_ssm_parameter.p"]
    assert warm_app.owned()["b"] == ["aws_ssm_parameter.p"]
    assert name in warm_app.topics()

    warm_app.write(a=less, b=after)
    assert warm_app.deploy().is_good
    assert warm_app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in warm_app.topics()


def test_where_the_receiver_fails_the_giver_stays_as_it_was(
    warm_app: Shards, name: str, taken: Stack
) -> None:
    warm_app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    after = stack(parameter(f"{name}b"), topic(name))
    warm_app.write(
        a=stack(parameter(f"{name}a")),
        b={**after, "resource": {**after["resource"], **_with(after, taken, "aws_sns_topic.t")}},
    )

    assert warm_app.outcomes() == {"a": "skipped", "b": "rolled_back"}

    assert warm_app.owned() == {"a": ["aws_sns_topic.t", "aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert name in warm_app.topics()


def test_a_shard_that_only_went_after_one_that_failed_is_not_skipped(
    warm_app: Shards, name: str, taken: Stack
) -> None:
    """What the other might have received, by a name that nobody knows before the apply, stays meanwhile."""
    warm_app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    named = {"terraform_data": {"n": {"input": f"{name}-other"}}}
    late = topic("${terraform_data.n.output}", at="late")
    less = stack(parameter(f"{name}a", value="2"))
    warm_app.write(a=less, b=stack(parameter(f"{name}b"), named, late, taken))

    assert warm_app.outcomes() == {"a": "committed", "b": "rolled_back"}

    assert "a keeps in its state what goes to b, until that is deployed" in " ".join(warm_app.told)
    assert warm_app.owned() == {"a": ["aws_sns_topic.t", "aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert name in warm_app.topics()

    warm_app.write(a=less, b=stack(parameter(f"{name}b"), named, late))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    assert warm_app.owned()["a"] == ["aws_ssm_parameter.p"]
    assert {one for one in warm_app.topics() if one.startswith(name)} == {f"{name}-other"}


def test_blocks_renamed_without_moved_keep_their_objects(warm_app: Shards, name: str) -> None:
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

    warm_app.write(a=renamed("old"))
    assert warm_app.outcomes() == {"a": "committed"}
    warm_app.write(a=renamed("new"))

    assert warm_app.outcomes() == {"a": "committed"}

    iam, events, s3 = warm_app.client("iam"), warm_app.client("events"), warm_app.client("s3")
    assert len(iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]) == 1
    assert [one["Id"] for one in events.list_targets_by_rule(Rule=name)["Targets"]] == ["t"]
    assert "DeleteBucket" in s3.get_bucket_policy(Bucket=f"{name}-b")["Policy"]
    assert not [one for one in warm_app.owned()["a"] if one.endswith(".old")]
    assert warm_app.outcomes(refresh=True) == {"a": "unchanged"}


def test_an_instance_renamed_without_moved_is_refused_and_keeps_its_object(
    warm_app: Shards, name: str
) -> None:
    def each(key: str) -> Stack:
        return stack({"aws_sns_topic": {"t": {"for_each": {key: name}, "name": "${each.value}"}}})

    warm_app.write(a=each("old"))
    assert warm_app.outcomes() == {"a": "committed"}
    warm_app.write(a=each("new"))

    ended = warm_app.deploy()

    assert ended.outcome == {"a": "blocked"}
    assert 'aws_sns_topic.t["old"] would be deleted' in str(ended.shards[0].reason)
    assert name in warm_app.topics()


def test_where_the_giver_fails_the_receiver_goes_back_too(warm_app: Shards, name: str, taken: Stack) -> None:
    moving = {**topic(name), **queue(name)}
    warm_app.write(a=stack(moving, parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    warm_app.write(a=stack(parameter(f"{name}a"), taken), b=stack(parameter(f"{name}b"), moving))

    assert warm_app.outcomes() == {"a": "rolled_back", "b": "rolled_back"}

    assert warm_app.owned() == {
        "a": ["aws_sns_topic.t", "aws_sqs_queue.q", "aws_ssm_parameter.p"],
        "b": ["aws_ssm_parameter.p"],
    }
    assert name in warm_app.topics()


def test_all_or_nothing_takes_a_move_back(warm_app: Shards, name: str, taken: Stack) -> None:
    warm_app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    warm_app.write(
        a=stack(parameter(f"{name}a")),
        b=stack(parameter(f"{name}b"), topic(name)),
        c=stack(taken, parameter(f"{name}c", value=_FROM_A), after=("a",)),
    )

    result = warm_app.deploy(atomic=True)

    assert result.outcome["a"] == result.outcome["b"] == "rolled_back", result.shards
    assert warm_app.owned()["a"] == ["aws_sns_topic.t", "aws_ssm_parameter.p"]
    assert warm_app.owned()["b"] == ["aws_ssm_parameter.p"]
    assert name in warm_app.topics()


@pytest.mark.parametrize("place", ["contract:before:a", "promoted:after:b"])
def test_after_a_kill_in_the_middle_of_a_move_each_object_is_in_one_state(
    warm_app: Shards, name: str, place: str
) -> None:
    """Killed between the receiver's promotion and the giver's forgetting, and in the middle of that."""
    warm_app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    warm_app.write(a=stack(parameter(f"{name}a")), b=stack(parameter(f"{name}b"), topic(name)))

    warm_app.killed_at(place, "deploy", "--yes")
    ended = warm_app.run("deploy", "--yes", "--wait", "90")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert warm_app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in warm_app.topics()


def test_going_back_by_hand_to_before_a_move_deletes_nothing(warm_app: Shards, name: str) -> None:
    warm_app.write(a=stack(topic(name), parameter(f"{name}a")), b=stack(parameter(f"{name}b")))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    warm_app.write(a=stack(parameter(f"{name}a")), b=stack(parameter(f"{name}b"), topic(name)))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}

    too_early = warm_app.rollback("a")
    back = warm_app.rollback("b")
    told = list(warm_app.told)
    in_between = warm_app.owned()
    then = warm_app.rollback("a")

    assert too_early.exit_code == 4
    assert "holdfast rollback b" in str(too_early.results["a"].next_step)
    assert back.is_good, back
    assert any("aws_sns_topic.t" in each and "it stays, and leaves the state" in each for each in told), told
    assert in_between == {"a": ["aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert then.is_good, then
    assert warm_app.owned() == {"a": ["aws_sns_topic.t", "aws_ssm_parameter.p"], "b": ["aws_ssm_parameter.p"]}
    assert name in warm_app.topics()


def test_what_is_unchanged_asks_for_nobody_elses_state(warm_app: Shards, name: str, caplog: Any) -> None:
    """Neither a LIST of the bucket nor a GET of another state, where no plan is made."""
    warm_app.write(a=stack(topic(name)), b=stack(parameter(name)))
    assert warm_app.outcomes() == {"a": "committed", "b": "committed"}
    caplog.set_level(logging.DEBUG, logger="botocore.endpoint")

    assert warm_app.outcomes() == {"a": "unchanged", "b": "unchanged"}

    def asked(what: str) -> list[str]:
        told = [one.getMessage() for one in caplog.records if "Making request" in one.getMessage()]
        return [each for each in told if what in each]

    assert asked(""), "requests are seen"
    assert not [each for each in asked("ListObjectsV2") if "'prefix'" not in each]
    assert not [each for each in asked("GetObject)") if "terraform.tfstate'" in each]
    warm_app.write(a=stack(topic(name)), b=stack(parameter(f"{name}x")))
    assert warm_app.outcomes() == {"a": "unchanged", "b": "committed"}
    assert [each for each in asked("ListObjectsV2") if "'prefix'" not in each], "a LIST would be seen"
    assert [each for each in asked("GetObject)") if "terraform.tfstate'" in each], "a GET would be seen"
