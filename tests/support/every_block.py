"""One of each public block, on a target of production: what holds for all blocks is tried on these."""

from holdfast_constructs import (
    BacklogScale,
    Bucket,
    Cache,
    Cluster,
    EventConsumer,
    Firewall,
    Generated,
    HoldfastApp,
    Image,
    Key,
    LoadBalancer,
    Network,
    Parameter,
    Platform,
    Postgres,
    Queue,
    Repository,
    Scale,
    ScheduledJob,
    Secret,
    ServiceStack,
    Target,
    Topic,
    WebService,
    Worker,
)

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
