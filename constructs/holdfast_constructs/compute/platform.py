"""The parts that the services of an environment share, as one value."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

if TYPE_CHECKING:
    from holdfast_constructs.compute.imported_cluster import ServiceCluster
    from holdfast_constructs.edge.imported_load_balancer import ApplicationLoadBalancer
    from holdfast_constructs.network.network import VpcNetwork
    from holdfast_constructs.security.keys import EncryptionKey


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The shared parts of an environment in one region; each may be in a stack of its own.

    `network` is where tasks run, `cluster` where they are scheduled, `logs_key` what their logs are encrypted
    with. `gateway` is the load balancer, which only web services need. Raises ConstructError for a network
    from which no task can reach its image, its secrets and its logs.
    """

    network: "VpcNetwork"
    cluster: "ServiceCluster"
    logs_key: "EncryptionKey"
    gateway: "ApplicationLoadBalancer | None" = None

    def __post_init__(self) -> None:
        missing: tuple[str, ...] = getattr(self.network, "missing_endpoints", ())
        if missing:
            raise ConstructError(
                "private_endpoints",
                got=f"none of {', '.join(missing)}",
                allowed="endpoints for images, secrets and logs of tasks where there is no NAT",
                next_step=f"add {', '.join(missing)} to the network's private_endpoints, or set nat",
            )
