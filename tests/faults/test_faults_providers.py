"""Rows 11 to 13: a provider crashes or hangs, and objects whose id AWS chooses."""

import json
import signal
import time

from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import asks, puts
from tests.faults.lab.proxy import Drop, Hang, Meanwhile, Rule
from tests.faults.lab.scenarios import AS_FIRST, AS_SECOND, FIRST, SECOND, app, network, parameter, provider
from tests.faults.lab.world import DEPLOY, World


def test_row_11_a_crashed_provider_leaves_no_orphan(cold_world: World) -> None:
    world = cold_world
    world.begin(FIRST)
    world.proxy.add(Rule(what=puts("fresh"), fault=Meanwhile(world.kill_provider, after=True), times=1))

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code={0, 5})
    assert world.cloud.names() in (AS_SECOND, AS_FIRST)


def test_row_11_an_object_whose_id_aws_chooses_is_found_by_its_tags(cold_world: World) -> None:
    world = cold_world
    world.begin(FIRST)
    fault = Meanwhile(world.kill_provider, after=True)
    world.proxy.add(Rule(what=asks("CreateVpc"), fault=fault, times=1))

    ended = world.deploy(app(parameter("kept"), network("made")))

    ours = [{"Name": "tag:ManagedBy", "Values": ["holdfast"]}]
    there = [one["VpcId"] for one in world.cloud.client("ec2").describe_vpcs(Filters=ours)["Vpcs"]]
    known = world.ids("aws_vpc")
    assert_safe(world, ended, code={0, 5})
    assert there == known
    assert "had been made after all" in ended.text or ended.code == 0


def test_row_13_an_object_whose_id_aws_chooses_is_adopted_when_its_answer_is_lost(
    cold_world: World,
) -> None:
    """The SDK asks again, and is told that the security group exists."""
    world = cold_world
    world.begin(FIRST)
    world.proxy.add(Rule(what=asks("CreateSecurityGroup"), fault=Drop(after=True), times=1))

    ended = world.deploy(app(parameter("kept"), ("aws_security_group", "made", {"name": "made"})))

    groups = world.cloud.client("ec2").describe_security_groups(GroupNames=["made"])["SecurityGroups"]
    assert_safe(world, ended, code=0)
    assert [group["GroupId"] for group in groups] == [
        one["instances"][0]["attributes"]["id"]
        for one in world.state()["resources"]
        if one["type"] == "aws_security_group"
    ]


def test_row_11_an_object_that_was_there_before_is_never_taken_for_a_new_one(cold_world: World) -> None:
    world = cold_world
    world.begin(FIRST)
    ec2 = world.cloud.client("ec2")
    kept = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    tags = {**provider()["default_tags"][0]["tags"], "Name": "made"}
    ec2.create_tags(Resources=[kept], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    world.proxy.add(Rule(what=asks("CreateVpc"), fault=Hang(), times=1))
    world.write(app(parameter("kept"), network("made")))
    started = world.start(*DEPLOY)
    world.wait_for_event("apply_start", "made")
    time.sleep(1.0)

    world.kill_provider()
    ended = started.wait()

    assert ended.code in (0, 5), ended
    assert kept in {one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]}
    assert kept not in json.dumps(world.state())


def test_row_11_an_object_that_nothing_tells_from_another_is_named(cold_world: World) -> None:
    world = cold_world
    world.begin(FIRST)
    fault = Meanwhile(world.kill_provider, after=True)
    world.proxy.add(Rule(what=asks("CreateVpc"), fault=fault, times=1))
    kind, name, block = network("made")
    untold = {**provider(), "default_tags": []}

    ended = world.deploy(app(parameter("kept"), (kind, name, block), provider={"aws": [untold]}))

    assert ended.code in (0, 5), ended
    assert "aws_vpc.made may have been made" in ended.text


def test_row_12_a_provider_that_hangs_is_left_by_the_second_ctrl_c_without_an_orphan(
    cold_world: World,
) -> None:
    world = cold_world
    world.begin(FIRST)
    world.write(SECOND)
    world.proxy.add(Rule(what=puts("fresh"), fault=Hang(), times=1))
    started = world.start(*DEPLOY)
    world.wait_for_event("apply_start", "fresh")

    started.send(signal.SIGINT)
    time.sleep(1.0)
    assert started.process.poll() is None, "one Ctrl-C lets Terraform finish"
    started.send(signal.SIGINT)
    ended = started.wait()

    assert_safe(world, ended, code=130)
    world.proxy.heal()
    assert_safe(world, world.deploy(SECOND), code=0)
