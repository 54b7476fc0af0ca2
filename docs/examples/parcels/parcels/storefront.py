"""The pages that customers see, on the domain itself."""

from holdfast_constructs import HoldfastApp, Scale, ServiceStack, WebService
from parcels.api import Api
from parcels.edge import Edge
from parcels.environments import Environment


class Storefront(ServiceStack):
    """Keeps nothing; it calls the API by its name in the cluster, which it finds in API_URL."""

    def __init__(self, app: HoldfastApp, env: Environment, edge: Edge, api: Api) -> None:
        super().__init__(app, "storefront", env.target)
        self.web = WebService(
            self,
            "web",
            platform=edge.platform,
            image=env.image("storefront"),
            port=3000,
            health="/healthz",
            host=env.domain,
            scale=Scale(2, 8),
        )
        self.web.connect_to(api.web)
        self.add_output("url", self.web.url)
