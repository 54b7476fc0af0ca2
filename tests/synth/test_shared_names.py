"""Two resources with a name that AWS gives once in an account and region are refused."""

from collections.abc import Callable

import pytest
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
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


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            _dead_letters,
            r"/jobs-dead/queue .*/jobs/dead-letter .*are both the aws_sqs_queue shop-prod-jobs-dead",
        ),
        (_the_same_id_in_two_groups, r"/one/jobs/.* and .*/other/jobs/.* are both the aws_sqs_queue"),
        (_two_stacks, r"billing-.*shop-.* are both the aws_cloudwatch_log_group /shared"),
    ],
)
def test_a_name_that_two_resources_have_is_refused_with_both(
    synthesize: Synthesize, build: Callable[[HoldfastApp], None], message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        synthesize(build)


def test_the_same_name_elsewhere_is_another_thing(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "shop", sample_target())
        CloudwatchLogGroup(stack, "log", name="/shared")
        there = AwsProvider(stack, "there", alias="there", region="us-east-1")
        CloudwatchLogGroup(stack, "log-there", name="/shared", provider=there)
        elsewhere = sample_target(region="eu-central-1", zones=("eu-central-1a", "eu-central-1b"))
        CloudwatchLogGroup(ServiceStack(app, "billing", elsewhere), "log", name="/shared")

    assert set(synthesize(build).manifest["shards"]) == {"billing-prod-eu-central-1", "shop-prod-eu-west-1"}
