"""Parts of several stacks with the same id, used by one service: each is granted under a name of its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cdktf import Fn, Token
from tests.support.statements import statements_of
from tests.synth.conftest import IMAGE, Site

from holdfast_constructs import (
    BacklogScale,
    Bucket,
    Cache,
    ConstructError,
    EventConsumer,
    HoldfastApp,
    Key,
    Network,
    Queue,
    Secret,
    ServiceStack,
    Topic,
    Worker,
)
from holdfast_constructs.testing import Synthesis, sample_target

KEY = "arn:aws:kms:eu-west-1:210987654321:key/x"
Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


def _stacks(site: Site) -> tuple[ServiceStack, ServiceStack]:
    return ServiceStack(site.app, "orders", site.target), ServiceStack(site.app, "billing", site.target)


def _worker(stack: ServiceStack, site: Site, queue: Any = None) -> Worker:
    return Worker(
        stack,
        "worker",
        platform=site.platform,
        image=IMAGE,
        queue=queue or Queue(stack, "work"),
        scale=BacklogScale(2, 4),
    )


def _policies(synthesis: Synthesis) -> set[str]:
    return {policy["name"] for policy in synthesis["tasks"].resources("aws_iam_role_policy").values()}


def test_a_service_uses_parts_of_two_stacks_that_have_the_same_id(on_site: Callable[..., Synthesis]) -> None:
    def build(site: Site) -> None:
        worker = _worker(ServiceStack(site.app, "tasks", site.target), site)
        for stack in _stacks(site):
            prefix = stack.service.upper()
            worker.connect_to(Queue(stack, "jobs"), prefix=f"{prefix}_JOBS")
            cache = Cache(stack, "hot", network=site.platform.network, key=KEY, logs_key=KEY)
            worker.connect_to(cache, prefix=f"{prefix}_CACHE")
            Secret(stack, "token", key=KEY).grant_read(worker)

    synthesis = on_site(build)

    assert _policies(synthesis) >= {
        *("use-orders-jobs-queue", "use-billing-jobs-queue"),
        *("use-orders-hot-cache", "use-billing-hot-cache"),
        *("read-orders-token-secret", "read-billing-token-secret"),
    }


def test_one_queue_subscribes_to_topics_of_one_id_and_one_bucket_keeps_logs_of_buckets_of_one_id(
    synthesize: Synthesize,
) -> None:
    def build(app: HoldfastApp) -> None:
        shared = ServiceStack(app, "shared", sample_target())
        queue = Queue(shared, "all", key=KEY)
        logs = Bucket(ServiceStack(app, "logs", sample_target()), "access", key=None)
        for service in ("orders", "billing"):
            stack = ServiceStack(app, service, sample_target())
            Topic(stack, "events", key=KEY).subscribe(queue)
            Bucket(stack, "files", key=KEY, access_logs=logs)

    synthesis = synthesize(build)

    shared, logs = synthesis["shared"], synthesis["logs"]
    queue = shared.resource("aws_sqs_queue", name="shared-prod-all")
    assert {"AllowFromOrdersEventsTopic", "AllowFromBillingEventsTopic"} <= set(
        statements_of(shared, queue["policy"])
    )
    [document] = logs.data("aws_iam_policy_document").values()
    sids = [statement["sid"] for statement in document["statement"]]
    assert len(sids) == len(set(sids)) == 3


@pytest.mark.parametrize(
    ("one", "other"), [("a/b/", "a-b/"), ("a/", "a"), ("a b/", "a/b/"), ("x" * 60 + "/", "x" * 61 + "/")]
)
def test_grants_for_prefixes_that_are_alike_are_told_apart(
    on_site: Callable[..., Synthesis], one: str, other: str
) -> None:
    def build(site: Site) -> None:
        stack = ServiceStack(site.app, "tasks", site.target)
        bucket, worker = Bucket(stack, "files", key=None), _worker(stack, site)
        bucket.grant_read(worker, prefix=one)
        bucket.grant_read(worker, prefix=other)

    granted = {name for name in _policies(on_site(build)) if name.startswith("read-tasks-files-bucket-")}

    assert len(granted) == 2
    assert max(map(len, granted)) <= 128


def test_no_policy_has_a_name_that_iam_refuses(on_site: Callable[..., Synthesis]) -> None:
    def build(site: Site) -> None:
        stack = ServiceStack(site.app, "tasks", site.target)
        arn = f"arn:aws:secretsmanager:eu-west-1:210987654321:secret:{'o' * 200}-a1b2c3"
        Secret.import_(arn).grant_read(_worker(stack, site))

    assert max(map(len, _policies(on_site(build)))) == 128


@pytest.mark.parametrize("token", [True, False])
def test_a_worker_counts_the_messages_of_a_queue_whose_arn_is_known_later_by_its_name(
    on_site: Callable[..., Synthesis], *, token: bool
) -> None:
    def build(site: Site) -> None:
        arn = Token.as_string(Fn.raw_string("x")) if token else "${var.arn}"
        theirs = Queue.import_(arn, url="${var.url}", name="theirs")
        _worker(ServiceStack(site.app, "tasks", site.target), site, theirs)

    [policy] = on_site(build)["tasks"].resources("aws_appautoscaling_policy").values()

    [dimension] = [
        dimension
        for metric in json.loads(json.dumps(policy))["target_tracking_scaling_policy_configuration"][
            "customized_metric_specification"
        ]["metrics"]
        for dimension in metric.get("metric_stat", {}).get("metric", {}).get("dimensions", [])
        if dimension["name"] == "QueueName"
    ]
    arn = '"x"' if token else '"${var.arn}"'
    assert dimension["value"] == f'${{element(split(":", {arn}), 5)}}'


def test_a_consumer_of_events_takes_typed_secrets(on_site: Callable[..., Synthesis]) -> None:
    def build(site: Site) -> None:
        stack = ServiceStack(site.app, "tasks", site.target)
        EventConsumer(
            stack,
            "uploads",
            platform=site.platform,
            image=IMAGE,
            pattern={"source": ["aws.s3"]},
            scale=BacklogScale(2, 4),
            secrets={"TOKEN": Secret(stack, "token", key=KEY).value("t")},
        )

    [task] = on_site(build)["tasks"].resources("aws_ecs_task_definition").values()

    [container] = json.loads(task["container_definitions"])
    assert [secret["name"] for secret in container["secrets"]] == ["TOKEN"]


def test_logs_of_a_cache_are_told_apart_by_project(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        target = sample_target(project="shop")
        below = ServiceStack(app, "network", target)
        logs_key = Key(below, "logs", purpose="logs")
        network = Network(below, "main", cidr="10.40.0.0/16", nat="per_az", logs_key=logs_key)
        stack = ServiceStack(app, "data", target)
        Cache(stack, "hot", network=network, key=KEY, logs_key=logs_key)

    groups = synthesize(build)["data"].resources("aws_cloudwatch_log_group").values()

    assert {group["name"] for group in groups} == {
        f"/holdfast/shop/prod/data/hot/{log}" for log in ("slow-log", "engine-log")
    }


def _worker_of_the_others_queue(site: Site) -> None:
    orders, billing = _stacks(site)
    _worker(orders, site, Queue(billing, "jobs"))
    Queue(orders, "done").grant_send(_worker(billing, site))


def _two_grants(site: Site) -> None:
    orders, billing = _stacks(site)
    jobs, done = Queue(billing, "jobs"), Queue(orders, "done")
    jobs.grant_send(_worker(orders, site))
    done.grant_send(_worker(billing, site))


def _topics(site: Site) -> None:
    orders, billing = _stacks(site)
    for topics, queues in ((orders, billing), (billing, orders)):
        Topic(topics, "events", key=KEY).subscribe(Queue(queues, "inbox", key=KEY))


@pytest.mark.parametrize("build", [_worker_of_the_others_queue, _two_grants, _topics])
def test_stacks_that_would_wait_for_each_other_are_refused_where_that_is_written(
    on_site: Callable[..., Synthesis], build: Callable[[Site], None]
) -> None:
    with pytest.raises(ConstructError, match=r"would wait for each other: .* in "):
        on_site(build)


def _connected_twice(site: Site) -> None:
    stack = ServiceStack(site.app, "tasks", site.target)
    worker, queue = _worker(stack, site), Queue(stack, "jobs")
    worker.connect_to(queue, prefix="JOBS")
    worker.connect_to(queue, prefix="AGAIN")


def _consumed_twice(site: Site) -> None:
    stack = ServiceStack(site.app, "tasks", site.target)
    worker = _worker(stack, site)
    worker.queue.grant_consume(worker)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("build", "granted"),
    [(_connected_twice, "use-tasks-jobs-queue"), (_consumed_twice, "consume-tasks-work-queue")],
)
def test_what_is_granted_twice_is_refused_by_name(
    on_site: Callable[..., Synthesis], build: Callable[[Site], None], granted: str
) -> None:
    with pytest.raises(ConstructError, match=f"worker is granted {granted} already"):
        on_site(build)
