"""Any cdktf app in Python can be deployed: one that is not ours, with the real provider."""

from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

STACKS = ("topics", "settings", "web")


def key(stack: str) -> str:
    return f"shop-{stack}/123456789012/eu-west-1/dev/terraform.tfstate"


def parameters(app: "App") -> dict[str, str]:
    ssm: Any = boto3.Session("testing", "testing", region_name="eu-west-1").client(
        "ssm", endpoint_url=app.environ["AWS_ENDPOINT_URL"]
    )
    found = ssm.get_parameters_by_path(Path="/foreign", Recursive=True)["Parameters"]
    return {parameter["Name"]: parameter["Value"] for parameter in found}


@pytest.mark.long
def test_a_foreign_app_is_deployed_found_unchanged_and_taken_down(foreign_app: "App") -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:foreign-events"

    assert foreign_app.outcomes("deploy", "--yes") == dict.fromkeys(STACKS, "committed")
    assert parameters(foreign_app) == {
        "/foreign/topic": topic,
        "/foreign/web": "foreign-events /foreign/topic",
    }
    assert foreign_app.state_keys() == sorted(map(key, STACKS))

    assert foreign_app.outcomes("deploy", "--yes", "--refresh") == dict.fromkeys(STACKS, "unchanged")
    assert foreign_app.outcomes("deploy", "--yes") == dict.fromkeys(STACKS, "unchanged")
    assert foreign_app.state_keys() == sorted(map(key, STACKS))

    assert foreign_app.outcomes("destroy", "--yes") == dict.fromkeys(STACKS, "committed")
    assert parameters(foreign_app) == {}
