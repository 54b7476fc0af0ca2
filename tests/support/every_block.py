"""One of each public block, on a target of production: what holds for all blocks is tried on these."""

from typing import Any

from holdfast_constructs import (
    Alarm,
    Alerts,
    BacklogScale,
    Bucket,
    Cache,
    CacheAlarms,
    Cluster,
    CompositeAlarm,
    Dashboard,
    DatabaseAlarms,
    EmailRoute,
    EventConsumer,
    Firewall,
    FirewallAlarms,
    Generated,
    HoldfastApp,
    Image,
    Key,
    LoadBalancer,
    LoadBalancerAlarms,
    Metric,
    Network,
    Parameter,
    Platform,
    Postgres,
    Queue,
    QueueAlarms,
    Repository,
    Scale,
    ScheduledJob,
    ScheduledJobAlarms,
    Secret,
    ServiceStack,
    Slo,
    SloAlarms,
    Target,
    Threshold,
    Topic,
    WebService,
    WebServiceAlarms,
    Worker,
    service_widgets,
)
from holdfast_constructs.observability.responsibility import SEVERITIES

IMAGE = Image.digest("210987654321.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:" + "0" * 64)


def build_every_block(app: HoldfastApp, target: Target) -> None:
    """Make a platform, and on it everything else, with what production asks for and no more."""
    platform = _platform(app, target)
    data = ServiceStack(app, "data", target)
    key = Key(data, "key", purpose="data")
    database = Postgres(
        data,
        "orders",
        network=platform.network,
        key=key,
        logs_key=platform.logs_key,
        instance_class="db.r6g.large",
        storage_gib=100,
        max_storage_gib=400,
        multi_az=True,
        backup_days=14,
    )
    service = WebService(
        ServiceStack(app, "orders", target),
        "api",
        platform=platform,
        image=IMAGE,
        port=8080,
        health="/healthz",
        host="orders.example.com",
        scale=Scale(2, 10),
    )
    service.connect_to(database, user="orders")
    messages = Key(data, "messages", purpose="messages")
    queue = Queue(data, "work", key=messages)
    Topic(data, "news", key=messages)
    Bucket(data, "files", key=key)
    Cache(data, "cache", network=platform.network, key=key, logs_key=platform.logs_key)
    Secret(data, "token", key=key, generate=Generated())
    Parameter(data, "level", value="info")
    Repository(data, "images", key=key)
    tasks = ServiceStack(app, "tasks", target)
    Worker(tasks, "worker", platform=platform, image=IMAGE, queue=queue, scale=BacklogScale(2, 10))
    EventConsumer(
        tasks,
        "uploads",
        platform=platform,
        image=IMAGE,
        pattern={"source": ["aws.s3"]},
        scale=BacklogScale(2, 10),
    )
    ScheduledJob(tasks, "nightly", platform=platform, image=IMAGE, schedule="cron(0 3 * * ? *)")
    _observe(ServiceStack(app, "observed", target))


def _observe(stack: ServiceStack) -> None:
    """Make alerts, one of each set of alarms, and a dashboard of them."""
    alerts = Alerts(
        stack,
        "alerts",
        key=Key(stack, "key", purpose="messages"),
        routes={severity: [EmailRoute("oncall@example.com")] for severity in SEVERITIES},
    )
    at: dict[str, Any] = {
        "load_balancer": "app/edge/0123456789abcdef",
        "target_group": "targetgroup/api/0123456789abcdef",
    }
    sets = [
        WebServiceAlarms(stack, "api", alerts=alerts, cluster="main", service="api", **at),
        SloAlarms(stack, "api-slo", alerts=alerts, slo=Slo(availability=99.9, latency_ms=400), **at),
        DatabaseAlarms(stack, "database", alerts=alerts, instance="orders"),
        QueueAlarms(stack, "queue", alerts=alerts, queue="work", dead_letters="work-dead"),
        LoadBalancerAlarms(stack, "edge", alerts=alerts, load_balancer=at["load_balancer"]),
        FirewallAlarms(stack, "firewall", alerts=alerts, web_acl="edge", region="eu-west-1"),
        ScheduledJobAlarms(stack, "job", alerts=alerts, schedule_group="tasks", not_started="not-started"),
        CacheAlarms(stack, "cache", alerts=alerts, nodes=["cache-001"]),
    ]
    when = Threshold(signal=Metric(namespace="Shop", name="Unpaid"), comparison=">", value=10)
    told: dict[str, Any] = {
        "severity": "sev2",
        "runbook": "queue.md",
        "reason": "ten orders an hour are paid late",
    }
    unpaid = Alarm(stack, "unpaid", alerts=alerts, when=when, notify=False, **told)
    CompositeAlarm(stack, "late", alerts=alerts, rule=unpaid.fires, **told)
    Dashboard(stack, "main", widgets=service_widgets(sets))


def _platform(app: HoldfastApp, target: Target) -> Platform:
    base, edge = ServiceStack(app, "network", target), ServiceStack(app, "edge", target)
    logs_key = Key(base, "logs", purpose="logs")
    network = Network(base, "main", cidr="10.40.0.0/16", nat="per_az", logs_key=logs_key)
    firewall = Firewall(edge, "firewall", logs_key=logs_key, mode="block")
    gateway = LoadBalancer(
        edge, "gateway", network=network, domain="example.com", zone_id="Z123", firewall=firewall
    )
    cluster = Cluster(edge, "main", logs_key=logs_key)
    return Platform(network=network, gateway=gateway, cluster=cluster, logs_key=logs_key)
