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
    from holdfast_constructs.compute.imported_cluster import (
        ClusterCalls,
        ExecAudit,
        ImportedCluster,
        ServiceCluster,
    )
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
    from holdfast_constructs.observability.alarm import Alarm, CompositeAlarm
    from holdfast_constructs.observability.alarm_rule import AlarmRule
    from holdfast_constructs.observability.alerts import Alerts
    from holdfast_constructs.observability.cache_alarms import CacheAlarms
    from holdfast_constructs.observability.dashboard import Dashboard, environment_widgets, service_widgets
    from holdfast_constructs.observability.database_alarms import DatabaseAlarms
    from holdfast_constructs.observability.firewall_alarms import FirewallAlarms
    from holdfast_constructs.observability.load_balancer_alarms import LoadBalancerAlarms
    from holdfast_constructs.observability.metrics import Expression, Metric
    from holdfast_constructs.observability.queue_alarms import QueueAlarms
    from holdfast_constructs.observability.responsibility import Escalation, Owner, Step
    from holdfast_constructs.observability.routes import EmailRoute, HttpsRoute, QueueRoute, SlackRoute
    from holdfast_constructs.observability.scheduled_job_alarms import ScheduledJobAlarms
    from holdfast_constructs.observability.slo import Slo
    from holdfast_constructs.observability.slo_alarms import SloAlarms
    from holdfast_constructs.observability.threshold import Threshold
    from holdfast_constructs.observability.web_service_alarms import WebServiceAlarms
    from holdfast_constructs.observability.widgets import AlarmStatus, Graph, LogTable, Number, Text
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
    "Alarm",
    "AlarmRule",
    "AlarmStatus",
    "Alerts",
    "ApplicationLoadBalancer",
    "BacklogScale",
    "Bucket",
    "Cache",
    "CacheAlarms",
    "Cluster",
    "ClusterCalls",
    "CompositeAlarm",
    "Condition",
    "Connectable",
    "ConstructError",
    "ContainerHealth",
    "Dashboard",
    "DatabaseAlarms",
    "Domain",
    "EmailRoute",
    "EncryptionKey",
    "Escalation",
    "EventConsumer",
    "ExecAudit",
    "Expression",
    "Firewall",
    "FirewallAlarms",
    "FirewallException",
    "Generated",
    "Grantee",
    "Graph",
    "HoldfastApp",
    "HttpsRoute",
    "Image",
    "ImageRepository",
    "ImportedBucket",
    "ImportedCache",
    "ImportedCluster",
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
    "LoadBalancerAlarms",
    "LoadBalancerQuotas",
    "LogTable",
    "Metric",
    "Migrations",
    "Network",
    "Number",
    "OffersAccess",
    "Owner",
    "Parameter",
    "Plain",
    "Platform",
    "Postgres",
    "Queue",
    "QueueAlarms",
    "QueueRoute",
    "RateLimit",
    "Repository",
    "Scale",
    "ScheduledJob",
    "ScheduledJobAlarms",
    "ScheduledScale",
    "Secret",
    "SecretValue",
    "ServiceCluster",
    "ServiceStack",
    "Sidecar",
    "Size",
    "SlackRoute",
    "Slo",
    "SloAlarms",
    "StateBucket",
    "Statement",
    "Step",
    "Target",
    "TargetHealth",
    "Text",
    "Threshold",
    "Topic",
    "VpcNetwork",
    "WebService",
    "WebServiceAlarms",
    "WorkQueue",
    "Worker",
    "accept_difference",
    "aws_name",
    "connect",
    "environment_widgets",
    "service_widgets",
]

_HOMES = {
    "Access": "security.access",
    "Alarm": "observability.alarm",
    "AlarmRule": "observability.alarm_rule",
    "AlarmStatus": "observability.widgets",
    "Alerts": "observability.alerts",
    "ApplicationLoadBalancer": "edge.imported_load_balancer",
    "BacklogScale": "compute.scale",
    "Bucket": "storage.bucket",
    "Cache": "data.cache",
    "CacheAlarms": "observability.cache_alarms",
    "Cluster": "compute.cluster",
    "ClusterCalls": "compute.imported_cluster",
    "CompositeAlarm": "observability.alarm",
    "Condition": "security.policy",
    "Connectable": "network.connections",
    "ConstructError": "errors",
    "ContainerHealth": "compute.container_health",
    "Dashboard": "observability.dashboard",
    "DatabaseAlarms": "observability.database_alarms",
    "Domain": "edge.domain",
    "EmailRoute": "observability.routes",
    "EncryptionKey": "security.keys",
    "Escalation": "observability.responsibility",
    "ExecAudit": "compute.imported_cluster",
    "EventConsumer": "compute.event_consumer",
    "Expression": "observability.metrics",
    "Firewall": "edge.firewall",
    "FirewallAlarms": "observability.firewall_alarms",
    "FirewallException": "edge.firewall_exception",
    "Generated": "security.secret",
    "Grantee": "security.access",
    "Graph": "observability.widgets",
    "HoldfastApp": "app.stack",
    "HttpsRoute": "observability.routes",
    "Image": "compute.image",
    "ImageRepository": "compute.image",
    "ImportedBucket": "storage.bucket",
    "ImportedCache": "data.cache",
    "ImportedCluster": "compute.imported_cluster",
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
    "LoadBalancerAlarms": "observability.load_balancer_alarms",
    "LoadBalancerQuotas": "edge.load_balancer_quotas",
    "LogTable": "observability.widgets",
    "Metric": "observability.metrics",
    "Migrations": "compute.migrations",
    "Network": "network.network",
    "Number": "observability.widgets",
    "OffersAccess": "security.access",
    "Owner": "observability.responsibility",
    "Parameter": "security.parameter",
    "Plain": "security.plain",
    "Platform": "compute.platform",
    "Postgres": "data.database",
    "Queue": "messaging.queue",
    "QueueAlarms": "observability.queue_alarms",
    "QueueRoute": "observability.routes",
    "RateLimit": "edge.rate_limit",
    "Repository": "compute.repository",
    "Scale": "compute.scale",
    "ScheduledJob": "compute.scheduled_job",
    "ScheduledJobAlarms": "observability.scheduled_job_alarms",
    "ScheduledScale": "compute.scale",
    "Secret": "security.secret",
    "SecretValue": "security.secret_value",
    "ServiceCluster": "compute.imported_cluster",
    "ServiceStack": "app.stack",
    "Sidecar": "compute.sidecar",
    "Size": "compute.scale",
    "SlackRoute": "observability.routes",
    "Slo": "observability.slo",
    "SloAlarms": "observability.slo_alarms",
    "StateBucket": "app.target",
    "Statement": "security.policy",
    "Step": "observability.responsibility",
    "Target": "app.target",
    "TargetHealth": "compute.target_health",
    "Text": "observability.widgets",
    "Threshold": "observability.threshold",
    "Topic": "messaging.topic",
    "VpcNetwork": "network.imported_network",
    "WebService": "compute.web_service",
    "WebServiceAlarms": "observability.web_service_alarms",
    "WorkQueue": "compute.worker",
    "Worker": "compute.worker",
    "accept_difference": "app.accepted",
    "aws_name": "naming",
    "connect": "network.connections",
    "environment_widgets": "observability.dashboard",
    "service_widgets": "observability.dashboard",
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
