"""Terraform with the AWS provider, against a local cloud."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.engine_shards import Shard
from tests.support.moto_process import moto_process

from holdfast_orchestrator.engine.mirrors import this_platform


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_process(tmp_path_factory.mktemp("cloud")) as endpoint:
        yield endpoint


@pytest.fixture
def aws(cloud: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": cloud, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def with_aws(**resources: Any) -> dict[str, Any]:
    provider = {
        "region": "eu-west-1",
        "skip_credentials_validation": True,
        "skip_metadata_api_check": "true",
        "max_retries": 5,
    }
    return {
        "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
        "provider": {"aws": [provider]},
        "resource": resources,
    }


@pytest.mark.long
def test_aws_resources_are_created_from_a_linked_mirror_and_a_conflict_comes_with_advice(
    shard: Shard, aws: dict[str, str]
) -> None:
    one = {"name": "/one", "type": "String", "value": "1"}
    terraform = shard(with_aws(aws_ssm_parameter={"a": one}), environ={**aws, "AWS_CA_BUNDLE": ""})
    terraform.init()
    first = terraform.apply(terraform.plan().plan)
    twin = shard(
        with_aws(aws_ssm_parameter={"b": one}),
        environ={**aws, "AWS_CA_BUNDLE": ""},
        name="twin",
    )
    twin.init()

    second = twin.apply(twin.plan().plan)

    assert first.created == (("aws_ssm_parameter.a", "id", "/one"),)
    assert not second
    (error,) = [one for one in second.diagnostics if one.is_error]
    assert error.address == "aws_ssm_parameter.b"
    assert error.advice is not None
    assert "exists and is in no state of this shard" in error.advice
    (linked,) = (terraform.workdir / ".terraform" / "providers").rglob(this_platform())
    assert linked.is_symlink()
