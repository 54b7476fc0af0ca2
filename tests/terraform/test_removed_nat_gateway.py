"""A NAT gateway can be taken away: its delete is put off, and the provider plans the block that is kept."""

import pytest
from tests.support.owned_objects import Cloud, stack
from tests.terraform.conftest import App


@pytest.mark.long
def test_a_nat_gateway_is_deleted_after_the_new_version_is_there(aws_app: App, cloud: Cloud) -> None:
    network = {
        "aws_vpc": {"v": {"cidr_block": "10.0.0.0/16"}},
        "aws_subnet": {"s": {"vpc_id": "${aws_vpc.v.id}", "cidr_block": "10.0.0.0/24"}},
        "aws_internet_gateway": {"i": {"vpc_id": "${aws_vpc.v.id}"}},
        "aws_eip": {"e": {"domain": "vpc"}},
    }
    gateway = {
        "allocation_id": "${aws_eip.e.id}",
        "subnet_id": "${aws_subnet.s.id}",
        "depends_on": ["aws_internet_gateway.i"],
    }
    aws_app.write({"network": stack(**network, aws_nat_gateway={"n": gateway})})
    assert aws_app.outcomes("deploy", "--yes") == {"network": "committed"}

    aws_app.write({"network": stack(**network)})
    ran = aws_app.run("deploy", "--yes")

    assert ran.returncode == 0, ran.stdout
    address = {"Name": "subnet-id", "Values": [_subnet(aws_app)]}
    (left,) = cloud("ec2").describe_nat_gateways(Filters=[address])["NatGateways"]
    assert left["State"] == "deleted"


def _subnet(app: App) -> str:
    resources = app.state("network")["resources"]
    (subnet,) = (each["instances"][0] for each in resources if each["type"] == "aws_subnet")
    return str(subnet["attributes"]["id"])
