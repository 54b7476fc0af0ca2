"""The network that everything is in, and the key of its logs."""

from holdfast_constructs import HoldfastApp, Key, ServiceStack
from holdfast_constructs import Network as Vpc
from parcels.environments import Environment


class Network(ServiceStack):
    """A VPC in every zone of the environment."""

    def __init__(self, app: HoldfastApp, env: Environment) -> None:
        super().__init__(app, "network", env.target)
        self.logs_key = Key(self, "logs-key", purpose="logs")
        self.network = Vpc(self, "network", cidr="10.80.0.0/16", logs_key=self.logs_key)
