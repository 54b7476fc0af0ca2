"""Where requests come in, and the cluster that the services run on."""

from holdfast_constructs import Cluster, Firewall, HoldfastApp, LoadBalancer, Platform, ServiceStack
from parcels.environments import Environment
from parcels.network import Network


class Edge(ServiceStack):
    """The firewall, the load balancer and the cluster; `platform` is what a service needs of them."""

    def __init__(self, app: HoldfastApp, env: Environment, base: Network) -> None:
        super().__init__(app, "edge", env.target)
        gateway = LoadBalancer(
            self,
            "gateway",
            network=base.network,
            domain=env.domain,
            zone_id=env.zone_id,
            wildcard_record=False,
            firewall=Firewall(self, "firewall", logs_key=base.logs_key, mode="block"),
        )
        cluster = Cluster(self, "cluster", logs_key=base.logs_key, network=base.network)
        self.platform = Platform(
            network=base.network, gateway=gateway, cluster=cluster, logs_key=base.logs_key
        )
        self.add_output("address", gateway.dns_name)
