"""The verify uses what the plan has read, and still finds every side effect of a change.

Real Terraform and AWS provider. A shard of fewer than 100 objects reads everything again; here the bound is
lower, so that few objects do. FILLING objects make what all have in common (a region) no common word.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.shards import ACCOUNT, REGION, Shards, Stack, parameter, stack, topic

from holdfast_orchestrator import Outcome
from holdfast_orchestrator.deploy.outcome import ShardResult
from holdfast_orchestrator.engine.warm import client
from holdfast_orchestrator.events import Event, ShardStep
from holdfast_orchestrator.terraform.reads import ReadCount

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

FILLING = 24
MANY = 105
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        ],
    }
)


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LEAST_REMEMBERED", FILLING)


def filling(name: str, count: int = FILLING, **changed: str) -> list[Stack]:
    """Parameters that have nothing to do with anything; `changed` are values of single ones."""
    return [
        parameter(f"/{name}/f{number:03}", at=(at := f"f{number:03}"), value=changed.get(at, "v"))
        for number in range(count)
    ]


def verify_entry(app: Shards, run: str, shard: str) -> dict[str, Any]:
    """What the journal keeps of the last verify of a run."""
    shown = json.loads(app.run("show", run, "--json").stdout)
    steps = shown["journals"][shard]
    entries = [step["data"] for step in steps if (step["phase"], step["edge"]) == ("verify", "after")]
    return dict(entries[-1])


def group(name: str, *rules: Stack) -> list[Stack]:
    network: Stack = {"aws_vpc": {"v": {"cidr_block": "10.9.0.0/16"}}}
    inline = {
        "cidr_blocks": ["10.0.0.0/8"],
        "from_port": 1,
        "to_port": 1,
        "protocol": "tcp",
        "description": "",
        "ipv6_cidr_blocks": [],
        "prefix_list_ids": [],
        "security_groups": [],
        "self": False,
    }
    groups = {"g": {"name": name, "vpc_id": "${aws_vpc.v.id}", "ingress": [inline]}}
    return [network, {"aws_security_group": groups}, *rules]


def group_rule() -> Stack:
    rule = {
        "security_group_id": "${aws_security_group.g.id}",
        "type": "ingress",
        "cidr_blocks": ["192.168.0.0/16"],
        "from_port": 2,
        "to_port": 2,
        "protocol": "tcp",
    }
    return {"aws_security_group_rule": {"r": rule}}


def table(*routes: Stack) -> list[Stack]:
    inline = dict.fromkeys(
        (
            "carrier_gateway_id",
            "core_network_arn",
            "destination_prefix_list_id",
            "egress_only_gateway_id",
            "ipv6_cidr_block",
            "local_gateway_id",
            "nat_gateway_id",
            "network_interface_id",
            "transit_gateway_id",
            "vpc_endpoint_id",
            "vpc_peering_connection_id",
        )
    )
    route = {**inline, "cidr_block": "0.0.0.0/0", "gateway_id": "${aws_internet_gateway.i.id}"}
    return [
        {"aws_vpc": {"v": {"cidr_block": "10.8.0.0/16"}}},
        {"aws_internet_gateway": {"i": {"vpc_id": "${aws_vpc.v.id}"}}},
        {"aws_route_table": {"t": {"vpc_id": "${aws_vpc.v.id}", "route": [route]}}},
        *routes,
    ]


def one_more_route() -> Stack:
    route = {
        "route_table_id": "${aws_route_table.t.id}",
        "destination_cidr_block": "172.16.0.0/12",
        "gateway_id": "${aws_internet_gateway.i.id}",
    }
    return {"aws_route": {"r": route}}


def policy(name: str, at: str) -> Stack:
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return {"aws_iam_policy": {at: {"name": name, "policy": document}}}


def role(name: str, *attachments: Stack) -> list[Stack]:
    body = {"name": name, "assume_role_policy": TRUST, "managed_policy_arns": ["${aws_iam_policy.a.arn}"]}
    return [policy(f"{name}-a", "a"), policy(f"{name}-b", "b"), {"aws_iam_role": {"r": body}}, *attachments]


def attached(role: str, at: str) -> Stack:
    return {
        "aws_iam_role_policy_attachment": {at: {"role": role, "policy_arn": f"${{aws_iam_policy.{at}.arn}}"}}
    }


def exclusively(role: str, at: str) -> Stack:
    body = {"role_name": role, "policy_arns": [f"${{aws_iam_policy.{at}.arn}}"]}
    return {"aws_iam_role_policy_attachments_exclusive": {"x": body}}


def bucket_policy(bucket: str, at: str, action: str) -> Stack:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": action,
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return {"aws_s3_bucket_policy": {at: {"bucket": bucket, "policy": document}}}


def bucket(name: str) -> Stack:
    return {"aws_s3_bucket": {"b": {"bucket": name}}}


def test_side_effects_of_a_change_are_found_though_most_objects_are_not_read_again(
    warm_app: Shards, name: str, few_are_enough: None
) -> None:
    """A change here changes another object of the shard, which shares an id, a name or only a literal."""
    theirs = f"{name}-theirs"
    warm_app.client("iam").create_role(RoleName=theirs, AssumeRolePolicyDocument=TRUST)
    policies = [policy(f"{name}-e-a", "a"), policy(f"{name}-e-b", "b"), attached(theirs, "a")]
    before: dict[str, list[Stack]] = {
        "group": group(f"{name}-g"),
        "table": table(),
        "role": role(f"{name}-r"),
        "bucket": [bucket(f"{name}-bp"), bucket_policy(f"{name}-bp", "one", "s3:GetObject")],
        "exclusive": policies,
        "nothing": [],
    }
    after: dict[str, list[Stack]] = {
        "group": group(f"{name}-g", group_rule()),
        "table": table(one_more_route()),
        "role": role(f"{name}-r", attached(f"{name}-r", "b")),
        "bucket": [*before["bucket"], bucket_policy(f"{name}-bp", "two", "s3:PutObject")],
        "exclusive": [*policies, exclusively(theirs, "b")],
        "nothing": [],
    }
    stacks = {shard: stack(*filling(f"{name}-{shard}"), *blocks) for shard, blocks in before.items()}
    # The policy names its bucket by a literal: Terraform does not know which comes first.
    stacks["bucket"]["resource"]["aws_s3_bucket_policy"]["one"]["depends_on"] = ["aws_s3_bucket.b"]
    warm_app.write(**stacks)
    assert warm_app.deploy().is_good

    changed = {
        shard: stack(*filling(f"{name}-{shard}", f007="changed"), *blocks) for shard, blocks in after.items()
    }
    changed["bucket"]["resource"]["aws_s3_bucket_policy"]["one"]["depends_on"] = ["aws_s3_bucket.b"]
    warm_app.write(**changed)
    result = warm_app.deploy(max_parallel=2)

    nothing = result.results["nothing"]
    assert nothing.outcome is Outcome.COMMITTED
    assert nothing.verify == ReadCount(read=1, remembered=FILLING - 1)
    for shard in before.keys() - {"nothing"}:
        ended = result.results[shard]
        assert not ended.outcome.is_good, ended
        assert "the verify failed" in (ended.reason or ""), ended
        used = verify_entry(warm_app, result.run, shard)["repeated_after"]
        assert used["remembered"] >= FILLING - 2, (shard, used)


def test_a_provisioner_has_everything_read_again(warm_app: Shards, name: str, few_are_enough: None) -> None:
    """What it does, no rule sees: so nothing is remembered, and the verify finds it."""
    overwritten = f"/{name}/f003"
    script = (
        "import boto3, os; boto3.client('ssm', region_name='eu-west-1', "
        "endpoint_url=os.environ['AWS_ENDPOINT_URL'])"
        f".put_parameter(Name='{overwritten}', Value='theirs', Type='String', Overwrite=True)"
    )
    command = {"local-exec": {"command": f'{sys.executable} -c "{script}"'}}
    running: Stack = {"terraform_data": {"run": {"input": "x", "provisioner": [command]}}}
    warm_app.write(one=stack(*filling(name)))
    assert warm_app.deploy().is_good

    warm_app.write(one=stack(*filling(name, f007="changed"), running))
    result = warm_app.deploy()

    assert not result.is_good, result
    entry = verify_entry(warm_app, result.run, "one")
    assert "terraform_data.run is no object of the AWS provider" in entry["read_again"]
    assert "repeated_after" not in entry


def verifying(change: Callable[[], object]) -> Callable[[Event], None]:
    """A listener that changes something right before the verify."""

    def hear(event: Event) -> None:
        if isinstance(event, ShardStep) and event.step == "verifying":
            change()

    return hear


def deploy(app: Shards, on_event: Callable[[Event], None] = lambda _: None) -> ShardResult:
    return app.project.deploy(on_event=on_event).shards[0]


def test_what_somebody_changes_meanwhile_is_found_at_a_neighbour_and_elsewhere_by_the_next_plan(
    warm_app: Shards, name: str, few_are_enough: None
) -> None:
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}-%s"
    sns = warm_app.client("sns")

    def rename(which: str) -> Callable[[], object]:
        display = {"AttributeName": "DisplayName", "AttributeValue": "theirs"}
        return lambda: sns.set_topic_attributes(TopicArn=arn % which, **display)

    def version(value: str) -> Stack:
        refers = parameter(f"/{name}/refers", at="p", value=f"{value}-${{aws_sns_topic.near.arn}}")
        topics = (topic(f"{name}-{at}", at=at, display_name="ours") for at in ("near", "far"))
        return stack(*filling(name), *topics, refers)

    warm_app.write(one=version("1"))
    assert deploy(warm_app).outcome is Outcome.COMMITTED

    warm_app.write(one=version("2"))
    beside = deploy(warm_app, verifying(rename("far")))
    assert beside.outcome is Outcome.COMMITTED
    assert beside.verify == ReadCount(read=2, remembered=FILLING + 1)
    planned = warm_app.project.plan(refresh=True).shards[0].document
    assert planned is not None
    assert [change.address for change in planned.changes] == ["aws_sns_topic.far"]

    warm_app.write(one=version("3"))
    near = deploy(warm_app, verifying(rename("near")))
    assert not near.outcome.is_good
    assert "aws_sns_topic.near" in (near.reason or "")


def test_of_many_objects_one_is_read_again_and_of_few_all_are(warm_app: Shards, name: str) -> None:
    """The real bound. A deploy of the command line says it too."""

    def stacks(value: str) -> dict[str, Stack]:
        return {
            "many": stack(*filling(f"{name}-m", MANY, f007=value)),
            "few": stack(*filling(f"{name}-f", f007=value)),
        }

    warm_app.write(**stacks("1"))
    first = warm_app.deploy()
    assert first.results["many"].verify == ReadCount(read=MANY, remembered=0)
    assert first.results["few"].verify == ReadCount(read=FILLING, remembered=0)

    warm_app.write(**stacks("2"))
    second = warm_app.deploy()
    assert second.results["many"].verify == ReadCount(read=1, remembered=MANY - 1)
    assert second.results["few"].verify == ReadCount(read=FILLING, remembered=0)
    assert verify_entry(warm_app, second.run, "many")["remembered"] == MANY - 1
    assert (
        f"many: the verify read 1 object again, and took {MANY - 1}"
        in warm_app.run("show", second.run).stdout
    )

    warm_app.write(**stacks("3"))
    full = json.loads(warm_app.run("deploy", "--yes", "--json", HOLDFAST_FULL_VERIFY="1").stdout)
    assert [shard["verify"] for shard in full["shards"]] == [None, None]
    assert {shard["outcome"] for shard in full["shards"]} == {"committed"}


def test_on_the_way_back_every_object_is_read(warm_app: Shards, name: str, few_are_enough: None) -> None:
    for value in ("1", "2"):
        warm_app.write(one=stack(*filling(name, f007=value)))
        assert warm_app.deploy().is_good

    back = warm_app.rollback("one")

    assert back.is_good
    entry = verify_entry(warm_app, back.run, "one")
    assert entry["read_again"] == "it is a rollback"
    assert "remembered" not in entry
