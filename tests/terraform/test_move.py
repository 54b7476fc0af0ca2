"""`holdfast move`: objects from state to state; in the cloud nothing changes, and nothing is known twice."""

import json

import pytest
from tests.support.shards import Shards, parameter, stack, topic

from holdfast_orchestrator.errors import GateError, UsageError

pytestmark = pytest.mark.long


def test_a_renamed_stack_keeps_its_objects(warm_app: Shards, name: str) -> None:
    """Report 08: the stack is called otherwise now; its objects are offered, moved, and never destroyed."""
    what = stack(topic(name), parameter(name))
    warm_app.write(core=what)
    assert warm_app.outcomes() == {"core": "committed"}
    warm_app.write(platform=what)

    planned = warm_app.run("plan")
    refused = warm_app.deploy()
    offered = [told for told in warm_app.told if "is not in the app any more" in told]
    taken_down = warm_app.run("destroy", "--env", "dev", "--retired", "core", "--yes")
    looked = warm_app.project.move("core", "platform")
    moved = warm_app.run("move", "core", "platform", "--env", "dev", "--yes", "--json")
    document = json.loads(moved.stdout)
    afterwards = warm_app.deploy()

    assert (planned.returncode, refused.exit_code) == (4, 4)
    assert "if core is called platform now: holdfast move core platform" in planned.stdout
    assert "holdfast move core platform" in str(refused.results["platform"].next_step)
    assert all("holdfast move core platform --env dev" in told for told in offered)
    assert not any("--retired" in told for told in offered)
    assert taken_down.returncode == 4, taken_down.stderr
    assert "holdfast move core platform --env dev" in taken_down.stderr
    assert looked.done is None
    assert len(looked.proposal.moved) == 2
    assert (document["moved"], document["stays"], len(document["objects"])) == (True, 0, 2)
    assert afterwards.is_good, afterwards
    assert afterwards.results["platform"].added == afterwards.results["platform"].destroyed == 0
    assert warm_app.owned() == {"platform": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in warm_app.topics()
    assert warm_app.outcomes() == {"platform": "unchanged"}
    assert "move" in {one["action"] for one in json.loads(warm_app.run("audit", "--json").stdout)["records"]}


def test_a_part_that_moved_to_another_stack_is_moved_alone_and_a_second_time_is_harmless(
    warm_app: Shards, name: str
) -> None:
    warm_app.write(a=stack(topic(name), parameter(name)), b=stack(parameter(f"{name}b", at="other")))
    assert set(warm_app.outcomes().values()) == {"committed"}
    warm_app.write(a=stack(parameter(name)), b=stack(parameter(f"{name}b", at="other"), topic(name)))

    warm_app.project.move("a", "b", yes=True)

    assert warm_app.owned() == {
        "a": ["aws_ssm_parameter.p"],
        "b": ["aws_sns_topic.t", "aws_ssm_parameter.other"],
    }
    with pytest.raises(UsageError, match="nothing that a has"):
        warm_app.project.move("a", "b", yes=True)
    result = warm_app.deploy()
    assert result.is_good, result
    assert sum(one.added + one.destroyed for one in result.shards) == 0
    assert name in warm_app.topics()


def test_what_the_receiver_does_not_declare_does_not_move(warm_app: Shards, name: str) -> None:
    warm_app.write(a=stack(topic(name)), b=stack(parameter(name)))
    assert set(warm_app.outcomes().values()) == {"committed"}

    with pytest.raises(GateError, match="b does not declare aws_sns_topic"):
        warm_app.project.move("a", "b", addresses=["aws_sns_topic.t"], yes=True)

    assert warm_app.owned() == {"a": ["aws_sns_topic.t"], "b": ["aws_ssm_parameter.p"]}


def test_a_deploy_that_fails_right_after_a_move_is_undone_without_making_or_losing_anything(
    warm_app: Shards, name: str
) -> None:
    """Values that went across are written out in what the shards go back to: the topic is neither's twice."""
    reader = parameter(f"{name}r", at="r", value="${aws_sns_topic.t.arn}", depends_on=["aws_sns_topic.t"])
    warm_app.write(
        a=stack(topic(name, display_name="old"), reader, v="${aws_sns_topic.t.name}"),
        b=stack(parameter(f"{name}b", at="b")),
    )
    assert set(warm_app.outcomes().values()) == {"committed"}
    for which in ("a", "b"):
        warm_app.client("ssm").put_parameter(Name=f"{name}-taken-{which}", Value="theirs", Type="String")
    arn = next(one for one in _topic_arns(warm_app) if one.endswith(f":{name}"))
    warm_app.write(
        a=stack(parameter(f"{name}r", at="r", value=arn), v=name),
        b=stack(parameter(f"{name}b", at="b"), topic(name, display_name="old")),
    )

    looked = warm_app.project.move("a", "b")
    moved = warm_app.project.move("a", "b", yes=True)
    warm_app.write(
        a=stack(parameter(f"{name}r", at="r", value="new"), parameter(f"{name}-taken-a", at="bad"), v=name),
        b=stack(
            parameter(f"{name}b", at="b", value="new"),
            topic(name, display_name="new"),
            parameter(f"{name}-taken-b", at="bad"),
        ),
    )
    failed = warm_app.deploy()

    for one in (looked, moved):
        assert [plan.failure for plan in one.plans] == [None, None]
        assert one.demanded == ()
        counts = [(p.document.added, p.document.destroyed) for p in one.plans if p.document is not None]
        assert counts == [(0, 0), (0, 0)]
    assert moved.done is not None
    assert moved.done.not_good is None
    outcomes = {each.shard: each.outcome.value for each in failed.shards}
    assert outcomes == {"a": "rolled_back", "b": "rolled_back"}, failed
    assert warm_app.owned() == {"a": ["aws_ssm_parameter.r"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.b"]}
    values = {key: _value(warm_app, f"{name}{key}") for key in ("r", "b", "-taken-a")}
    assert values == {"r": arn, "b": "v", "-taken-a": "theirs"}
    assert _display(warm_app, arn) == "old"


def test_a_renamed_stack_whose_first_deploy_fails_goes_back_to_what_it_was(
    warm_app: Shards, name: str
) -> None:
    warm_app.write(core=stack(topic(name, display_name="old"), parameter(name)))
    assert warm_app.outcomes() == {"core": "committed"}
    warm_app.client("ssm").put_parameter(Name=f"{name}-taken", Value="theirs", Type="String")
    warm_app.write(platform=stack(topic(name, display_name="old"), parameter(name)))

    assert warm_app.project.move("core", "platform", yes=True).demanded == ()
    bad = parameter(f"{name}-taken", at="bad")
    warm_app.write(platform=stack(topic(name, display_name="new"), parameter(name), bad))
    failed = warm_app.deploy()

    assert failed.results["platform"].outcome.value == "rolled_back", failed
    assert warm_app.owned() == {"platform": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    arn = next(one for one in _topic_arns(warm_app) if one.endswith(f":{name}"))
    assert _display(warm_app, arn) == "old"
    assert "core" not in warm_app.run("list").stdout


def _topic_arns(warm_app: Shards) -> list[str]:
    pages = warm_app.client("sns").get_paginator("list_topics").paginate()
    return [str(one["TopicArn"]) for page in pages for one in page["Topics"]]


def _display(warm_app: Shards, arn: str) -> str:
    return str(warm_app.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"])


def _value(warm_app: Shards, name: str) -> str:
    return str(warm_app.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
