"""Takes parcels in: the one service that writes to the database."""

from holdfast_constructs import HoldfastApp, Scale, ServiceStack, Size, WebService
from parcels.data import Data
from parcels.edge import Edge
from parcels.environments import Environment


class Api(ServiceStack):
    """Answers partners and the storefront. Each `connect_to` gives permissions, rules and variables."""

    def __init__(self, app: HoldfastApp, env: Environment, edge: Edge, data: Data) -> None:
        super().__init__(app, "api", env.target)
        self.web = WebService(
            self,
            "api",
            platform=edge.platform,
            image=env.image("api"),
            port=8080,
            health="/healthz",
            host=f"api.{env.domain}",
            scale=Scale(3, 20, requests_per_task=600),
            size=Size(1024, 2048),
        )
        self.web.connect_to(data.database, user="api")
        self.web.connect_to(data.cache)
        self.web.connect_to(data.labels)
        self.web.connect_to(data.to_print)
        self.add_output("url", self.web.url)
