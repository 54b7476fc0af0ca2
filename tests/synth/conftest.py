"""A site to put services on: network, gateway and cluster, each in a stack of its own."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast_constructs import (
    BacklogScale,
    Cluster,
    HoldfastApp,
    Image,
    Key,
    LoadBalancer,
    Network,
    Platform,
    Postgres,
    Scale,
    ScheduledJob,
    ServiceStack,
    Target,
    WebService,
    Worker,
)
from holdfast_constructs.testing import Synthesis, sample_target

IMAGE = Image.digest("210987654321.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:" + "0" * 64)


class Site:
    """What a test builds services and databases on; every property has a value that is allowed."""

    def __init__(
        self,
        app: HoldfastApp,
        target: Target,
        *,
        calls: bool = False,
        shell: bool = False,
        balancer: dict[str, Any] | None = None,
    ) -> None:
        self.app, self.target = app, target
        base = ServiceStack(app, "network", target)
        logs_key = Key(base, "logs", purpose="logs")
        network = Network(base, "main", cidr="10.40.0.0/16", nat="per_az", logs_key=logs_key)
        edge = ServiceStack(app, "edge", target)
        given = {
            "domain": "example.com",
            "zone_id": "Z123",
            "firewall": None,
            "no_firewall_because": "it has tests of its own",
        } | (balancer or {})
        gateway = LoadBalancer(edge, "gateway", network=network, **given)
        self.platform = Platform(
            network=network,
            gateway=gateway,
            cluster=Cluster(
                edge, "main", logs_key=logs_key, exec_audit=shell, network=network if calls else None
            ),
            logs_key=logs_key,
        )

    def service(self, stack: ServiceStack | None = None, id_: str = "api", **properties: Any) -> WebService:
        given: dict[str, Any] = {
            "image": IMAGE,
            "port": 8080,
            "health": "/healthz",
            "host": "orders.example.com",
            "scale": Scale(2, 10),
        }
        where = stack or ServiceStack(self.app, "orders", self.target)
        return WebService(where, id_, platform=self.platform, **(given | properties))

    def queue(self) -> Any:
        """Return the least that a worker can take messages from."""
        arn = f"arn:aws:sqs:eu-west-1:{self.target.account}:jobs"
        return SimpleNamespace(
            name="jobs",
            arn=arn,
            url="https://sqs.eu-west-1.amazonaws.com/210987654321/jobs",
            queue_name="jobs",
        )

    def worker(self, id_: str = "labels", **properties: Any) -> Worker:
        given: dict[str, Any] = {"image": IMAGE, "scale": BacklogScale(1, 30), "queue": self.queue()}
        stack = ServiceStack(self.app, "parcels", self.target)
        return Worker(stack, id_, platform=self.platform, **(given | properties))

    def job(self, stack: ServiceStack | None = None, id_: str = "nightly", **properties: Any) -> ScheduledJob:
        given: dict[str, Any] = {"image": IMAGE, "schedule": "cron(15 3 * * ? *)"}
        where = stack or ServiceStack(self.app, "parcels", self.target)
        return ScheduledJob(where, id_, platform=self.platform, **(given | properties))

    def database(self) -> Postgres:
        data = ServiceStack(self.app, "data", self.target)
        return Postgres(
            data,
            "orders",
            network=self.platform.network,
            key=Key(data, "key", purpose="data"),
            logs_key=self.platform.logs_key,
            instance_class="db.r6g.large",
            storage_gib=100,
            multi_az=True,
            backup_days=14,
        )


@pytest.fixture
def on_site(
    synthesize: Callable[[Callable[[HoldfastApp], object]], Synthesis],
) -> Callable[..., Synthesis]:
    """Return a function that builds on a site and synthesizes it: `on_site(lambda site: site.service())`."""

    def run(
        build: Callable[[Site], object],
        *,
        target: Target | None = None,
        calls: bool = False,
        shell: bool = False,
        balancer: dict[str, Any] | None = None,
    ) -> Synthesis:
        return synthesize(
            lambda app: build(
                Site(app, target or sample_target(), calls=calls, shell=shell, balancer=balancer)
            )
        )

    return run
