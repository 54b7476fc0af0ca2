"""Whose object is it? What was there before is never changed, destroyed or forgotten for somebody else.

Each test deploys with real Terraform to an AWS on loopback, and holds that cloud against every state in the
bucket afterwards. Objects are made by hand (boto3) where "somebody else" is meant.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from tests.terraform.conftest import ACCOUNT, REGION, ROOT, App

from holdfast_orchestrator.engine import lockfile

ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}"


class Cloud:
    """The cloud as its owner sees it, beside Terraform and Holdfast."""

    def __init__(self, app: App, name: str) -> None:
        self.name = name
        self._endpoint = app.environ["AWS_ENDPOINT_URL"]

    def __call__(self, service: str, region: str = REGION) -> Any:
        client: Any = boto3.Session("testing", "testing", region_name=region).client
        return client(service, endpoint_url=self._endpoint)

    def make_everything(self) -> None:
        """Make, by hand, one object of each type that a create would take over."""
        name = self.name
        self("sns").create_topic(Name=f"{name}-topic", Tags=[{"Key": "Team", "Value": "them"}])
        self("sns").subscribe(
            TopicArn=f"{ARN}:{name}-topic", Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:x"
        )
        self("sns").set_topic_attributes(
            TopicArn=f"{ARN}:{name}-topic",
            AttributeName="Policy",
            AttributeValue=topic_policy(name, "theirs"),
        )
        self("sqs").create_queue(QueueName=f"{name}-queue")
        self("cloudwatch").put_metric_alarm(
            AlarmName=f"{name}-alarm",
            MetricName="m",
            Namespace="n",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=9,
            ComparisonOperator="GreaterThanThreshold",
        )
        self("cloudwatch").put_dashboard(DashboardName=f"{name}-board", DashboardBody=board("theirs"))
        self("events").put_rule(Name=f"{name}-rule", ScheduleExpression="rate(9 days)")
        self("events").put_targets(
            Rule=f"{name}-rule", Targets=[{"Id": "theirs", "Arn": f"{ARN}:{name}-topic"}]
        )
        self("s3").create_bucket(
            Bucket=f"{name}-bucket", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self("s3").put_object(Bucket=f"{name}-bucket", Key="a/b", Body=b"theirs")
        self("s3").put_bucket_policy(Bucket=f"{name}-bucket", Policy=policy(f"{name}-bucket", "theirs"))
        self("iam").create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument=trust())
        self("iam").put_role_policy(
            RoleName=f"{name}-role", PolicyName="inline", PolicyDocument=policy(f"{name}-bucket", "theirs")
        )
        self("logs").create_log_group(logGroupName=f"{name}-group")
        self("logs").put_metric_filter(
            logGroupName=f"{name}-group",
            filterName="errors",
            filterPattern="theirs",
            metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "9"}],
        )

    def everything(self) -> dict[str, Any]:
        """The objects of `make_everything` and their settings; None for one that is gone."""
        name = self.name
        topics = self("sns").list_subscriptions_by_topic
        return {
            "topic": attempt(lambda: len(topics(TopicArn=f"{ARN}:{name}-topic")["Subscriptions"])),
            "tags": attempt(
                lambda: self("sns").list_tags_for_resource(ResourceArn=f"{ARN}:{name}-topic")["Tags"]
            ),
            "topic policy": attempt(
                lambda: self("sns").get_topic_attributes(TopicArn=f"{ARN}:{name}-topic")["Attributes"][
                    "Policy"
                ]
            ),
            "queue": attempt(lambda: bool(self("sqs").get_queue_url(QueueName=f"{name}-queue")["QueueUrl"])),
            "alarm": attempt(lambda: self._alarm()["Threshold"]),
            "board": attempt(
                lambda: self("cloudwatch").get_dashboard(DashboardName=f"{name}-board")["DashboardBody"]
            ),
            "rule": attempt(lambda: self("events").describe_rule(Name=f"{name}-rule")["ScheduleExpression"]),
            "target": attempt(
                lambda: [t["Id"] for t in self("events").list_targets_by_rule(Rule=f"{name}-rule")["Targets"]]
            ),
            "object": attempt(
                lambda: str(self("s3").get_object(Bucket=f"{name}-bucket", Key="a/b")["Body"].read())
            ),
            "bucket policy": attempt(
                lambda: json.loads(self("s3").get_bucket_policy(Bucket=f"{name}-bucket")["Policy"])[
                    "Statement"
                ][0]["Sid"]
            ),
            "role policy": attempt(
                lambda: self("iam").get_role_policy(RoleName=f"{name}-role", PolicyName="inline")[
                    "PolicyDocument"
                ]
            ),
            "filter": attempt(
                lambda: self("logs").describe_metric_filters(logGroupName=f"{name}-group")["metricFilters"][
                    0
                ]["filterPattern"]
            ),
        }

    def everything_of(self, topic: str) -> int | None:
        """How many subscribers a topic has, None where there is no such topic."""
        listed = self("sns").list_subscriptions_by_topic
        found: int | None = attempt(lambda: len(listed(TopicArn=f"{ARN}:{topic}")["Subscriptions"]))
        return found

    def _alarm(self) -> Any:
        return self("cloudwatch").describe_alarms(AlarmNames=[f"{self.name}-alarm"])["MetricAlarms"][0]


def attempt(look: Any) -> Any:
    try:
        return look()
    except Exception:  # noqa: BLE001 - whatever says that it is gone
        return None


def board(text: str) -> str:
    widget = {"type": "text", "x": 0, "y": 0, "width": 1, "height": 1, "properties": {"markdown": text}}
    return json.dumps({"widgets": [widget]})


def policy(bucket: str, sid: str) -> str:
    statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteBucket",
        "Resource": f"arn:aws:s3:::{bucket}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust() -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def topic_policy(name: str, sid: str) -> str:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    more = {"Action": "sns:Publish", "Resource": f"{ARN}:{name}-topic"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **more}]})


def everything(name: str) -> dict[str, Any]:
    """The same objects, with settings of ours, as a stack would declare them."""
    return {
        "aws_sns_topic": {"topic": {"name": f"{name}-topic"}},
        "aws_sns_topic_policy": {
            "topic_policy": {"arn": f"{ARN}:{name}-topic", "policy": topic_policy(name, "ours")}
        },
        "aws_sqs_queue": {"queue": {"name": f"{name}-queue"}},
        "aws_cloudwatch_metric_alarm": {
            "alarm": {
                "alarm_name": f"{name}-alarm",
                "metric_name": "m",
                "namespace": "n",
                "statistic": "Sum",
                "period": 60,
                "evaluation_periods": 1,
                "threshold": 1,
                "comparison_operator": "GreaterThanThreshold",
            }
        },
        "aws_cloudwatch_dashboard": {
            "board": {"dashboard_name": f"{name}-board", "dashboard_body": board("ours")}
        },
        "aws_cloudwatch_event_rule": {"rule": {"name": f"{name}-rule", "schedule_expression": "rate(1 day)"}},
        "aws_cloudwatch_event_target": {
            "target": {"rule": f"{name}-rule", "target_id": "theirs", "arn": f"{ARN}:{name}-other"}
        },
        "aws_s3_object": {"object": {"bucket": f"{name}-bucket", "key": "/a//b", "content": "ours"}},
        "aws_s3_bucket_policy": {
            "policy": {"bucket": f"{name}-bucket", "policy": policy(f"{name}-bucket", "ours")}
        },
        "aws_iam_role_policy": {
            "inline": {
                "role": f"{name}-role",
                "name": "inline",
                "policy": policy(f"{name}-bucket", "ours"),
            }
        },
        "aws_cloudwatch_log_metric_filter": {
            "filter": {
                "log_group_name": f"{name}-group",
                "name": "errors",
                "pattern": "ours",
                "metric_transformation": [{"name": "m", "namespace": "n", "value": "1"}],
            }
        },
    }


def stack(**resource: Any) -> dict[str, Any]:
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        "provider": {
            "aws": [
                {
                    "region": REGION,
                    "s3_use_path_style": True,
                    "skip_credentials_validation": True,
                    "skip_metadata_api_check": True,
                    "max_retries": 2,
                }
            ]
        },
        "resource": resource,
    }


def parameter(name: str, value: str = "1", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "String", "value": value, **more}


@pytest.fixture
def app(plain_app: App) -> App:
    shutil.copy(ROOT / lockfile.NAME, plain_app.folder)
    return plain_app


@pytest.fixture
def cloud(app: App) -> Cloud:
    return Cloud(app, app.bucket)


def held(app: App, shard: str) -> set[str]:
    """The addresses in a shard's state."""
    return {f"{one['type']}.{one['name']}" for one in app.state(shard)["resources"]}


