"""A cluster of another app: services, jobs and workers run on it, and nothing of it is managed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.data_aws_ecs_cluster import DataAwsEcsCluster

from holdfast_constructs import Cluster, ClusterCalls, ConstructError, ExecAudit, ServiceStack
from holdfast_constructs.testing import Synthesis

OnSite = Callable[..., Synthesis]

ARN = "arn:aws:ecs:eu-west-1:210987654321:cluster/shop"
CALLS = ClusterCalls(domain="shop.internal", namespace_id="ns-0a1b2c3d", group_id="sg-0a1b2c3d")
AUDIT = ExecAudit(
    log_group_arn="arn:aws:logs:eu-west-1:210987654321:log-group:/exec/shop",
    key_arn="arn:aws:kms:eu-west-1:210987654321:key/1",
)


def joined(site: Any, arn: str = ARN, **given: Any) -> Any:
    site.platform = replace(site.platform, cluster=Cluster.import_(arn, **given))
    return site


def test_services_workers_and_jobs_run_on_it(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        joined(site)
        site.service()
        stack = ServiceStack(site.app, "reports", site.target)
        site.job(stack)
        site.worker()

    synthesis = on_site(build)

    assert synthesis["orders"].resource("aws_ecs_service")["cluster"] == ARN
    assert synthesis["parcels"].resource("aws_ecs_service")["cluster"] == ARN
    assert synthesis["reports"].resource("aws_scheduler_schedule")["target"]["arn"] == ARN
    scaling = synthesis["orders"].resource("aws_appautoscaling_target")
    assert scaling["resource_id"].startswith("service/shop/")
    for name in ("orders", "parcels", "reports"):
        assert not synthesis[name].resources("aws_ecs_cluster")
        # Nothing is read from the stack that has a cluster of its own.
        assert "cluster" not in json.dumps(synthesis[name].data("terraform_remote_state"))


@pytest.mark.parametrize("as_text", [True, False])
def test_its_name_is_found_in_an_arn_that_only_a_deploy_knows(on_site: OnSite, *, as_text: bool) -> None:
    def build(site: Any) -> None:
        stack = ServiceStack(site.app, "orders", site.target)
        found = DataAwsEcsCluster(stack, "shop", cluster_name="shop")
        arn = "${data.aws_ecs_cluster.shop.arn}" if as_text else found.arn
        joined(site, arn).service(stack)

    orders = on_site(build)["orders"]

    resource_id = orders.resource("aws_appautoscaling_target")["resource_id"]
    assert 'element(split("/", ' in resource_id
    assert "data.aws_ecs_cluster.shop.arn" in resource_id


def test_its_services_call_each_other_in_the_zone_that_is_there(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        joined(site, calls=CALLS)
        orders = site.service(ServiceStack(site.app, "orders", site.target))
        billing = site.service(ServiceStack(site.app, "billing", site.target), host="billing.example.com")
        orders.connect_to(billing)

    synthesis = on_site(build)

    called = synthesis["billing"].resource("aws_service_discovery_service")
    assert called["dns_config"]["namespace_id"] == CALLS.namespace_id
    [container] = json.loads(synthesis["orders"].resource("aws_ecs_task_definition")["container_definitions"])
    assert {"name": "BILLING_URL", "value": "http://billing-api.shop.internal:8080"} in container[
        "environment"
    ]
    assert (
        CALLS.group_id
        in synthesis["orders"].resource("aws_ecs_service")["network_configuration"]["security_groups"]
    )


def test_a_shell_is_recorded_where_the_cluster_records_it(on_site: OnSite) -> None:
    orders = on_site(lambda site: joined(site, exec_audit=AUDIT).service(exec=True))["orders"]

    policies = json.dumps(orders.data("aws_iam_policy_document"))
    assert f"{AUDIT.log_group_arn}:*" in policies
    assert AUDIT.key_arn in policies


def test_what_the_cluster_was_not_imported_with_is_refused(on_site: OnSite) -> None:
    with pytest.raises(ConstructError, match="exec of api needs a cluster that records what is typed"):
        on_site(lambda site: joined(site).service(exec=True))
    with pytest.raises(ConstructError, match="a cluster whose services do not call each other"):
        on_site(lambda site: joined(site).service().accept_calls())


@pytest.mark.parametrize(
    "arn",
    [
        "shop",
        "arn:aws:ecs:eu-west-1:210987654321:service/shop/api",
        "arn:aws:ecs:eu-west-1:210987654321:cluster/",
        "arn:aws:eks:eu-west-1:210987654321:cluster/shop",
    ],
)
def test_the_arn_of_anything_else_is_refused(arn: str) -> None:
    with pytest.raises(ConstructError, match="the ARN of a cluster"):
        Cluster.import_(arn)
