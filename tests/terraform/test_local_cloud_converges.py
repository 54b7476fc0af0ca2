"""Real Terraform, real AWS provider, local cloud: what was applied is planned again without a difference.

The resources are those that plain moto made fail or differ for ever, as far as they are quick; load
balancers, databases and ECS are in the whole environment that the end-to-end test deploys, and the
provider waits five seconds before each reading of a budget.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.engine.workdir import prepare
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import local_environ, towards_local
from holdfast_orchestrator.local.inventory import inventory
from holdfast_orchestrator.system.runtime import real_runtime

ARN = "arn:aws:iam::123456789012"
BACKEND = {
    "bucket": "holdfast-state-local",
    "key": "gaps/terraform.tfstate",
    "region": "eu-west-1",
    "use_lockfile": True,
    "use_path_style": True,
    "skip_credentials_validation": True,
    "skip_metadata_api_check": True,
    "skip_requesting_account_id": True,
}
PROVIDER = {
    "region": "eu-west-1",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "s3_use_path_style": True,
    "max_retries": 5,
    "default_tags": [{"tags": {"Service": "gaps", "Environment": "local"}}],
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    cloud = LocalCloud(tmp_path_factory.mktemp("project"), real_runtime())
    endpoint = cloud.up().endpoint
    assert endpoint is not None
    try:
        yield endpoint
    finally:
        cloud.down()


@pytest.fixture
def terraform(tmp_path: Path, endpoint: str) -> Callable[[dict[str, Any]], Terraform]:
    real = real_runtime()
    environ = towards_local(real.environ, endpoint)
    world = dataclasses.replace(real, cwd=tmp_path, cache=tmp_path / "cache", environ=environ)
    engine = find_engine(world, project=tmp_path)

    def make(resources: dict[str, Any]) -> Terraform:
        required = {"aws": {"source": "aws", "version": "5.100.0"}}
        document = {
            "terraform": {"required_providers": required, "backend": {"s3": BACKEND}},
            "provider": {"aws": [PROVIDER]},
            "resource": resources,
        }
        files = {"cdk.tf.json": json.dumps(document).encode()}
        made = Terraform(engine, world, prepare(tmp_path / "work", "gaps", files), world.environ)
        made.init()
        return made

    return make


def network() -> dict[str, Any]:
    group = {"vpc_id": "${aws_vpc.v.id}", "description": "x"}
    rule = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443, "description": "says why"}
    return {
        "aws_vpc": {"v": {"cidr_block": "10.0.0.0/16"}},
        "aws_security_group": {"a": {"name": "a", **group}, "b": {"name": "b", **group}},
        "aws_ec2_managed_prefix_list": {"l": {"name": "l", "address_family": "IPv4", "max_entries": 1}},
        "aws_vpc_security_group_ingress_rule": {
            "from_b": {
                "security_group_id": "${aws_security_group.a.id}",
                "referenced_security_group_id": "${aws_security_group.b.id}",
                **rule,
            }
        },
        "aws_vpc_security_group_egress_rule": {
            "to_l": {
                "security_group_id": "${aws_security_group.a.id}",
                "prefix_list_id": "${aws_ec2_managed_prefix_list.l.id}",
                **rule,
            }
        },
    }


def storage() -> dict[str, Any]:
    bucket = "${aws_s3_bucket.b.id}"
    where = ["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.b.arn}/*"]
    tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": where,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [tls_only]})
    return {
        "aws_s3_bucket": {"b": {"bucket": "gaps", "force_destroy": True}},
        "aws_s3_bucket_policy": {"b": {"bucket": bucket, "policy": policy}},
        "aws_s3_bucket_notification": {"b": {"bucket": bucket, "eventbridge": True}},
        "aws_s3_object": {
            "o": {"bucket": bucket, "key": "o", "content": "x", "depends_on": ["aws_s3_bucket_policy.b"]}
        },
    }


def watching(*, threshold: int = 1) -> dict[str, Any]:
    return {
        "aws_cloudwatch_metric_alarm": {
            "m": {
                "alarm_name": "m",
                "comparison_operator": "GreaterThanThreshold",
                "evaluation_periods": 1,
                "threshold": threshold,
                "metric_name": "Errors",
                "namespace": "App",
                "period": 60,
                "statistic": "Sum",
            }
        },
        "aws_cloudwatch_composite_alarm": {
            "c": {"alarm_name": "c", "alarm_rule": "ALARM(${aws_cloudwatch_metric_alarm.m.alarm_name})"}
        },
        "aws_cloudwatch_query_definition": {"q": {"name": "q", "query_string": "fields @message"}},
    }


def keeping(*clients: str) -> dict[str, Any]:
    rule = {
        "rule_name": "daily",
        "target_vault_name": "${aws_backup_vault.v.name}",
        "schedule": "cron(0 12 * * ? *)",
    }
    return {
        "aws_db_parameter_group": {
            "p": {
                "name": "gaps",
                "family": "postgres16",
                "parameter": [
                    {"name": "rds.force_ssl", "value": "1"},
                    {"name": "log_statement", "value": "ddl"},
                ],
            }
        },
        "aws_backup_vault": {"v": {"name": "vault"}},
        "aws_backup_plan": {"p": {"name": "plan", "rule": [rule]}},
        "aws_backup_selection": {
            "s": {
                "name": "s",
                "plan_id": "${aws_backup_plan.p.id}",
                "iam_role_arn": f"{ARN}:role/backup",
                "resources": ["*"],
            }
        },
        "aws_iam_openid_connect_provider": {
            "g": {"url": "https://example.com", "client_id_list": clients, "thumbprint_list": ["0" * 40]}
        },
    }


@pytest.mark.long
def test_what_was_applied_has_no_difference_and_its_destroy_leaves_nothing(
    terraform: Callable[[dict[str, Any]], Terraform], endpoint: str
) -> None:
    first = terraform({**network(), **storage(), **watching(), **keeping("one")})
    applied = first.apply(first.plan().plan)
    again = first.plan()

    changed = terraform({**network(), **storage(), **watching(threshold=2), **keeping("two")})
    updated = changed.apply(changed.plan().plan)
    settled = changed.plan()

    gone = changed.apply(changed.plan(destroy=True).plan)
    aws = real_runtime().aws
    left = inventory(lambda service: aws.client(service, region="eu-west-1", environ=local_environ(endpoint)))

    assert [outcome.diagnostics for outcome in (applied, updated, gone)] == [(), (), ()]
    assert [plan.planned for plan in (again, settled)] == [(), ()]
    assert (again.changes, settled.changes) == (False, False)
    assert left == {}
