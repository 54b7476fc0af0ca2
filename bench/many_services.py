"""The app of the benchmark's largest cases: one site of environment `prod` with very many services.

    python bench/many_services.py --web 50 --workers 40 --jobs 10

Each is a stack of its own with a Terraform state of its own, and comes on top of network and edge. A load
balancer takes no more than 60 web services: Amazon VPC's quota of rules in a security group. Run in the
project's root.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from holdfast_constructs import (
    BacklogScale,
    HoldfastApp,
    Image,
    Platform,
    Queue,
    Scale,
    ScheduledJob,
    ServiceStack,
    Size,
    WebService,
    Worker,
)
from holdfast_constructs.project import Site
from holdfast_constructs.project.main import service_tables
from holdfast_constructs.project.registry import registrations
from holdfast_constructs.settings import load_environments
from holdfast_stacks.edge import Edge

IMAGE = Image.of("210987654321.dkr.ecr.eu-west-1.amazonaws.com/service@sha256:" + "3f" * 32)
SIZE = Size(256, 512)


def web(stack: ServiceStack, platform: Platform, domain: str) -> None:
    WebService(
        stack,
        "web",
        platform=platform,
        image=IMAGE,
        port=8080,
        health="/healthz",
        host=f"{stack.service}.{domain}",
        scale=Scale(2, 6, cpu_percent=60),
        size=SIZE,
    )


def worker(stack: ServiceStack, platform: Platform, _domain: str) -> None:
    queue, scale = Queue(stack, "jobs"), BacklogScale(1, 6)
    Worker(stack, "worker", platform=platform, image=IMAGE, queue=queue, scale=scale, size=SIZE)


def job(stack: ServiceStack, platform: Platform, _domain: str) -> None:
    ScheduledJob(stack, "job", platform=platform, image=IMAGE, schedule="cron(15 3 * * ? *)", size=SIZE)


def services(
    options: argparse.Namespace,
) -> Iterator[tuple[str, Callable[[ServiceStack, Platform, str], None]]]:
    """Return the name of each service, and what builds it."""
    for kind, number, build in (
        ("service", options.web, web),
        ("worker", options.workers, worker),
        ("job", options.jobs, job),
    ):
        yield from ((f"{kind}-{each:02}", build) for each in range(number))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for kind in ("web", "workers", "jobs"):
        parser.add_argument(f"--{kind}", type=int, default=0, help=f"number of {kind} (default: 0)")
    options = parser.parse_args()
    tables = service_tables(registrations("holdfast_stacks"))
    (env,) = load_environments(Path("environments"), ("prod",), services=tables)
    app = HoldfastApp()
    site = Site(app, env, env.regions[0])
    platform = site.stack(Edge).platform
    for name, build in services(options):
        build(ServiceStack(app, name, site.target), platform, site.domain)
    app.synth()


if __name__ == "__main__":
    main()
