"""Tells where a parcel is."""

from holdfast_constructs import HoldfastApp, Scale, ServiceStack, WebService
from parcels.data import Data
from parcels.edge import Edge
from parcels.environments import Environment


class Tracking(ServiceStack):
    """Reads positions from the cache, and from the database where the cache has none."""

    def __init__(self, app: HoldfastApp, env: Environment, edge: Edge, data: Data) -> None:
        super().__init__(app, "tracking", env.target)
        self.web = WebService(
            self,
            "tracking",
            platform=edge.platform,
            image=env.image("tracking"),
            port=8080,
            health="/healthz",
            host=f"track.{env.domain}",
            scale=Scale(2, 10),
        )
        self.web.connect_to(data.cache)
        self.web.connect_to(data.database, user="tracking")
        self.add_output("url", self.web.url)
