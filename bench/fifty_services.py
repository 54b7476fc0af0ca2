"""The app of the benchmark's largest case: one site of environment `prod` with fifty web services.

Each is a stack of its own, so 52 Terraform states are written. Run in the project's root.
"""

from pathlib import Path

from holdfast_constructs import HoldfastApp, Image, Scale, ServiceStack, Size, WebService
from holdfast_constructs.project import Site
from holdfast_constructs.project.main import service_tables
from holdfast_constructs.project.registry import registrations
from holdfast_constructs.settings import load_environments
from holdfast_stacks.edge import Edge

SERVICES = 50
IMAGE = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:" + "3f" * 32


def main() -> None:
    services = service_tables(registrations("holdfast_stacks"))
    (env,) = load_environments(Path("environments"), ("prod",), services=services)
    app = HoldfastApp()
    site = Site(app, env, env.regions[0])
    edge = site.stack(Edge)
    for number in range(SERVICES):
        name = f"service-{number:02}"
        WebService(
            ServiceStack(app, name, site.target),
            "web",
            platform=edge.platform,
            image=Image.of(IMAGE),
            port=8080,
            health="/healthz",
            host=f"{name}.{site.domain}",
            scale=Scale(2, 6, cpu_percent=60),
            size=Size(256, 512),
        )
    app.synth()


if __name__ == "__main__":
    main()
