"""Takes orders, and keeps them in a database of its own.

It logs in as a user of its own, which somebody has made once: docs/constructs.md says how.
"""

from constructs import Construct

from holdfast_constructs import Image, Scale, ServiceStack, Size, WebService
from holdfast_constructs.project import Site, service
from holdfast_constructs.settings import DatabaseService
from holdfast_stacks.data import Data
from holdfast_stacks.edge import Edge


@service("orders")
class Orders(ServiceStack):
    """The orders service, connected to its database."""

    def __init__(self, scope: Construct, site: Site, settings: DatabaseService) -> None:
        super().__init__(scope, "orders", site.target)
        self.api = WebService(
            self,
            "api",
            platform=site.stack(Edge).platform,
            image=Image.of(settings.image),
            port=8080,
            health="/healthz",
            host=site.host(settings.host or "orders"),
            hosts=[site.host(name) for name in settings.hosts],
            paths=settings.paths,
            scale=Scale(settings.min_tasks, settings.max_tasks, cpu_percent=60),
            size=Size(settings.cpu, settings.memory),
            environment=settings.environment,
            secrets=settings.secrets,
        )
        self.api.connect_to(site.stack(Data).databases["orders"], user="orders")
        self.add_output("url", self.api.url)
