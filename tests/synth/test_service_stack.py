import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from constructs import Construct

from holdfast_constructs import (
    ConstructError,
    HoldfastApp,
    Key,
    ServiceStack,
    StateBucket,
    accept_difference,
)
from holdfast_constructs.testing import Synthesis, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]

ROLE = "arn:aws:iam::210987654321:role/deploy"
LOCAL = sample_target(
    environment="local",
    account="123456789012",
    state=StateBucket(bucket="holdfast-state-local", region="eu-west-1"),
    local=True,
    production=False,
)


def _empty(synthesize: Synthesize, target: Any) -> dict[str, Any]:
    return synthesize(lambda app: ServiceStack(app, "orders", target))["orders"].configuration


def test_the_provider_is_held_to_the_target_s_account_and_region(synthesize: Synthesize) -> None:
    (provider,) = _empty(synthesize, sample_target(role_arn=ROLE))["provider"]["aws"]

    assert provider["region"] == "eu-west-1"
    assert provider["allowed_account_ids"] == ["210987654321"]
    assert provider["assume_role"] == [{"role_arn": ROLE}]


def test_every_resource_is_tagged_with_service_environment_and_the_target_s_tags(
    synthesize: Synthesize,
) -> None:
    (provider,) = _empty(synthesize, sample_target(tags={"Cost": "shop"}))["provider"]["aws"]

    assert provider["default_tags"] == [
        {"tags": {"Service": "orders", "Environment": "prod", "ManagedBy": "holdfast", "Cost": "shop"}}
    ]


def test_the_state_lies_encrypted_and_locked_under_the_shard_s_own_key(synthesize: Synthesize) -> None:
    state = StateBucket(bucket="example-state", region="eu-central-1", kms_key_id="alias/state")

    terraform = _empty(synthesize, sample_target(state=state))["terraform"]

    assert terraform["backend"] == {
        "s3": {
            "bucket": "example-state",
            "key": "orders/210987654321/eu-west-1/prod/terraform.tfstate",
            "region": "eu-central-1",
            "kms_key_id": "alias/state",
            "encrypt": True,
            "use_lockfile": True,
        }
    }


def test_nothing_of_the_local_cloud_reaches_a_real_account(synthesize: Synthesize) -> None:
    text = json.dumps(_empty(synthesize, sample_target()))

    assert "skip_" not in text
    assert "path_style" not in text
    assert "max_retries" not in text


def test_the_local_cloud_is_talked_to_without_an_endpoint_in_the_file(synthesize: Synthesize) -> None:
    configuration = _empty(synthesize, LOCAL)

    (provider,) = configuration["provider"]["aws"]
    assert provider["s3_use_path_style"] is True
    assert provider["max_retries"] == 5
    assert "skip_requesting_account_id" not in provider
    assert configuration["terraform"]["backend"]["s3"]["use_path_style"] is True
    assert "endpoint" not in json.dumps(configuration)


@pytest.mark.parametrize("target", [sample_target(), LOCAL], ids=["aws", "local"])
def test_another_stack_s_state_is_read_the_way_it_is_written(synthesize: Synthesize, target: Any) -> None:
    def build(app: HoldfastApp) -> None:
        topic = SnsTopic(ServiceStack(app, "edge", target), "topic")
        SnsTopic(ServiceStack(app, "orders", target), "copy", display_name=topic.name)

    synthesis = synthesize(build)

    written = synthesis["edge"].configuration["terraform"]["backend"]["s3"]
    (read,) = synthesis["orders"].data("terraform_remote_state").values()
    assert read["config"] == {key: value for key, value in written.items() if key != "use_lockfile"}


def test_a_stack_knows_itself_from_any_construct_in_it(synthesize: Synthesize) -> None:
    found = []

    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        inner = Construct(Construct(stack, "outer"), "inner")
        found.extend([ServiceStack.of(inner) is stack, ServiceStack.of(stack) is stack])

    synthesize(build)

    assert found == [True, True]


