"""Alarms, composite alarms, a dashboard and topics of the blocks: deployed, planned empty, taken down."""

import json
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.support.forked_commands import run_command
from tests.terraform.conftest import FIXTURES, PATIENCE_SECONDS, REGION, ROOT, make_empty

STATES = "holdfast-state-local"
SHARD = "observed-local-eu-west-1"


@pytest.mark.long
def test_alarms_and_a_dashboard_are_deployed_settle_and_are_taken_down(
    tmp_path: Path, deploy_environ: dict[str, str]
) -> None:
    folder = Path(shutil.copytree(FIXTURES / "observed_app", tmp_path / "app"))
    shutil.copytree(ROOT / "docs" / "runbooks", folder / "docs" / "runbooks")
    session: Any = boto3.Session("testing", "testing", region_name=REGION)
    endpoint = deploy_environ["AWS_ENDPOINT_URL"]
    make_empty(session.client("s3", endpoint_url=endpoint), STATES)
    cloudwatch = session.client("cloudwatch", endpoint_url=endpoint)

    def outcome(*argv: str) -> str:
        ran = run_command((*argv, "--json"), cwd=folder, environ=deploy_environ, seconds=PATIENCE_SECONDS)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        [shard] = json.loads(ran.stdout)["shards"]
        assert shard["name"] == SHARD
        return str(shard["outcome"])

    assert outcome("deploy", "--yes") == "committed"
    assert outcome("plan", "--refresh") == "unchanged"

    composites = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert {each["AlarmName"]: len(each["AlarmActions"]) for each in composites} == {
        f"observed-local-slo-{kind}-{urgency}": 1
        for kind in ("availability", "latency")
        for urgency in ("page", "ticket")
    }
    alarms = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    # Sixteen windows in silence, and two alarms of the queue.
    assert sorted(len(each["AlarmActions"]) for each in alarms) == [0] * 16 + [1, 1]
    assert {json.loads(each["AlarmDescription"])["owner"] for each in alarms} == {"service team"}
    [board] = cloudwatch.list_dashboards()["DashboardEntries"]
    assert board["DashboardName"] == "observed-local-main"

    assert outcome("destroy", "--yes") == "committed"
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
