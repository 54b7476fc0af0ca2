"""Blocks that run tasks and the parts they use, together."""

import json
from collections.abc import Callable

from tests.support.statements import granted
from tests.synth.conftest import IMAGE, Site

from holdfast_constructs import (
    BacklogScale,
    Bucket,
    Key,
    Queue,
    Secret,
    ServiceStack,
    Topic,
    Worker,
)
from holdfast_constructs.testing import Synthesis


def test_a_worker_consumes_its_queue_and_uses_what_it_is_connected_to(
    on_site: Callable[..., Synthesis],
) -> None:
    def build(site: Site) -> None:
        stack = ServiceStack(site.app, "jobs", site.target)
        data, messages = Key(stack, "data", purpose="data"), Key(stack, "messages", purpose="messages")
        secret = Secret(stack, "stripe", key=data)
        worker = Worker(
            stack,
            "worker",
            platform=site.platform,
            image=IMAGE,
            queue=Queue(stack, "work", key=messages),
            scale=BacklogScale(1, 4, backlog_per_task=10),
            secrets={"STRIPE": secret.value("key")},
        )
        # Parts of one name are told apart.
        worker.connect_to(Bucket(stack, "orders", key=data))
        worker.connect_to(Topic(stack, "orders-topic", key=messages))
        worker.connect_to(secret)

    jobs = on_site(build)["jobs"]

    [task] = jobs.resources("aws_ecs_task_definition").values()
    [container] = json.loads(task["container_definitions"])
    assert [each["name"] for each in container["environment"]] == [
        *("BUCKET_NAME", "QUEUE_URL", "SECRET_ARN", "TOPIC_ARN"),
    ]
    assert container["secrets"][0]["valueFrom"].endswith(":key::")
    assert "sqs:ReceiveMessage" in granted(jobs, "consume-jobs-work-queue")["Consume"]["actions"]
    assert "s3:PutObject" in granted(jobs, "use-jobs-orders-bucket")["ReadAndWrite"]["actions"]
