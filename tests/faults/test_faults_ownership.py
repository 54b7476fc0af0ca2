"""Rows 77 to 79: objects that were there before, and objects that no tag proves to be ours."""

import json
from typing import Any

import pytest
from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import Match, puts, s3
from tests.faults.lab.proxy import Meanwhile, Rule
from tests.faults.lab.scenarios import SHARD, Version, app, impossible, parameter, provider, topic
from tests.faults.lab.world import DEPLOY, Started, World

TOPIC = f"{SHARD}-late"
ARN = f"arn:aws:sns:eu-west-1:123456789012:{TOPIC}"


def untagged(*blocks: Any) -> Version:
    """An app that puts no tags on anything."""
    plain = {name: value for name, value in provider().items() if name != "default_tags"}
    return app(*blocks, provider={"aws": [plain]})


def held(world: World) -> set[str]:
    return {f"{one['type']}.{one['name']}" for one in world.state()["resources"]}


def test_row_77_an_object_that_appears_between_plan_and_apply_is_not_taken_over(cold_world: World) -> None:
    world = cold_world
    world.begin(app(parameter("kept")))
    sns = world.cloud.client("sns")
    made = Rule(what=puts("first"), fault=Meanwhile(lambda: sns.create_topic(Name=TOPIC)), times=1)
    world.proxy.add(made)

    ended = world.deploy(
        app(parameter("kept"), parameter("first"), topic("late", depends_on=["aws_ssm_parameter.first"]))
    )

    assert made.hits == 1
    assert_safe(world, ended, code=5, told={("aws_sns_topic", TOPIC)})
    assert "already exists" in ended.text
    assert sns.list_tags_for_resource(ResourceArn=ARN)["Tags"] == []
    assert world.cloud.names() == {f"/{SHARD}/kept", TOPIC}


@pytest.mark.parametrize(
    ("moment", "told"),
    [(s3("PUT", r"_holdfast/artifacts/.*"), "is there already"), (puts("first"), "nobody can tell")],
    ids=["before the last look", "during the apply"],
)
def test_row_77_without_a_gateway_what_may_be_somebody_elses_is_let_go_of(
    world: World, moment: Match, told: str
) -> None:
    """Nothing guards the create: a look comes right before the apply, and what was made proves nothing."""
    world.begin(app(parameter("kept")))
    sns = world.cloud.client("sns")
    made = Rule(what=moment, fault=Meanwhile(lambda: sns.create_topic(Name=TOPIC)), times=1)
    world.proxy.add(made)
    wanted = (parameter("kept"), parameter("first"), topic("late", depends_on=["aws_ssm_parameter.first"]))
    refused = impossible(after="first")
    refused[2]["depends_on"].append("aws_sns_topic.late")

    ended = world.deploy(app(*wanted, refused))

    assert made.hits == 1
    assert_safe(world, ended, code=5, told={("aws_sns_topic", TOPIC)})
    assert told in ended.text
    assert world.cloud.names() == {f"/{SHARD}/kept", TOPIC}

    again = world.deploy(app(*wanted))

    assert_safe(world, again, code=4, told={("aws_sns_topic", TOPIC)})
    adopting = ("deploy", "--env", "dev", "--stack", SHARD, "--adopt", "aws_sns_topic.late")
    assert f"holdfast {' '.join(adopting)}" in again.text
    assert world.holdfast("deploy", "--adopt", "aws_sns_topic.other", "--yes", "--json").code == 64
    assert_safe(world, world.holdfast(*adopting, "--yes", "--json"), code=0)
    assert held(world) == {"aws_ssm_parameter.kept", "aws_ssm_parameter.first", "aws_sns_topic.late"}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "on another machine"])
def test_row_78_an_untagged_app_whose_first_deploy_was_killed_gets_its_own_objects_back(
    cold_world: World, *, elsewhere: bool
) -> None:
    """What was absent before and is there now is this run's, whatever its tags."""
    world = cold_world
    version = untagged(
        parameter("a"),
        topic("late", depends_on=["aws_ssm_parameter.a"]),
        parameter("b", depends_on=["aws_sns_topic.late"]),
    )
    world.write(version)
    running: list[Started] = []

    def kill_both() -> None:
        running[0].process.kill()
        world.kill_terraform()

    world.proxy.add(Rule(what=puts("b"), fault=Meanwhile(kill_both, after=True), times=1))
    running.append(world.start(*DEPLOY))
    running[0].wait()
    machine = {"HOLDFAST_CACHE_DIR": str(world.folder / "another-machine")} if elsewhere else {}
    if elsewhere:
        shown = json.loads(world.holdfast("state", "unlock", SHARD, "--json", **machine).out)
        world.holdfast("state", "unlock", SHARD, "--confirm", shown["lock"]["id"], **machine)

    resumed = world.holdfast("resume", world.newest_run(), "--json", **machine)

    assert_safe(world, resumed, code={0, 1})
    assert world.cloud.names() == {f"/{SHARD}/a", f"/{SHARD}/b", TOPIC}
    assert held(world) == {"aws_ssm_parameter.a", "aws_ssm_parameter.b", "aws_sns_topic.late"}


def test_row_79_what_may_have_been_taken_over_is_let_go_of_and_named(cold_world: World) -> None:
    """Nothing tells whether a subscription is there: the API answers with it either way."""
    world = cold_world
    world.begin(app(parameter("kept"), topic("late")))
    queue = "arn:aws:sqs:eu-west-1:123456789012:theirs"
    subscription = {"topic_arn": "${aws_sns_topic.late.arn}", "protocol": "sqs", "endpoint": queue}
    refused = impossible(after="kept")
    refused[2]["depends_on"].append("aws_sns_topic_subscription.s")
    world.cloud.client("sns").subscribe(TopicArn=ARN, Protocol="sqs", Endpoint=queue)

    ended = world.deploy(
        app(parameter("kept"), topic("late"), ("aws_sns_topic_subscription", "s", subscription), refused)
    )

    assert_safe(world, ended, code=5)
    assert "nobody can tell" in ended.text
    assert len(world.cloud.client("sns").list_subscriptions()["Subscriptions"]) == 1
    assert held(world) == {"aws_ssm_parameter.kept", "aws_sns_topic.late"}