def test_a_construct_outside_a_service_stack_is_refused_with_the_way_out(tmp_path: Path) -> None:
    stack = TerraformStack(App(outdir=str(tmp_path / "out")), "plain")

    with pytest.raises(ConstructError, match=r"Key is in a TerraformStack; create it inside a Service"):
        Key(stack, "key", purpose="data")


def test_a_service_whose_name_cannot_be_a_key_is_refused(synthesize: Synthesize) -> None:
    with pytest.raises(ConstructError, match=r"service must be .* got 'Orders'"):
        synthesize(lambda app: ServiceStack(app, "Orders", sample_target()))


class _Orders(ServiceStack):
    def __init__(self, app: HoldfastApp) -> None:
        super().__init__(app, "orders", sample_target(owners=("team-checkout",), tags={"Cost": "shop"}))
        self.key = Key(self, "key", purpose="data")  # asked for here
        self.topic = SnsTopic(self, "topic")  # and here
        self.protect(self.topic)
        policy = {"on": [self.topic.policy], "retries": 2}
        self.add_health_check("topic_exists", "topic", arn=self.topic.arn, within_seconds=30, policy=policy)


def test_holdfast_json_says_what_the_orchestrator_has_to_know(synthesize: Synthesize) -> None:
    synthesis = synthesize(_Orders)

    assert synthesis.manifest["schema"] == "holdfast/deployment-manifest/v1"
    shard = synthesis.manifest["shards"]["orders-prod-eu-west-1"]
    sources = shard.pop("sources")
    assert shard == {
        "service": "orders",
        "environment": "prod",
        "account": "210987654321",
        "region": "eu-west-1",
        "state": {
            "bucket": "example-state",
            "key": "orders/210987654321/eu-west-1/prod/terraform.tfstate",
            "region": "eu-west-1",
            "kms_key_id": None,
        },
        "cloud": "aws",
        "role_arn": None,
        "owners": ["team-checkout"],
        "tags": {"Cost": "shop"},
        "protected": ["aws_kms_key.key_F64E54E4", "aws_sns_topic.topic"],
        "health_checks": [
            {
                "kind": "topic_exists",
                "name": "topic",
                "arn": {"output": "health-topic-arn"},
                "within_seconds": 30,
                "policy": {"on": {"output": "health-topic-policy-on"}, "retries": 2},
            }
        ],
        "gates": [],
    }
    assert set(synthesis["orders"].addresses()) <= set(sources)


