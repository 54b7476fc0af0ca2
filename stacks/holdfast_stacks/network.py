"""The network of a site, and the key that encrypts its logs. Everything else depends on it."""

from constructs import Construct

from holdfast_constructs import Key, ServiceStack
from holdfast_constructs.network.network import Network as Vpc
from holdfast_constructs.project import Site, shared


@shared("network")
class Network(ServiceStack):
    """A VPC across the site's zones."""

    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "network", site.target)
        self.logs_key = Key(self, "logs-key", purpose="logs")
        self.network = Vpc(
            self,
            "network",
            cidr=site.cidr,
            nat=site.env.network.nat,
            private_endpoints=site.env.network.private_endpoints,
            logs_key=self.logs_key,
        )
        self.add_output("vpc_id", self.network.vpc_id)
