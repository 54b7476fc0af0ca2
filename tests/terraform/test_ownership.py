"""Whose object is it? What was there before is never changed, destroyed or forgotten for somebody else.

Each test deploys with real Terraform to an AWS on loopback, and holds that cloud against every state in the
bucket afterwards. Objects are made by hand (boto3) where "somebody else" is meant.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.owned_objects import Cloud, everything, failing, parameter, stack
from tests.terraform.conftest import ACCOUNT, REGION, App


def held(aws_app: App, shard: str) -> set[str]:
    """The addresses in a shard's state."""
    return {f"{one['type']}.{one['name']}" for one in aws_app.state(shard)["resources"]}


def topic(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


def late(name: str) -> dict[str, Any]:
    """Resources whose topic's name is known only once something else has been made."""
    return {
        "terraform_data": {"name": {"input": name}},
        "aws_sns_topic": {"t": topic("${terraform_data.name.output}")},
    }


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One stack: what it has first, what somebody does then, what it wants, and how that must end.

    `there` is whether the topic `NAME` exists afterwards, `subscribed` whether it still has the subscription
    that was made by hand before, `held` the addresses in the state; `adopt` is taken over by name.
    """

    name: str
    outcome: str
    there: bool
    held: frozenset[str]
    first: Callable[[str], dict[str, Any]] = lambda _name: {}
    between: Callable[["Cloud", str], None] = lambda _cloud, _name: None
    second: Callable[[str], dict[str, Any]]
    subscribed: bool = False
    adopt: str = ""


def by_hand(cloud: Cloud, name: str) -> None:
    """Somebody else's topic, with a subscriber, and the parameter of `failing`."""
    cloud("sns").create_topic(Name=name, Tags=[{"Key": "Team", "Value": "them"}])
    subscribe(cloud, name)


def left_by_us(cloud: Cloud, name: str) -> None:
    """A topic with the shard's tags in no state: an earlier run left it."""
    tags = {"Service": name.rpartition("-")[2], "Environment": "dev", "ManagedBy": "holdfast"}
    cloud("sns").create_topic(Name=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    subscribe(cloud, name)


def elsewhere(cloud: Cloud, name: str) -> None:
    """A topic of that name in another region is another topic."""
    cloud("sns", "us-east-1").create_topic(Name=name)


def subscribe(cloud: Cloud, name: str, region: str = REGION) -> None:
    cloud("sns", region).subscribe(
        TopicArn=f"arn:aws:sns:{region}:{ACCOUNT}:{name}",
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{region}:{ACCOUNT}:x",
    )


T = frozenset({"aws_sns_topic.t"})
NONE = frozenset[str]()
# One app has them all, a stack each: two deploys for the whole table. Helpers of other parts add theirs.
SITUATIONS = (
    Situation(
        name="foreign",
        between=by_hand,
        second=lambda name: {"aws_sns_topic": {"t": topic(name)}},
        outcome="blocked",
        there=True,
        subscribed=True,
        held=NONE,
    ),
    Situation(
        name="foreignlate",
        between=by_hand,
        second=late,
        outcome="rolled_back",
        there=True,
        subscribed=True,
        held=NONE,
    ),
    Situation(
        name="leftlate",
        between=left_by_us,
        second=late,
        outcome="rolled_back",
        there=True,
        subscribed=True,
        held=NONE,
    ),
    Situation(
        name="left",
        between=left_by_us,
        second=lambda name: {"aws_sns_topic": {"t": topic(name)}},
        outcome="blocked",
        there=True,
        subscribed=True,
        held=NONE,
    ),
    Situation(
        name="new",
        second=lambda name: {"aws_sns_topic": {"t": topic(name)}},
        outcome="committed",
        there=True,
        held=T,
    ),
    Situation(
        name="newfails",
        second=lambda name: {"aws_sns_topic": {"t": topic(name)}, **failing(name)},
        outcome="rolled_back",
        there=False,
        held=NONE,
    ),
    Situation(
        name="newlatefails",
        second=lambda name: {**late(name), **failing(name)},
        outcome="rolled_back",
        there=False,
        held=NONE,
    ),
    Situation(
        name="adopted",
        between=by_hand,
        second=lambda name: {"aws_sns_topic": {"taken": topic(name)}},
        adopt="aws_sns_topic.taken",
        outcome="committed",
        there=True,
        subscribed=True,
        held=frozenset({"aws_sns_topic.taken"}),
    ),
    Situation(
        name="adoptedfails",
        between=by_hand,
        second=lambda name: {
            "aws_sns_topic": {"claimed": topic(name)},
            **failing(name, "aws_sns_topic.claimed"),
        },
        adopt="aws_sns_topic.claimed",
        outcome="rolled_back",
        there=True,
        subscribed=True,
        held=NONE,
    ),
    Situation(
        name="renamed",
        first=lambda name: {"aws_sns_topic": {"old": topic(name)}},
        between=subscribe,
        second=lambda name: {"aws_sns_topic": {"t": topic(name)}},
        outcome="committed",
        there=True,
        subscribed=True,
        held=T,
    ),
    Situation(
        name="createfirst",
        first=lambda name: {
            "terraform_data": {"v": {"input": "1"}},
            "aws_sns_topic": {"t": topic(name)},
        },
        between=subscribe,
        second=lambda name: {
            "terraform_data": {"v": {"input": "2"}},
            "aws_sns_topic": {
                "t": topic(
                    name,
                    lifecycle={"replace_triggered_by": ["terraform_data.v"], "create_before_destroy": True},
                )
            },
        },
        outcome="blocked",
        there=True,
        subscribed=True,
        held=T | {"terraform_data.v"},
    ),
    Situation(
        name="deletefirst",
        first=lambda name: {
            "terraform_data": {"v": {"input": "1"}},
            "aws_sns_topic": {"t": topic(name)},
        },
        second=lambda name: {
            "terraform_data": {"v": {"input": "2"}},
            "aws_sns_topic": {
                "t": topic(name, lifecycle={"replace_triggered_by": ["terraform_data.v"]}),
            },
        },
        outcome="committed",
        there=True,
        held=T | {"terraform_data.v"},
    ),
    Situation(
        name="otherregion",
        between=elsewhere,
        second=lambda name: {"aws_sns_topic": {"t": topic(name)}},
        outcome="committed",
        there=True,
        held=T,
    ),
)


@pytest.mark.parametrize(
    "are_late", [False, pytest.param(True, marks=pytest.mark.long)], ids=["names are known", "names are late"]
)
def test_the_table_of_situations(aws_app: App, cloud: Cloud, *, are_late: bool) -> None:
    """Every situation ends as it must, and everybody's objects are where they were.

    A topic whose name is not known yet may be the one that another stack gives up, so those are an app of
    their own: what gives one up would wait for them.
    """
    rows = [row for row in SITUATIONS if ("late" in row.name) is are_late]
    # Only a bucket that keeps versions knows what there was before the newest deployment.
    aws_app.s3.put_bucket_versioning(Bucket=aws_app.bucket, VersioningConfiguration={"Status": "Enabled"})
    own = {row.name: {"aws_ssm_parameter": {"own": parameter(f"/{cloud.name}/{row.name}")}} for row in rows}
    names = {row.name: f"{cloud.name}-{row.name}" for row in rows}
    aws_app.write({row.name: stack(**merged(own[row.name], row.first(names[row.name]))) for row in rows})
    assert aws_app.run("deploy", "--yes").returncode == 0
    for row in rows:
        row.between(cloud, names[row.name])
        cloud("ssm").put_parameter(Name=f"/{names[row.name]}/clash", Value="theirs", Type="String")

    aws_app.write({row.name: stack(**merged(own[row.name], row.second(names[row.name]))) for row in rows})
    named = [word for row in rows if row.adopt for word in ("--adopt", row.adopt)]
    ran = aws_app.run("deploy", "--yes", "--json", *named)

    report = json.loads(ran.stdout)
    assert "shards" in report, ran.stdout
    ended = {shard["name"]: shard for shard in report["shards"]}
    seen = {row.name: _as_seen(aws_app, cloud, row, ended[row.name]["outcome"]) for row in rows}
    assert seen == {row.name: _as_wanted(row) for row in rows}, ran.stdout
    for row in rows:
        if row.outcome == "blocked":
            assert "aws_sns_topic.t" in ended[row.name]["reason"], row.name

    if are_late:
        return
    # What was taken over is let go of by a rollback by hand too, later.
    back = aws_app.run("rollback", "adopted", "--env", "dev", "--yes")
    assert back.returncode == 0, back.stdout + back.stderr
    assert cloud.everything_of(names["adopted"]) == 1
    assert held(aws_app, "adopted") == {"aws_ssm_parameter.own"}


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {kind: {**one.get(kind, {}), **other.get(kind, {})} for kind in one.keys() | other.keys()}


def _as_seen(aws_app: App, cloud: Cloud, row: Situation, outcome: str) -> dict[str, Any]:
    subscribers = cloud.everything_of(f"{cloud.name}-{row.name}")
    return {
        "outcome": outcome,
        "there": subscribers is not None,
        "subscribed": bool(subscribers),
        "held": held(aws_app, row.name) - {"aws_ssm_parameter.own", "terraform_data.name"},
    }


def _as_wanted(row: Situation) -> dict[str, Any]:
    wanted = {"outcome": row.outcome, "there": row.there, "subscribed": row.subscribed}
    return {**wanted, "held": set(row.held)}


def test_what_a_create_would_take_over_is_a_gate_and_left_alone(aws_app: App, cloud: Cloud) -> None:
    """Each kind of object whose create would be answered with success although it is there."""
    cloud.make_everything()
    before = cloud.everything()
    first = {"aws_ssm_parameter": {"own": parameter(f"/{cloud.name}/own")}}
    aws_app.write({"core": stack(**first)})
    assert aws_app.run("deploy", "--yes").returncode == 0
    wanted = everything(cloud.name)
    aws_app.write({"core": stack(**first, **wanted)})

    planned, deployed = aws_app.run("plan", "--json"), aws_app.run("deploy", "--yes", "--json")
    cold = aws_app.run("deploy", "--yes", "--json", "--cold-providers")

    (core,) = json.loads(planned.stdout)["shards"]
    addresses = {f"{kind}.{name}" for kind, named in wanted.items() for name in named}
    told = {address for address in addresses if any(address in one["what"] for one in core["refusals"])}
    assert told == addresses
    for ran in (deployed, cold):
        (shard,) = json.loads(ran.stdout)["shards"]
        assert shard["outcome"] == "blocked", ran.stdout
        assert {one for one in addresses if one in shard["reason"]} == addresses
        assert {one for one in addresses if f"--adopt {one}" in shard["next_step"]} == addresses
    assert (planned.returncode, deployed.returncode, cold.returncode) == (4, 4, 4)
    assert cloud.everything() == before
    assert held(aws_app, "core") == {"aws_ssm_parameter.own"}


@pytest.mark.long
def test_what_appears_between_plan_and_apply_is_refused_by_the_guard(aws_app: App, cloud: Cloud) -> None:
    name = f"{cloud.name}-topic"
    aws_app.write({"core": stack(aws_sns_topic={"t": topic(name)})})
    assert aws_app.run("plan", "--out", "kept").returncode == 0
    by_hand(cloud, name)

    ran = aws_app.run("deploy", "--yes", "--json", "--plan", "kept")

    (core,) = json.loads(ran.stdout)["shards"]
    assert core["outcome"] == "failed", ran.stdout
    assert "already exists" in core["reason"]
    assert cloud.everything_of(name) == 1
