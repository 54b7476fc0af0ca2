"""Two resources with a name that AWS gives once in an account and region are refused."""

from collections.abc import Callable

import pytest
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.ecs_cluster import EcsCluster
from cdktf_cdktf_provider_aws.ecs_service import EcsService
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

from holdfast_constructs import ConstructError, HoldfastApp, Queue, ServiceStack
from holdfast_constructs.testing import Synthesis, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


def _dead_letters(app: HoldfastApp) -> None:
    stack = ServiceStack(app, "shop", sample_target())
    Queue(stack, "jobs")
    Queue(stack, "jobs-dead")


def _the_same_id_in_two_groups(app: HoldfastApp) -> None:
    stack = ServiceStack(app, "shop", sample_target())
    for group in ("one", "other"):
        Queue(Construct(stack, group), "jobs")


def _two_stacks(app: HoldfastApp) -> None:
    for service in ("shop", "billing"):
        CloudwatchLogGroup(ServiceStack(app, service, sample_target()), "log", name="/shared")


def _service(stack: ServiceStack, id_: str, cluster: str) -> None:
    EcsService(stack, id_, name="shop-web-api", cluster=cluster)


def _one_cluster(app: HoldfastApp) -> None:
    shop = ServiceStack(app, "shop", sample_target())
    cluster = EcsCluster(shop, "cluster", name="c")
    _service(shop, "web-api", cluster.arn)
    _service(ServiceStack(app, "shop-web", sample_target()), "api", cluster.arn)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            _dead_letters,
            r"/jobs-dead/queue .*/jobs/dead-letter .*are both the aws_sqs_queue shop-prod-jobs-dead",
        ),
        (_the_same_id_in_two_groups, r"/one/jobs/.* and .*/other/jobs/.* are both the aws_sqs_queue"),
        (_one_cluster, r"shop-prod-.* and shop-web-prod-.* are both the aws_ecs_service shop-web-api"),
        (_two_stacks, r"billing-.*shop-.* are both the aws_cloudwatch_log_group /shared"),
    ],
)
def test_a_name_that_two_resources_have_is_refused_with_both(
    synthesize: Synthesize, build: Callable[[HoldfastApp], None], message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        synthesize(build)


def test_services_of_two_clusters_may_have_one_name(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "shop", sample_target())
        for id_ in ("one", "two"):
            _service(stack, id_, EcsCluster(stack, f"cluster-{id_}", name=id_).arn)

    assert set(synthesize(build).manifest["shards"]) == {"shop-prod-eu-west-1"}


def test_the_same_name_elsewhere_is_another_thing(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "shop", sample_target())
        CloudwatchLogGroup(stack, "log", name="/shared")
        there = AwsProvider(stack, "there", alias="there", region="us-east-1")
        CloudwatchLogGroup(stack, "log-there", name="/shared", provider=there)
        elsewhere = sample_target(region="eu-central-1", zones=("eu-central-1a", "eu-central-1b"))
        CloudwatchLogGroup(ServiceStack(app, "billing", elsewhere), "log", name="/shared")

    assert set(synthesize(build).manifest["shards"]) == {"billing-prod-eu-central-1", "shop-prod-eu-west-1"}