def topic(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


def late(name: str) -> dict[str, Any]:
    """Resources whose topic's name is known only once something else has been made."""
    return {
        "terraform_data": {"name": {"input": name}},
        "aws_sns_topic": {"t": topic("${terraform_data.name.output}")},
    }


def failing(name: str, after: str = "aws_sns_topic.t") -> dict[str, Any]:
    """A parameter whose name somebody else has: its create is refused by AWS, for a definite reason."""
    return {"aws_ssm_parameter": {"clash": parameter(f"/{name}/clash", depends_on=[after])}}


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
def test_the_table_of_situations(app: App, cloud: Cloud, *, are_late: bool) -> None:
    """Every situation ends as it must, and everybody's objects are where they were.

    A topic whose name is not known yet may be the one that another stack gives up, so those are an app of
    their own: what gives one up would wait for them.
    """
    rows = [row for row in SITUATIONS if ("late" in row.name) is are_late]
    # Only a bucket that keeps versions knows what there was before the newest deployment.
    app.s3.put_bucket_versioning(Bucket=app.bucket, VersioningConfiguration={"Status": "Enabled"})
    own = {row.name: {"aws_ssm_parameter": {"own": parameter(f"/{cloud.name}/{row.name}")}} for row in rows}
    names = {row.name: f"{cloud.name}-{row.name}" for row in rows}
    app.write({row.name: stack(**merged(own[row.name], row.first(names[row.name]))) for row in rows})
    assert app.run("deploy", "--yes").returncode == 0
    for row in rows:
        row.between(cloud, names[row.name])
        cloud("ssm").put_parameter(Name=f"/{names[row.name]}/clash", Value="theirs", Type="String")

    app.write({row.name: stack(**merged(own[row.name], row.second(names[row.name]))) for row in rows})
    named = [word for row in rows if row.adopt for word in ("--adopt", row.adopt)]
    ran = app.run("deploy", "--yes", "--json", *named)

    report = json.loads(ran.stdout)
    assert "shards" in report, ran.stdout
    ended = {shard["name"]: shard for shard in report["shards"]}
    seen = {row.name: _as_seen(app, cloud, row, ended[row.name]["outcome"]) for row in rows}
    assert seen == {row.name: _as_wanted(row) for row in rows}, ran.stdout
    for row in rows:
        if row.outcome == "blocked":
            assert "aws_sns_topic.t" in ended[row.name]["reason"], row.name

    if are_late:
        return
    # What was taken over is let go of by a rollback by hand too, later.
    back = app.run("rollback", "adopted", "--env", "dev", "--yes")
    assert back.returncode == 0, back.stdout + back.stderr
    assert cloud.everything_of(names["adopted"]) == 1
    assert held(app, "adopted") == {"aws_ssm_parameter.own"}


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {kind: {**one.get(kind, {}), **other.get(kind, {})} for kind in one.keys() | other.keys()}


def _as_seen(app: App, cloud: Cloud, row: Situation, outcome: str) -> dict[str, Any]:
    subscribers = cloud.everything_of(f"{cloud.name}-{row.name}")
    return {
        "outcome": outcome,
        "there": subscribers is not None,
        "subscribed": bool(subscribers),
        "held": held(app, row.name) - {"aws_ssm_parameter.own", "terraform_data.name"},
    }


def _as_wanted(row: Situation) -> dict[str, Any]:
    wanted = {"outcome": row.outcome, "there": row.there, "subscribed": row.subscribed}
    return {**wanted, "held": set(row.held)}


def test_what_a_create_would_take_over_is_a_gate_and_left_alone(app: App, cloud: Cloud) -> None:
    """Each kind of object whose create would be answered with success although it is there."""
    cloud.make_everything()
    before = cloud.everything()
    first = {"aws_ssm_parameter": {"own": parameter(f"/{cloud.name}/own")}}
    app.write({"core": stack(**first)})
    assert app.run("deploy", "--yes").returncode == 0
    wanted = everything(cloud.name)
    app.write({"core": stack(**first, **wanted)})

    planned, deployed = app.run("plan", "--json"), app.run("deploy", "--yes", "--json")
    cold = app.run("deploy", "--yes", "--json", "--cold-providers")

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
    assert held(app, "core") == {"aws_ssm_parameter.own"}


@pytest.mark.long
def test_what_appears_between_plan_and_apply_is_refused_by_the_guard(app: App, cloud: Cloud) -> None:
    name = f"{cloud.name}-topic"
    app.write({"core": stack(aws_sns_topic={"t": topic(name)})})
    assert app.run("plan", "--out", "kept").returncode == 0
    by_hand(cloud, name)

    ran = app.run("deploy", "--yes", "--json", "--plan", "kept")

    (core,) = json.loads(ran.stdout)["shards"]
    assert core["outcome"] == "failed", ran.stdout
    assert "already exists" in core["reason"]
    assert cloud.everything_of(name) == 1
