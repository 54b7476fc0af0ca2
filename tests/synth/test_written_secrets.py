"""The text of a secret in a write-only argument is refused, whoever wrote it into which resource."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cdktf import TerraformLocal, TerraformStack, TerraformVariable
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter

from holdfast_constructs import ConstructError, HoldfastApp, ServiceStack
from holdfast_constructs.testing import sample_target, synthesize_into

SECRET = "hunter2-hunter2"


def _version(stack: ServiceStack, value: str) -> SecretsmanagerSecretVersion:
    return SecretsmanagerSecretVersion(
        stack, "version", secret_id="x", secret_string_wo=value, secret_string_wo_version=1
    )


def _of_variable(stack: ServiceStack) -> None:
    variable = TerraformVariable(stack, "password", type="string", sensitive=True, default=SECRET)
    _version(stack, variable.string_value)


def _overridden(stack: ServiceStack) -> None:
    _version(stack, "${var.elsewhere}").add_override("secret_string_wo", SECRET)


WRITTEN: dict[str, Callable[[ServiceStack], Any]] = {
    "as it is": lambda stack: _version(stack, SECRET),
    "in a function": lambda stack: _version(stack, f'${{base64encode("{SECRET}")}}'),
    "in JSON": lambda stack: _version(stack, f'${{jsonencode({{"a.b" = "{SECRET}"}})}}'),
    "escaped": lambda stack: _version(stack, f"$${{{SECRET}}}"),
    "as a default": _of_variable,
    "as a local": lambda stack: _version(stack, TerraformLocal(stack, "password", SECRET).as_string),
    "overridden": _overridden,
    "of a database": lambda stack: DbInstance(
        stack, "db", instance_class="db.t4g.micro", password_wo=SECRET, password_wo_version=1
    ),
    "of a parameter": lambda stack: SsmParameter(
        stack, "flag", name="/x", type="SecureString", value_wo=SECRET, value_wo_version=1
    ),
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
def test_a_text_is_refused_where_it_was_written_and_no_file_has_it(
    tmp_path: Path, write: Callable[[ServiceStack], Any]
) -> None:
    with pytest.raises(ConstructError) as raised:
        synthesize_into(tmp_path, lambda app: write(ServiceStack(app, "orders", sample_target())))

    report = raised.value.report(None)
    assert f"{Path(__file__).name}:" in report
    assert "_wo of aws_" in report
    assert [line.split()[0] for line in report.splitlines()[1:]] == ["got", "allowed", "next"]
    assert SECRET not in report
    assert not any(SECRET in file.read_text() for file in tmp_path.rglob("*.json"))


def _no_default(stack: ServiceStack) -> None:
    _version(stack, TerraformVariable(stack, "password", type="string", sensitive=True).string_value)


REFERENCES: dict[str, Callable[[ServiceStack], Any]] = {
    "to an ephemeral resource": lambda stack: _version(stack, "${ephemeral.a.b.c}"),
    "inside of JSON": lambda stack: _version(
        stack, '${jsonencode({"user" = "app", "password" = ephemeral.a.b.c})}'
    ),
    "inside of a text": lambda stack: _version(stack, '{"user": "app", "password": "${ephemeral.a.b.c}"}'),
    "in a text of an expression": lambda stack: _version(stack, '${base64encode("x-${ephemeral.a.b.c}")}'),
    "to a variable": _no_default,
    "to another resource": lambda stack: _version(stack, "${aws_x.y.z}"),
}


@pytest.mark.parametrize("write", REFERENCES.values(), ids=REFERENCES)
def test_a_reference_is_kept(tmp_path: Path, write: Callable[[ServiceStack], Any]) -> None:
    synthesis = synthesize_into(tmp_path, lambda app: write(ServiceStack(app, "orders", sample_target())))

    assert "secret_string_wo" in json.dumps(synthesis["orders"].configuration)


def test_a_stack_that_is_none_of_ours_is_looked_at_too(tmp_path: Path) -> None:
    def build(app: HoldfastApp) -> None:
        stack: Any = TerraformStack(app, "plain")
        AwsProvider(stack, "aws", region="eu-west-1")
        _version(stack, SECRET)

    with pytest.raises(ConstructError, match="secret_string_wo of aws_secretsmanager_secret_version"):
        synthesize_into(tmp_path, build)
