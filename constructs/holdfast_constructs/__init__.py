"""Building blocks for AWS stacks: what holds on, with the defaults a careful team would choose.

An app is a HoldfastApp of ServiceStacks, each for one service in one Target. A stack is made of the
constructs named here; all are imported on first use, so that a stack with a Network only does not
read the bindings of a firewall.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from holdfast_constructs import _bindings

if TYPE_CHECKING:
    from holdfast_constructs.accepted import accept_difference
    from holdfast_constructs.cluster import Cluster
    from holdfast_constructs.connections import Connectable, connect
    from holdfast_constructs.database import Postgres
    from holdfast_constructs.errors import ConstructError
    from holdfast_constructs.firewall import Firewall
    from holdfast_constructs.image import Image
    from holdfast_constructs.imported_network import ImportedNetwork, VpcNetwork
    from holdfast_constructs.keys import Keys
    from holdfast_constructs.load_balancer import Gateway
    from holdfast_constructs.network import Network
    from holdfast_constructs.platform import Platform
    from holdfast_constructs.scale import Scale, Size
    from holdfast_constructs.stack import HoldfastApp, ServiceStack
    from holdfast_constructs.target import StateBucket, Target
    from holdfast_constructs.web_service import WebService

__all__ = [
    "Cluster",
    "Connectable",
    "ConstructError",
    "Firewall",
    "Gateway",
    "HoldfastApp",
    "Image",
    "ImportedNetwork",
    "Keys",
    "Network",
    "Platform",
    "Postgres",
    "Scale",
    "ServiceStack",
    "Size",
    "StateBucket",
    "Target",
    "VpcNetwork",
    "WebService",
    "accept_difference",
    "connect",
]

_HOMES = {
    "accept_difference": "accepted",
    "Cluster": "cluster",
    "Connectable": "connections",
    "ConstructError": "errors",
    "Firewall": "firewall",
    "Gateway": "load_balancer",
    "HoldfastApp": "stack",
    "Image": "image",
    "ImportedNetwork": "imported_network",
    "Keys": "keys",
    "Network": "network",
    "Platform": "platform",
    "Postgres": "database",
    "Scale": "scale",
    "ServiceStack": "stack",
    "Size": "scale",
    "StateBucket": "target",
    "Target": "target",
    "VpcNetwork": "imported_network",
    "WebService": "web_service",
    "connect": "connections",
}

# Before anything below imports the AWS bindings, or it is too late.
_bindings.install()


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
