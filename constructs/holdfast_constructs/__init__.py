"""Building blocks for AWS stacks, with the defaults that a careful team would choose.

An app is a HoldfastApp of ServiceStacks, each for one service in one Target. A stack is made of the
constructs named here; all are imported on first use, so that a stack with a Network only does not
read the bindings of a firewall.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING

import holdfast_bindings

if TYPE_CHECKING:
    from holdfast_constructs.app.accepted import accept_difference
    from holdfast_constructs.app.stack import HoldfastApp, ServiceStack
    from holdfast_constructs.app.target import StateBucket, Target
    from holdfast_constructs.compute.cluster import Cluster
    from holdfast_constructs.compute.container_health import ContainerHealth
    from holdfast_constructs.compute.event_consumer import EventConsumer
    from holdfast_constructs.compute.image import Image
    from holdfast_constructs.compute.migrations import Migrations
    from holdfast_constructs.compute.platform import Platform
    from holdfast_constructs.compute.scale import BacklogScale, Scale, ScheduledScale, Size
    from holdfast_constructs.compute.scheduled_job import ScheduledJob
    from holdfast_constructs.compute.sidecar import Sidecar
    from holdfast_constructs.compute.target_health import TargetHealth
    from holdfast_constructs.compute.web_service import WebService
    from holdfast_constructs.compute.worker import Worker, WorkQueue
    from holdfast_constructs.data.database import Postgres
    from holdfast_constructs.data.imported_database import ImportedPostgres
    from holdfast_constructs.edge.firewall import Firewall
    from holdfast_constructs.edge.load_balancer import LoadBalancer
    from holdfast_constructs.errors import ConstructError
    from holdfast_constructs.naming import aws_name
    from holdfast_constructs.network.connections import Connectable, connect
    from holdfast_constructs.network.imported_network import ImportedNetwork, VpcNetwork
    from holdfast_constructs.network.network import Network
    from holdfast_constructs.security.access import Access, Grantee, OffersAccess
    from holdfast_constructs.security.keys import EncryptionKey, ImportedKey, Key
    from holdfast_constructs.security.plain import Plain
    from holdfast_constructs.security.policy import Condition, Statement

    Gateway, Keys = LoadBalancer, Key

__all__ = [
    "Access",
    "BacklogScale",
    "Cluster",
    "Condition",
    "Connectable",
    "ConstructError",
    "ContainerHealth",
    "EncryptionKey",
    "EventConsumer",
    "Firewall",
    "Grantee",
    "HoldfastApp",
    "Image",
    "ImportedKey",
    "ImportedNetwork",
    "ImportedPostgres",
    "Key",
    "LoadBalancer",
    "Migrations",
    "Network",
    "OffersAccess",
    "Plain",
    "Platform",
    "Postgres",
    "Scale",
    "ScheduledJob",
    "ScheduledScale",
    "ServiceStack",
    "Sidecar",
    "Size",
    "StateBucket",
    "Statement",
    "Target",
    "TargetHealth",
    "VpcNetwork",
    "WebService",
    "WorkQueue",
    "Worker",
    "accept_difference",
    "aws_name",
    "connect",
]

_HOMES = {
    "Access": "security.access",
    "Condition": "security.policy",
    "Grantee": "security.access",
    "OffersAccess": "security.access",
    "Statement": "security.policy",
    "aws_name": "naming",
    "accept_difference": "app.accepted",
    "BacklogScale": "compute.scale",
    "Cluster": "compute.cluster",
    "ContainerHealth": "compute.container_health",
    "Connectable": "network.connections",
    "ConstructError": "errors",
    "EventConsumer": "compute.event_consumer",
    "Firewall": "edge.firewall",
    "LoadBalancer": "edge.load_balancer",
    "HoldfastApp": "app.stack",
    "Image": "compute.image",
    "EncryptionKey": "security.keys",
    "ImportedKey": "security.keys",
    "ImportedNetwork": "network.imported_network",
    "ImportedPostgres": "data.imported_database",
    "Key": "security.keys",
    "Migrations": "compute.migrations",
    "Network": "network.network",
    "Plain": "security.plain",
    "Platform": "compute.platform",
    "Postgres": "data.database",
    "Scale": "compute.scale",
    "ScheduledJob": "compute.scheduled_job",
    "ScheduledScale": "compute.scale",
    "ServiceStack": "app.stack",
    "Sidecar": "compute.sidecar",
    "Size": "compute.scale",
    "StateBucket": "app.target",
    "Target": "app.target",
    "TargetHealth": "compute.target_health",
    "VpcNetwork": "network.imported_network",
    "WebService": "compute.web_service",
    "WorkQueue": "compute.worker",
    "Worker": "compute.worker",
    "connect": "network.connections",
}

# Names of the previous version; the next version removes them.
_RENAMED = {"Gateway": "LoadBalancer", "Keys": "Key"}

# This must run before anything below imports the AWS bindings.
holdfast_bindings.install()


def __getattr__(name: str) -> object:
    if name in _RENAMED:
        new = _RENAMED[name]
        warnings.warn(
            f"{__name__}.{name} is now {new}; the next version does not have the old name",
            DeprecationWarning,
            stacklevel=2,
        )
        return globals().get(new) or __getattr__(new)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
