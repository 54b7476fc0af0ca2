"""A zone taken out of the network in one deploy: its subnet goes after what is in it has let go."""

import json

import pytest
from tests.support.owned_objects import Cloud, stack
from tests.terraform.conftest import App

READ = "${{data.terraform_remote_state.cross-stack-reference-input-network.outputs.{}}}"


def declare(app: App, *zones: str) -> None:
    network = stack(
        aws_vpc={"v": {"cidr_block": "10.0.0.0/16"}},
        aws_subnet={
            zone: {
                "vpc_id": "${aws_vpc.v.id}",
                "cidr_block": f"10.0.{ord(zone)}.0/24",
                "availability_zone": f"eu-west-1{zone}",
            }
            for zone in zones
        },
        aws_route_table={zone: {"vpc_id": "${aws_vpc.v.id}"} for zone in zones},
        aws_route_table_association={
            zone: {
                "subnet_id": f"${{aws_subnet.{zone}.id}}",
                "route_table_id": f"${{aws_route_table.{zone}.id}}",
            }
            for zone in zones
        },
    )
    network["output"] = {zone: {"value": f"${{aws_subnet.{zone}.id}}"} for zone in zones}
    data = stack(
        aws_db_subnet_group={"g": {"name": "data", "subnet_ids": [READ.format(zone) for zone in zones]}}
    )
    app.write({"network": network, "data": {**data, "dependencies": ["network"]}})


@pytest.mark.long
def test_three_zones_become_two_in_the_order_that_aws_needs(aws_app: App, cloud: Cloud) -> None:
    declare(aws_app, "a", "b", "c")
    assert set(aws_app.outcomes("deploy", "--yes").values()) == {"committed"}
    declare(aws_app, "a", "b")

    ran = aws_app.run("deploy", "--yes", "--events", "events.jsonl")

    assert ran.returncode == 0, ran.stdout
    events = [json.loads(line) for line in (aws_app.folder / "events.jsonl").read_text().splitlines()]
    done = [
        f"{event['action']} {event['address']}"
        for event in events
        if event["event"] == "resource_progress" and event["state"] == "done" and event["action"] != "read"
    ]
    # AWS refuses to delete a subnet that is in use; what is in it needs its route table until then.
    assert done[0] == "update aws_db_subnet_group.g"
    assert sorted(done[1:]) == [
        "delete aws_route_table.c",
        "delete aws_route_table_association.c",
        "delete aws_subnet.c",
    ]
    (group,) = cloud("rds").describe_db_subnet_groups(DBSubnetGroupName="data")["DBSubnetGroups"]
    assert len(group["Subnets"]) == 2
    assert aws_app.outcomes("deploy", "--yes") == {"network": "unchanged", "data": "unchanged"}
