"""A shard whose apply waits for the test, deployed on a cluster."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.cluster import PATIENCE_SECONDS

if TYPE_CHECKING:
    import subprocess

    from tests.terraform.conftest import App


def slow(gate: Path, *, fails: bool = False) -> dict[str, Any]:
    """A shard whose apply waits for the gate, once something has been made."""
    marker = begun(gate)
    wait = f"echo $$ > {marker}.part; mv {marker}.part {marker}; while [ ! -e {gate} ]; do sleep 0.1; done"
    ends = f"{wait}; exit 1" if fails else wait
    return {
        "slow": {
            "resource": {
                "terraform_data": {
                    "early": {"input": "made before"},
                    "waiting": {
                        "depends_on": ["terraform_data.early"],
                        "provisioner": [{"local-exec": {"command": ends}}],
                    },
                }
            }
        }
    }


def begun(gate: Path) -> Path:
    return gate.with_name(f"{gate.name}.begun")


def wait_for_line(deploying: "subprocess.Popen[str]", text: str) -> None:
    assert deploying.stdout is not None
    heard = []
    for line in deploying.stdout:
        heard.append(line)
        if text in line:
            return
    pytest.fail(f"holdfast did not say {text!r}: {''.join(heard)}")


def held(app: "App") -> list[str]:
    """The shards whose lease or lock somebody holds."""
    locks = [key for key in app.object_keys() if key.endswith(".tflock")]
    leases = [key for key in app.object_keys() if key.startswith("_holdfast/leases/")]
    bodies = [json.loads(app.s3.get_object(Bucket=app.bucket, Key=key)["Body"].read()) for key in leases]
    return locks + [body["run"] for body in bodies if body["held"]]


def names(app: "App", shard: str) -> set[str]:
    return {resource["name"] for resource in app.state(shard)["resources"]}


def ends_committed(deploying: "subprocess.Popen[str]", plain_app: "App") -> None:
    """The slow shard is deployed to its end, and nothing of it is held or left to do."""
    said, _ = deploying.communicate(timeout=PATIENCE_SECONDS)

    assert deploying.returncode == 0, said
    assert names(plain_app, "slow") == {"early", "waiting"}
    assert held(plain_app) == []
    assert plain_app.outcomes("deploy", "--yes", "--refresh") == {"slow": "unchanged"}
