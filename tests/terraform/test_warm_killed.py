"""The orchestrator dies in the middle of an apply: Terraform, attached to the gateway, finishes and saves."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
PATIENCE_SECONDS = 120


def stack(go_on: Path) -> dict[str, Any]:
    wait = f"touch {go_on}.begun; while [ ! -e {go_on} ]; do sleep 0.1; done"
    provider = {"region": "eu-west-1", "skip_credentials_validation": True, "skip_metadata_api_check": "true"}

    def parameter(name: str, *after: str) -> dict[str, Any]:
        return {"name": f"/killed/{name}", "type": "String", "value": "1", "depends_on": after}

    return {
        "shop": {
            "provider": {"aws": [provider]},
            "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
            "resource": {
                "aws_ssm_parameter": {
                    "before": parameter("before"),
                    "after": parameter("after", "terraform_data.slow"),
                },
                "terraform_data": {
                    "slow": {
                        "depends_on": ["aws_ssm_parameter.before"],
                        "provisioner": [{"local-exec": {"command": wait}}],
                    }
                },
            },
        }
    }


def wait_for(what: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.2)
    pytest.fail(f"{what} never came")


@pytest.mark.long
def test_terraform_finishes_and_saves_when_the_orchestrator_is_killed(
    plain_app: "App", tmp_path: Path
) -> None:
    go_on = tmp_path / "go-on"
    shutil.copy(ROOT / ".terraform.lock.hcl", plain_app.folder)
    shutil.copy(FIXTURES / "fault_app" / "app.py", plain_app.folder)
    plain_app.write(stack(go_on))
    deploying = plain_app.start("deploy", "--yes")
    wait_for(lambda: Path(f"{go_on}.begun").exists())
    gateways = children(deploying.pid)

    deploying.kill()
    deploying.wait()
    if deploying.stdout is not None:
        deploying.stdout.close()
    time.sleep(2)
    go_on.touch()

    def names() -> set[str]:
        try:
            resources = plain_app.state("shop")["resources"]
        except plain_app.s3.exceptions.NoSuchKey:
            return set()
        return {one["name"] for one in resources if one["instances"]}

    assert wait_for(lambda: {"before", "slow", "after"} <= names())
    assert any("holdfast_orchestrator.engine.warm" in line for line in gateways)


def children(pid: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "args=", "--ppid", str(pid)], capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()
