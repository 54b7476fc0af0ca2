"""The shop's web pages. Keeps nothing: the simplest service there is, and the one to copy."""

from constructs import Construct

from holdfast_constructs import Image, Scale, ServiceStack, Size, WebService
from holdfast_constructs.project import Site, service
from holdfast_constructs.settings import Service
from holdfast_stacks.edge import Edge


@service("storefront")
class Storefront(ServiceStack):
    """Shows products and takes visitors to the orders service."""

    def __init__(self, scope: Construct, site: Site, settings: Service) -> None:
        super().__init__(scope, "storefront", site.target)
        self.web = WebService(
            self,
            "web",
            platform=site.stack(Edge).platform,
            image=Image.of(settings.image),
            port=8080,
            health="/healthz",
            host=site.host(settings.host or "storefront"),
            hosts=[site.host(name) for name in settings.hosts],
            paths=settings.paths,
            scale=Scale(settings.min_tasks, settings.max_tasks, cpu_percent=60),
            size=Size(settings.cpu, settings.memory),
            environment=settings.environment,
            secrets=settings.secrets,
        )
        self.add_output("url", self.web.url)
