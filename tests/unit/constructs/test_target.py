from typing import Any

import pytest

from holdfast_constructs.app.target import StateBucket
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.testing import sample_target


def test_the_state_key_names_service_account_region_and_environment() -> None:
    key = sample_target().state_key("orders")

    assert key == "orders/210987654321/eu-west-1/prod/terraform.tfstate"


def test_a_shard_is_named_after_service_environment_and_region() -> None:
    name = sample_target().shard_name("orders")

    assert name == "orders-prod-eu-west-1"


@pytest.mark.parametrize("service", ["", "Orders", "../orders", "a/b", "orders-"])
def test_a_service_that_cannot_be_part_of_a_key_is_refused(service: str) -> None:
    with pytest.raises(ConstructError, match="service must be"):
        sample_target().shard_name(service)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-east-1", "aws")],
)
def test_the_partition_follows_from_the_region(region: str, partition: str) -> None:
    target = sample_target(region=region, zones=(f"{region}a",))

    assert target.partition == partition


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"account": "12345"}, "account must be 12 digits, got '12345'"),
        ({"environment": "Prod"}, "environment must be 1-63 of a-z"),
        ({"zones": ()}, "zones must be different availability zones of eu-west-1"),
        ({"zones": ("eu-west-1a", "eu-west-1a")}, "zones must be different availability zones"),
        ({"zones": ("eu-central-1a",)}, "got ('eu-central-1a',); list them"),
        ({"tags": {"Service": "x", "Cost": "y"}}, "tags may not set Service"),
        (
            {"zones": ("eu-west-1a", "eu-west-1d")},
            "zones must be zones that eu-west-1 has: eu-west-1a, eu-west-1b",
        ),
        ({"log_retention_days": 31}, "log_retention_days must be one of 1, 3, 5"),
        ({"role_arn": "deploy"}, "role_arn must be an IAM role ARN"),
    ],
)
def test_a_value_aws_would_refuse_is_refused_at_once(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConstructError) as refused:
        sample_target(**changes)

    assert told in str(refused.value)


@pytest.mark.parametrize("bucket", ["", "ab", "Upper", "with_underscore", "-state", "x" * 64])
def test_a_name_that_is_no_bucket_name_is_refused(bucket: str) -> None:
    with pytest.raises(ConstructError, match="the state bucket's name must be 3-63"):
        StateBucket(bucket=bucket, region="eu-west-1")
