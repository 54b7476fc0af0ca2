"""A network and a key that exist already, and resources of the bindings in place of ours."""

from collections.abc import Callable
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.data_aws_subnets import DataAwsSubnets
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc import Vpc

from holdfast_constructs import (
    ConstructError,
    EncryptionKey,
    HoldfastApp,
    Key,
    Network,
    Postgres,
    ServiceStack,
    VpcNetwork,
)
from holdfast_constructs.testing import Synthesis, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]

IMPORTED: dict[str, Any] = {
    "vpc_id": "vpc-0a1b2c3d",
    "vpc_cidr": "10.0.0.0/16",
    "public_subnet_ids": ["subnet-1", "subnet-2"],
    "private_subnet_ids": ["subnet-3", "subnet-4"],
    "isolated_subnet_ids": ["subnet-5", "subnet-6"],
}


def _uses(stack: ServiceStack, network: VpcNetwork) -> None:
    SecurityGroup(stack, "group", vpc_id=network.vpc_id)


def test_an_imported_network_serves_like_a_made_one_and_manages_nothing(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        _uses(stack, Network.import_(stack, "network", **IMPORTED))

    orders = synthesize(build)["orders"]

    assert orders.addresses() == ("aws_security_group.group",)
    orders.has_resource("aws_security_group", vpc_id="vpc-0a1b2c3d")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"vpc_id": "10.0.0.0/16"}, "vpc_id must be the id of a VPC"),
        ({"private_subnet_ids": ["subnet-3"]}, "private_subnet_ids must be one subnet id for each of"),
        ({"private_subnet_ids": ["subnet-3"] * 2}, "private_subnet_ids must be one subnet id for each of"),
        ({"isolated_subnet_ids": ["subnet-5", "sg-6"]}, "isolated_subnet_ids must be one subnet id for"),
        ({name: [] for name in IMPORTED if name.endswith("_ids")}, "network has no subnets"),
    ],
)
def test_an_imported_network_that_cannot_be_right_is_refused(
    synthesize: Synthesize, changes: dict[str, Any], told: str
) -> None:
    def build(app: HoldfastApp) -> None:
        Network.import_(ServiceStack(app, "orders", sample_target()), "network", **(IMPORTED | changes))

    with pytest.raises(ConstructError) as refused:
        synthesize(build)

    assert told in str(refused.value)


def test_an_imported_network_may_lack_tiers_until_one_is_needed(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        network = Network.import_(stack, "old", vpc_id="vpc-1", private_subnet_ids=["subnet-3", "subnet-4"])
        assert network.private_subnet_ids == ["subnet-3", "subnet-4"]
        assert network.isolated_subnet_ids == ["subnet-3", "subnet-4"]
        with pytest.raises(
            ConstructError, match=r"network old has no public subnets.*pass public_subnet_ids"
        ):
            _ = network.public_subnet_ids

    synthesize(build)


def test_the_block_of_an_imported_network_is_looked_up_where_it_is_needed(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        network = Network.import_(stack, "old", vpc_id="vpc-1", private_subnet_ids=["subnet-3", "subnet-4"])
        assert network.vpc_cidr == network.vpc_cidr

    assert [*synthesize(build)["orders"].data("aws_vpc").values()] == [{"id": "vpc-1"}]


def test_resources_of_the_bindings_are_taken_as_a_network_and_a_key(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        base = ServiceStack(app, "base", sample_target())
        vpc = Vpc(base, "vpc", cidr_block="10.0.0.0/16")
        subnets = DataAwsSubnets(base, "subnets")
        key = KmsKey(base, "key")
        stack = ServiceStack(app, "orders", sample_target())
        network = Network.import_(stack, "raw", vpc_id=vpc.id, private_subnet_ids=subnets.ids)
        imported = Key.import_(stack, "raw-key", arn=key.arn)
        keys: tuple[EncryptionKey, ...] = (key, imported)
        for number, each in enumerate(keys):
            Postgres(
                stack,
                f"db-{number}",
                network=network,
                key=each,
                logs_key=each,
                instance_class="db.r6g.large",
                storage_gib=100,
                multi_az=True,
                backup_days=14,
            )

    orders = synthesize(build)["orders"]

    [used] = {block["kms_key_id"] for block in orders.resources("aws_db_instance").values()}
    assert used.startswith("${data.terraform_remote_state.")
    [group, other] = orders.resources("aws_db_subnet_group").values()
    assert group["subnet_ids"] == other["subnet_ids"]
    assert isinstance(group["subnet_ids"], str)


@pytest.mark.parametrize(
    "arn",
    [
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:210987654321:alias/logs",
        "arn:aws:kms:us-east-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ],
)
def test_an_imported_key_is_the_arn_of_a_key_of_this_region(synthesize: Synthesize, arn: str) -> None:
    def build(app: HoldfastApp) -> None:
        Key.import_(ServiceStack(app, "orders", sample_target()), "key", arn=arn)

    with pytest.raises(ConstructError, match="arn must be the ARN of a key in eu-west-1"):
        synthesize(build)
