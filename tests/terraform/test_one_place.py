"""State, lock, lease and journal go to one place, whatever names it; where they would not, nothing begins."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.terraform.conftest import App

ONE = {"shop": {"resource": {"terraform_data": {"made": {"input": "1"}}}}}


def with_environ(app: "App", *, without: str = "", **more: str) -> "App":
    kept = {name: value for name, value in app.environ.items() if name != without}
    return dataclasses.replace(app, environ={**kept, **more})


def test_an_endpoint_that_only_terraform_obeys_stops_a_deploy_before_it_begins(plain_app: "App") -> None:
    plain_app.write(ONE)
    elsewhere = with_environ(plain_app, AWS_S3_ENDPOINT="http://127.0.0.1:1", AWS_SSE_CUSTOMER_KEY="k" * 44)

    for verb in (["plan"], ["deploy", "--yes"], ["destroy", "--yes"]):
        ran = elsewhere.run(*verb, "--json")
        assert ran.returncode == 64, ran.stdout + ran.stderr
        error = json.loads(ran.stdout)
        assert "AWS_S3_ENDPOINT is set, and only Terraform obeys it" in error["error"]
        assert error["next_step"] == "unset AWS_S3_ENDPOINT AWS_SSE_CUSTOMER_KEY"

    assert plain_app.object_keys() == []


def test_an_endpoint_of_a_profile_is_obeyed_by_both(plain_app: "App", tmp_path: Path) -> None:
    plain_app.write(ONE)
    endpoint = plain_app.environ["AWS_ENDPOINT_URL"]
    config = tmp_path / "config"
    config.write_text(
        "[profile there]\nservices = ours\nendpoint_url = http://127.0.0.1:1\nregion = eu-west-1\n"
        f"[services ours]\ns3 =\n  endpoint_url = {endpoint}\nsts =\n  endpoint_url = {endpoint}\n"
    )
    profiled = with_environ(
        plain_app, without="AWS_ENDPOINT_URL", AWS_CONFIG_FILE=str(config), AWS_PROFILE="there"
    )

    ran = profiled.run("deploy", "--yes")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    keys = plain_app.object_keys()
    assert plain_app.state_keys() == ["shop/123456789012/eu-west-1/dev/terraform.tfstate"]
    assert any(key.startswith("_holdfast/leases/") for key in keys)
    assert any(key.startswith("_holdfast/runs/") for key in keys)
