"""Terraform and boto3 are led to one place, or nothing begins."""

from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.context.tools import RealTools
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.local.environment import towards_local
from holdfast_orchestrator.system.aws_variables import refuse_divided, variables, without_divided
from holdfast_orchestrator.system.runtime import Boto3Aws, endpoint_variable
from holdfast_orchestrator.testing import refusing_runtime

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


def asked(environ: dict[str, str], service: str = "s3") -> Any:
    return Boto3Aws().client(service, region="eu-west-1", environ=environ)


@pytest.mark.parametrize("name", [one.name for one in variables()])
def test_a_variable_that_only_one_of_them_obeys_is_refused(name: str, tmp_path: Path) -> None:
    tools = RealTools(runtime=refusing_runtime(environ={name: "http://elsewhere"}), project=tmp_path)

    with pytest.raises(SettingsError, match=name) as refusal:
        tools.environ("aws")

    assert refusal.value.exit_code == 64
    assert refusal.value.next_step == f"unset {name}"


def test_all_of_them_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        refuse_divided({"AWS_S3_ENDPOINT": "x", "AWS_STS_ENDPOINT": "y", "AWS_ENDPOINT_URL": "z"})

    assert refusal.value.next_step == "unset AWS_S3_ENDPOINT AWS_STS_ENDPOINT"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"AWS_S3_ENDPOINT": ""},
        {"AWS_ENDPOINT_URL_S3": "http://a", "AWS_ENDPOINT_URL": "http://b"},
        {"AWS_ACCESS_KEY": "old", **KEYS, "AWS_SECRET_KEY": "old"},
        {"AWS_CONFIG_FILE": "a", "AWS_SHARED_CONFIG_FILE": "b", "AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false", "AWS_ENDPOINT_URL": "http://b"},
    ],
)
def test_what_both_obey_is_not_refused(environ: dict[str, str]) -> None:
    refuse_divided(environ)


def test_endpoints_that_one_of_them_would_ignore_are_refused() -> None:
    with pytest.raises(SettingsError, match="AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        refuse_divided({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True", "AWS_ENDPOINT_URL_S3": "http://a"})


def test_the_local_cloud_needs_none_of_them() -> None:
    environ = {one.name: "x" for one in variables()} | {"PATH": "/bin"}

    assert without_divided(environ) == {"PATH": "/bin"}
    assert not {one.name for one in variables()} & set(towards_local(environ, "http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        ("s3", "S3"),
        ("sts", "STS"),
        ("ecs", "ECS"),
        ("elbv2", "ELASTIC_LOAD_BALANCING_V2"),
        ("resourcegroupstaggingapi", "RESOURCE_GROUPS_TAGGING_API"),
        ("cloudwatch", "CLOUDWATCH"),
        ("logs", "CLOUDWATCH_LOGS"),
        ("stepfunctions", "SFN"),
    ],
)
def test_a_service_endpoint_is_found_under_the_name_that_terraform_reads(service: str, variable: str) -> None:
    assert endpoint_variable(service) == f"AWS_ENDPOINT_URL_{variable}"
    environ = {**KEYS, "AWS_ENDPOINT_URL": "http://all:1", f"AWS_ENDPOINT_URL_{variable}": "http://one:1"}

    assert asked(environ, service).meta.endpoint_url == "http://one:1"


@pytest.fixture
def configured(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "config"
    file.write_text(
        "[default]\nregion = eu-west-1\n"
        "[profile global]\nendpoint_url = http://global:1\n"
        "[profile services]\nservices = mine\nendpoint_url = http://global:1\n"
        "[services mine]\ns3 =\n  endpoint_url = http://only-s3:1\n"
        "[profile fips]\nuse_fips_endpoint = true\n"
    )
    return {**KEYS, "AWS_CONFIG_FILE": str(file), "AWS_SHARED_CREDENTIALS_FILE": str(file)}


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ({"AWS_PROFILE": "global"}, "http://global:1"),
        ({"AWS_DEFAULT_PROFILE": "global"}, "http://global:1"),
        ({"AWS_PROFILE": "services", "AWS_DEFAULT_PROFILE": "global"}, "http://only-s3:1"),
        ({"AWS_PROFILE": "services", "AWS_ENDPOINT_URL": "http://env:1"}, "http://env:1"),
        ({"AWS_PROFILE": "fips"}, "https://s3-fips.eu-west-1.amazonaws.com"),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "https://s3-fips.eu-west-1.amazonaws.com"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "https://s3.dualstack.eu-west-1.amazonaws.com"),
    ],
)
def test_boto3_obeys_profiles_and_switches_as_terraform_does(
    configured: dict[str, str], more: dict[str, str], url: str
) -> None:
    assert asked({**configured, **more}).meta.endpoint_url == url


def test_what_the_run_leaves_out_of_its_environment_is_not_read_from_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")

    assert asked(KEYS).meta.endpoint_url == "https://s3.eu-west-1.amazonaws.com"
