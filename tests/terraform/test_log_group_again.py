"""ECS and RDS make a log group again when it was destroyed: the next deploy stops before anything is made."""

import json
import shlex

import pytest
from tests.support.owned_objects import Cloud, stack
from tests.terraform.conftest import App

GROUP = "/aws/ecs/containerinsights/edge-dev-cluster/performance"
TOPIC = "edge-dev-alarms"
ADDRESS = "aws_cloudwatch_log_group.insights"


@pytest.mark.long
def test_destroy_and_deploy_again_where_aws_made_the_group_meanwhile(aws_app: App, cloud: Cloud) -> None:
    logs = cloud("logs")
    group = {"name": GROUP, "retention_in_days": 7}
    aws_app.write(
        {"edge": stack(aws_cloudwatch_log_group={"insights": group}, aws_sns_topic={"t": {"name": TOPIC}})}
    )
    assert aws_app.outcomes("deploy", "--yes") == {"edge": "committed"}
    assert aws_app.outcomes("destroy", "--yes") == {"edge": "committed"}
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="of-ecs")

    planned, deployed = aws_app.run("plan", "--json"), aws_app.run("deploy", "--yes", "--json")

    assert (planned.returncode, deployed.returncode) == (4, 4), planned.stdout + planned.stderr
    (blocked,) = json.loads(deployed.stdout)["shards"]
    assert (
        f"{ADDRESS} cannot be made: AWS refuses a second {GROUP}, which is there already" in blocked["reason"]
    )
    assert "(tags: none)" in blocked["reason"]
    topics = [each["TopicArn"].rpartition(":")[2] for each in cloud("sns").list_topics()["Topics"]]
    assert TOPIC not in topics

    command = shlex.split(blocked["next_step"].partition("take it over: ")[2].partition(" (")[0])
    assert command[:2] == ["holdfast", "deploy"]
    assert aws_app.run(*command[1:], "--yes").returncode == 0

    (there,) = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert there["retentionInDays"] == 7
    assert logs.describe_log_streams(logGroupName=GROUP)["logStreams"][0]["logStreamName"] == "of-ecs"
    assert aws_app.outcomes("deploy", "--yes") == {"edge": "unchanged"}
