"""The shop's web pages. Keeps nothing: the simplest service there is, and the one to copy."""

from constructs import Construct

from holdfast_constructs import Image, Platform, Scale, ServiceStack, Size, WebService
from holdfast_stacks.settings import Service
from holdfast_stacks.site import Site


class Storefront(ServiceStack):
    """Shows products and takes visitors to the orders service."""

    def __init__(self, scope: Construct, site: Site, settings: Service, *, platform: Platform) -> None:
        super().__init__(scope, "storefront", site.target)
        self.web = WebService(
            self,
            "web",
            platform=platform,
            image=Image.of(settings.image),
            port=8080,
            health="/healthz",
            host=f"{settings.host or 'storefront'}.{site.domain}",
            scale=Scale(settings.min_tasks, settings.max_tasks, cpu_percent=60),
            size=Size(settings.cpu, settings.memory),
            environment=settings.environment,
            secrets=settings.secrets,
        )
        self.add_output("url", self.web.url)
