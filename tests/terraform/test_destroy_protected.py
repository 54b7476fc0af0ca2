"""A destroy meets deletion protection before it takes anything down, and switches it off if it was named."""

import json
from typing import Any

import pytest
from tests.support.owned_objects import Cloud, stack
from tests.terraform.conftest import App

TABLE = "aws_dynamodb_table.t"


def table(name: str, **more: Any) -> dict[str, Any]:
    key = {"hash_key": "id", "attribute": [{"name": "id", "type": "S"}], "billing_mode": "PAY_PER_REQUEST"}
    return {"aws_dynamodb_table": {"t": {"name": name, **key, **more}}}


def after_data(stack: dict[str, Any]) -> dict[str, Any]:
    return {**stack, "dependencies": ["data"]}


@pytest.mark.long
def test_nothing_is_taken_down_until_each_protected_object_is_named(aws_app: App, cloud: Cloud) -> None:
    name, dynamodb = aws_app.bucket, cloud("dynamodb")

    def stacks(tags: str) -> dict[str, Any]:
        tagged = {"tags": {"v": tags}}
        data = stack(**table(name, deletion_protection_enabled=True, **tagged))
        data["resource"]["aws_dynamodb_table"]["t"]["lifecycle"] = {"ignore_changes": ["read_capacity"]}
        parameter = {"name": f"/{name}/p", "type": "String", "value": tags}
        return {"data": data, "app": after_data(stack(aws_ssm_parameter={"p": parameter}))}

    aws_app.write(stacks("1"))
    assert set(aws_app.outcomes("deploy", "--yes").values()) == {"committed"}
    # The code has moved on and was not deployed: that is not what a destroy applies.
    aws_app.write(stacks("2"))

    refused = aws_app.run("destroy", "--yes", "--json")

    document = json.loads(refused.stdout)
    assert refused.returncode == 4, refused.stdout
    assert f"{TABLE} of data, which is protected; nothing was taken down" in document["error"]
    assert f"--allow-destroy {TABLE}" in document["next_step"]
    assert cloud("ssm").get_parameter(Name=f"/{name}/p")["Parameter"]["Value"] == "1"

    ran = aws_app.run("destroy", "--yes", "--allow-destroy", TABLE, "--verbose")

    assert ran.returncode == 0, ran.stdout
    assert f"{TABLE}: deletion_protection_enabled is False now" in ran.stdout
    assert name not in dynamodb.list_tables()["TableNames"]
    assert not aws_app.state("app")["resources"] + aws_app.state("data")["resources"]


def test_what_terraform_or_a_module_protects_is_named_before_anything_is_taken_down(aws_app: App) -> None:
    parameter = {"name": f"/{aws_app.bucket}/p", "type": "String", "value": "1"}
    first = {"app": after_data(stack(aws_ssm_parameter={"p": parameter}))}
    never = {"terraform_data": {"d": {"input": "1", "lifecycle": {"prevent_destroy": True}}}}
    aws_app.write({**first, "data": stack(**never)})
    assert set(aws_app.outcomes("deploy", "--yes").values()) == {"committed"}

    refused = aws_app.run("destroy", "--yes", "--json")

    assert refused.returncode == 4, refused.stdout
    assert "terraform_data.d of data: the app says prevent_destroy" in json.loads(refused.stdout)["error"]
    assert aws_app.state("app")["resources"]