def test_an_accepted_difference_stands_in_holdfast_json(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        topic = SnsTopic(ServiceStack(app, "orders", sample_target()), "topic")
        accept_difference(
            topic, "policy", reason="AWS reorders it", owner="core", expires=dt.date(2027, 1, 31)
        )
        with pytest.raises(ConstructError, match="owner"):
            accept_difference(topic, "policy", reason="AWS reorders it", owner=" ")

    shard = synthesize(build).manifest["shards"]["orders-prod-eu-west-1"]

    assert shard["accepted_differences"] == [
        {
            "resource": "aws_sns_topic.topic",
            "attribute": "policy",
            "reason": "AWS reorders it",
            "owner": "core",
            "expires": "2027-01-31",
        }
    ]


def test_a_check_s_unknown_fields_are_outputs_of_the_stack(synthesize: Synthesize) -> None:
    orders = synthesize(_Orders)["orders"]

    assert orders.configuration["output"] == {
        "health-topic-arn": {"value": "${aws_sns_topic.topic.arn}"},
        "health-topic-policy-on": {"value": ["${aws_sns_topic.topic.policy}"]},
    }


def test_put_out_is_add_output_and_says_so(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        stack.add_output("new", "1")
        with pytest.warns(DeprecationWarning, match="add_output"):
            stack.put_out("old", "2")

    orders = synthesize(build)["orders"]

    assert orders.configuration["output"] == {"new": {"value": "1"}, "old": {"value": "2"}}


def test_two_health_checks_of_one_name_are_refused(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        stack.add_health_check("http", "api")
        stack.add_health_check("tcp", "api")

    with pytest.raises(ConstructError, match="a health check's name must be unique in orders-prod-eu-west-1"):
        synthesize(build)


def test_each_resource_is_traced_to_the_line_and_the_construct_a_person_wrote(synthesize: Synthesize) -> None:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()

    sources = synthesize(_Orders).manifest["shards"]["orders-prod-eu-west-1"]["sources"]

    file = Path(__file__).relative_to(Path.cwd()).as_posix()
    assert sources["aws_kms_alias.key_alias_9418169B"] == {
        "path": "orders-prod-eu-west-1/key/alias",
        "construct": 'Key "key"',
        "file": file,
        "line": 1 + lines.index('        self.key = Key(self, "key", purpose="data")  # asked for here'),
    }
    assert sources["aws_sns_topic.topic"] == {
        "path": "orders-prod-eu-west-1/topic",
        "construct": 'SnsTopic "topic"',
        "file": file,
        "line": 1 + lines.index('        self.topic = SnsTopic(self, "topic")  # and here'),
    }


class _Shop(Construct):
    """A construct of the user's own, made of one of ours."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "shop")
        Key(self, "key", purpose="data")  # inside the shop


def test_a_construct_of_the_user_s_own_is_traced_to_the_line_inside_it(synthesize: Synthesize) -> None:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()

    synthesis = synthesize(lambda app: _Shop(ServiceStack(app, "orders", sample_target())))

    (shard,) = synthesis.manifest["shards"].values()
    line = 1 + lines.index('        Key(self, "key", purpose="data")  # inside the shop')
    assert {(source["construct"], source["line"]) for source in shard["sources"].values()} == {
        ('Key "key"', line)
    }


APP = """
from holdfast_constructs import HoldfastApp, Key, Network, ServiceStack
from holdfast_constructs.testing import sample_target
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic

app = HoldfastApp()
stack = ServiceStack(app, "network", sample_target(tags={"b": "2", "a": "1"}))
key = Key(stack, "logs", purpose="logs")
network = Network(stack, "main", cidr="10.40.0.0/16", nat="per_az", logs_key=key)
SnsTopic(ServiceStack(app, "orders", sample_target()), "topic", display_name=network.vpc_id)
app.synth()
"""


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")

    def run(seed: str) -> dict[str, bytes]:
        outdir = tmp_path / seed
        environ = {**os.environ, "PYTHONHASHSEED": seed, "CDKTF_OUTDIR": str(outdir)}
        subprocess.run([sys.executable, "app.py"], cwd=tmp_path, env=environ, check=True)
        files = sorted(file for file in outdir.rglob("*") if file.is_file())
        return {file.relative_to(outdir).as_posix(): file.read_bytes() for file in files}

    first, second = run("1"), run("2")

    assert sorted(first) == [
        "connections.json",
        "explained.json",
        "holdfast.json",
        "manifest.json",
        "stacks/network-prod-eu-west-1/cdk.tf.json",
        "stacks/orders-prod-eu-west-1/cdk.tf.json",
    ]
    assert first == second
    shards = json.loads(first["holdfast.json"])["shards"].values()
    assert {source["file"] for shard in shards for source in shard["sources"].values()} == {"app.py"}


def test_the_order_in_which_stacks_are_made_changes_nothing(synthesize: Synthesize) -> None:
    def build(*services: str) -> Callable[[HoldfastApp], None]:
        def run(app: HoldfastApp) -> None:
            for service in services:
                SnsTopic(ServiceStack(app, service, sample_target()), "topic")

        return run

    one, other = synthesize(build("edge", "orders")), synthesize(build("orders", "edge"))

    for file in ("holdfast.json", *(f"stacks/{shard}/cdk.tf.json" for shard in one.templates)):
        assert (one.outdir / file).read_bytes() == (other.outdir / file).read_bytes()
