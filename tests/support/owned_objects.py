"""A cloud in which somebody else makes objects, and the stacks that would make the same ones."""

import json
from typing import TYPE_CHECKING, Any

import boto3
from tests.support.written_app import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.terraform.conftest import App

ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}"


class Cloud:
    """The cloud as its owner sees it, beside Terraform and Holdfast."""

    def __init__(self, app: "App", name: str) -> None:
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


def failing(name: str, after: str = "aws_sns_topic.t") -> dict[str, Any]:
    """A parameter whose name somebody else has: its create is refused by AWS, for a definite reason."""
    return {"aws_ssm_parameter": {"clash": parameter(f"/{name}/clash", depends_on=[after])}}
