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
    from holdfast_constructs.compute.image import Image, ImageRepository
    from holdfast_constructs.compute.migrations import Migrations
    from holdfast_constructs.compute.platform import Platform
    from holdfast_constructs.compute.repository import ImportedRepository, Repository
    from holdfast_constructs.compute.scale import BacklogScale, Scale, ScheduledScale, Size
    from holdfast_constructs.compute.scheduled_job import ScheduledJob
    from holdfast_constructs.compute.sidecar import Sidecar
    from holdfast_constructs.compute.target_health import TargetHealth
    from holdfast_constructs.compute.web_service import WebService
    from holdfast_constructs.compute.worker import Worker, WorkQueue
    from holdfast_constructs.data.cache import Cache, ImportedCache
    from holdfast_constructs.data.database import Postgres
    from holdfast_constructs.data.imported_database import ImportedPostgres
    from holdfast_constructs.edge.domain import Domain
    from holdfast_constructs.edge.firewall import Firewall
    from holdfast_constructs.edge.firewall_exception import FirewallException
    from holdfast_constructs.edge.imported_load_balancer import ApplicationLoadBalancer, ImportedLoadBalancer
    from holdfast_constructs.edge.load_balancer import LoadBalancer
    from holdfast_constructs.edge.load_balancer_quotas import LoadBalancerQuotas
    from holdfast_constructs.edge.rate_limit import RateLimit
    from holdfast_constructs.errors import ConstructError
    from holdfast_constructs.messaging.queue import ImportedQueue, Queue
    from holdfast_constructs.messaging.topic import ImportedTopic, Topic
    from holdfast_constructs.naming import aws_name
    from holdfast_constructs.network.connections import Connectable, connect
    from holdfast_constructs.network.imported_network import ImportedNetwork, VpcNetwork
    from holdfast_constructs.network.network import Network
    from holdfast_constructs.security.access import Access, Grantee, OffersAccess
    from holdfast_constructs.security.keys import EncryptionKey, ImportedKey, Key
    from holdfast_constructs.security.parameter import ImportedParameter, Parameter
    from holdfast_constructs.security.plain import Plain
    from holdfast_constructs.security.policy import Condition, Statement
    from holdfast_constructs.security.secret import Generated, ImportedSecret, Secret
    from holdfast_constructs.security.secret_value import SecretValue
    from holdfast_constructs.storage.bucket import Bucket, ImportedBucket

    Gateway, Keys = LoadBalancer, Key

__all__ = [
    "Access",
    "ApplicationLoadBalancer",
    "BacklogScale",
    "Bucket",
    "Cache",
    "Cluster",
    "Condition",
    "Connectable",
    "ConstructError",
    "ContainerHealth",
    "Domain",
    "EncryptionKey",
    "EventConsumer",
    "Firewall",
    "FirewallException",
    "Generated",
    "Grantee",
    "HoldfastApp",
    "Image",
    "ImageRepository",
    "ImportedBucket",
    "ImportedCache",
    "ImportedKey",
    "ImportedLoadBalancer",
    "ImportedNetwork",
    "ImportedParameter",
    "ImportedPostgres",
    "ImportedQueue",
    "ImportedRepository",
    "ImportedSecret",
    "ImportedTopic",
    "Key",
    "LoadBalancer",
    "LoadBalancerQuotas",
    "Migrations",
    "Network",
    "OffersAccess",
    "Parameter",
    "Plain",
    "Platform",
    "Postgres",
    "Queue",
    "RateLimit",
    "Repository",
    "Scale",
    "ScheduledJob",
    "ScheduledScale",
    "Secret",
    "SecretValue",
    "ServiceStack",
    "Sidecar",
    "Size",
    "StateBucket",
    "Statement",
    "Target",
    "TargetHealth",
    "Topic",
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
    "ApplicationLoadBalancer": "edge.imported_load_balancer",
    "BacklogScale": "compute.scale",
    "Bucket": "storage.bucket",
    "Cache": "data.cache",
    "Cluster": "compute.cluster",
    "Condition": "security.policy",
    "Connectable": "network.connections",
    "ConstructError": "errors",
    "EventConsumer": "compute.event_consumer",
    "ContainerHealth": "compute.container_health",
    "Domain": "edge.domain",
    "EncryptionKey": "security.keys",
    "Firewall": "edge.firewall",
    "FirewallException": "edge.firewall_exception",
    "Generated": "security.secret",
    "Grantee": "security.access",
    "HoldfastApp": "app.stack",
    "Image": "compute.image",
    "ImageRepository": "compute.image",
    "ImportedBucket": "storage.bucket",
    "ImportedCache": "data.cache",
    "ImportedKey": "security.keys",
    "ImportedLoadBalancer": "edge.imported_load_balancer",
    "ImportedNetwork": "network.imported_network",
    "ImportedParameter": "security.parameter",
    "ImportedPostgres": "data.imported_database",
    "ImportedQueue": "messaging.queue",
    "ImportedRepository": "compute.repository",
    "ImportedSecret": "security.secret",
    "ImportedTopic": "messaging.topic",
    "Key": "security.keys",
    "LoadBalancer": "edge.load_balancer",
    "LoadBalancerQuotas": "edge.load_balancer_quotas",
    "Migrations": "compute.migrations",
    "Network": "network.network",
    "OffersAccess": "security.access",
    "Parameter": "security.parameter",
    "Plain": "security.plain",
    "Platform": "compute.platform",
    "Postgres": "data.database",
    "Queue": "messaging.queue",
    "RateLimit": "edge.rate_limit",
    "Repository": "compute.repository",
    "Scale": "compute.scale",
    "ScheduledJob": "compute.scheduled_job",
    "ScheduledScale": "compute.scale",
    "Secret": "security.secret",
    "SecretValue": "security.secret_value",
    "ServiceStack": "app.stack",
    "Sidecar": "compute.sidecar",
    "Size": "compute.scale",
    "StateBucket": "app.target",
    "Statement": "security.policy",
    "Target": "app.target",
    "TargetHealth": "compute.target_health",
    "Topic": "messaging.topic",
    "VpcNetwork": "network.imported_network",
    "WebService": "compute.web_service",
    "WorkQueue": "compute.worker",
    "Worker": "compute.worker",
    "accept_difference": "app.accepted",
    "aws_name": "naming",
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
