"""What AWS refuses, of every block: refused when the app is built, with the value and what is allowed.

A table for each domain; the tables of properties that go together are in `test_refused_services.py` and, for
queues, topics, buckets, secrets, caches and repositories, in `tests/unit/constructs/test_refused_parts.py`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from holdfast_constructs import (
    BacklogScale,
    Bucket,
    Cache,
    Cluster,
    ConstructError,
    EventConsumer,
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
    Secret,
    ServiceStack,
    Topic,
    WebService,
)
from holdfast_constructs.testing import Synthesis, sample_target

if TYPE_CHECKING:
    from tests.synth.conftest import Site

Build = Callable[["Site"], object]
Table = dict[str, tuple[Build, str]]

IMAGE = Image.digest("210987654321.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:" + "0" * 64)
KEY = "arn:aws:kms:eu-west-1:210987654321:key/x"
THERE = "arn:aws:kms:us-east-1:210987654321:key/x"
REASON: dict[str, Any] = {"no_firewall_because": "the firewall has tests of its own"}


def at(service: str, make: Callable[[ServiceStack], object]) -> Build:
    """Make something in a stack of this name."""
    return lambda site: make(ServiceStack(site.app, service, site.target))


def postgres(**given: Any) -> Callable[["Site"], Postgres]:
    def build(site: "Site") -> Postgres:
        stack = ServiceStack(site.app, given.pop("service", "data"), site.target)
        standard: dict[str, Any] = {
            "network": site.platform.network,
            "key": Key(stack, "key", purpose="data"),
            "logs_key": site.platform.logs_key,
            "instance_class": "db.r6g.large",
            "storage_gib": 100,
            "multi_az": True,
            "backup_days": 14,
        }
        return Postgres(stack, given.pop("id_", "orders"), **(standard | given))

    return build


def cache(**given: Any) -> Build:
    def build(site: "Site") -> Cache:
        stack = ServiceStack(site.app, given.pop("service", "data"), site.target)
        standard: dict[str, Any] = {"network": site.platform.network, "key": KEY, "logs_key": KEY}
        return Cache(stack, given.pop("id_", "sessions"), **(standard | given))

    return build


def gateway(**given: Any) -> Build:
    def build(site: "Site") -> LoadBalancer:
        standard: dict[str, Any] = {"domain": "example.org", "zone_id": "Z123", "firewall": None, **REASON}
        stack = ServiceStack(site.app, given.pop("service", "front"), site.target)
        return LoadBalancer(stack, "gateway", network=site.platform.network, **(standard | given))

    return build


def network(cidr: str) -> Build:
    def build(site: "Site") -> None:
        stack = ServiceStack(site.app, "other", site.target)
        Network(stack, "main", cidr=cidr, nat="per_az", logs_key=site.platform.logs_key)

    return build


def target(**given: Any) -> Build:
    return lambda _: sample_target(**given)


def service(**given: Any) -> Build:
    return lambda site: site.service(**given)


def job(**given: Any) -> Build:
    return lambda site: site.job(**given)


def events(**pattern: Any) -> Build:
    def build(site: "Site") -> None:
        stack = ServiceStack(site.app, "events", site.target)
        EventConsumer(
            stack, "c", platform=site.platform, image=IMAGE, pattern=pattern, scale=BacklogScale(1, 5)
        )

    return build


def too_many_tasks(site: "Site") -> None:
    stack = ServiceStack(site.app, "small", site.target)
    key = site.platform.logs_key
    small = Network(stack, "main", cidr="10.50.0.0/21", nat="per_az", logs_key=key)
    gateway = LoadBalancer(
        stack, "gateway", network=small, domain="example.org", zone_id="Z123", firewall=None, **REASON
    )
    platform = Platform(
        network=small, gateway=gateway, cluster=Cluster(stack, "c", logs_key=key), logs_key=key
    )
    WebService(
        stack,
        "api",
        platform=platform,
        image=IMAGE,
        port=8080,
        health="/",
        host="api.example.org",
        scale=Scale(2, 400),
    )


def one_id_twice(site: "Site") -> None:
    stack = ServiceStack(site.app, "keys", site.target)
    for _ in range(2):
        Key(stack, "key", purpose="data")


def one_stack_twice(site: "Site") -> None:
    for _ in range(2):
        ServiceStack(site.app, "keys", site.target)


def one_output_twice(site: "Site") -> None:
    stack = ServiceStack(site.app, "keys", site.target)
    for _ in range(2):
        stack.add_output("url", "x")


def filtered(**attributes: list[str]) -> Build:
    def build(site: "Site") -> None:
        topic = Topic(ServiceStack(site.app, "topic", site.target), "t", key=KEY)
        topic.subscribe(Queue(ServiceStack(site.app, "queue", site.target), "q"), attributes=attributes)

    return build


def delivering(service: str, source_arn: str) -> Build:
    return at(
        "s", lambda stack: Queue(stack, "q", key=KEY).allow_service("x", service, source_arn=source_arn)
    )


NAMES: Table = {
    "a database that begins with a digit": (postgres(service="1shop"), "begins with a letter, without --"),
    "a database with two hyphens": (postgres(service="a--b"), "begins with a letter, without --"),
    "a database's id with two hyphens": (postgres(id_="a--b"), "begins with a letter, without --"),
    "a cache that begins with a digit": (cache(service="1shop"), "begins with a letter, without --"),
    "a cache with two hyphens": (cache(id_="a--b"), "the name of a cache must be"),
    "a load balancer called internal": (gateway(service="internal"), "does not begin with internal-"),
    "a security group called sg": (
        lambda site: site.service(ServiceStack(site.app, "sg", site.target)),
        "does not begin with sg-",
    ),
    "a bucket in punycode": (at("xn--shop", lambda s: Bucket(s, "b", key=None)), "which S3 keeps"),
    "a bucket of S3's own": (at("sthree", lambda s: Bucket(s, "b", key=None)), "which S3 keeps"),
    "a repository with two hyphens": (at("shop", lambda s: Repository(s, "r--r", key=None)), "without --"),
    "a parameter of AWS": (at("aws", lambda s: Parameter(s, "p", value="x")), "neither aws nor ssm"),
    "a parameter of SSM": (at("ssm-x", lambda s: Parameter(s, "p", value="x")), "neither aws nor ssm"),
    "a secret with two hyphens": (at("s", lambda s: Secret(s, "a--b", key=KEY)), "got 'a--b'"),
    "a repository that is connected to": (
        lambda site: site.service().connect_to(
            Repository(ServiceStack(site.app, "r", site.target), "r", key=None)
        ),
        "Image.of(repository",
    ),
    "two constructs of one id": (one_id_twice, "the id of Key 'key' is taken"),
    "two stacks of one name": (one_stack_twice, "there are two stacks keys-prod-eu-west-1"),
    "two outputs of one name": (one_output_twice, "one that keys-prod-eu-west-1 does not have"),
    "an output with a space": (at("s", lambda s: s.add_output("a b", "x")), "the name of an output"),
    "an output that begins with a digit": (
        at("s", lambda s: s.add_output("1", "x")),
        "the name of an output",
    ),
}
KEYS: Table = {
    "a queue": (at("s", lambda s: Queue(s, "q", key=THERE)), "a key of eu-west-1"),
    "a topic": (at("s", lambda s: Topic(s, "t", key=THERE)), "a key of eu-west-1"),
    "a bucket": (at("s", lambda s: Bucket(s, "b", key=THERE)), "a key of eu-west-1"),
    "a secret": (at("s", lambda s: Secret(s, "x", key=THERE)), "a key of eu-west-1"),
    "a repository": (at("s", lambda s: Repository(s, "r", key=THERE)), "a key of eu-west-1"),
    "a cache": (cache(key=THERE), "a key of eu-west-1"),
    "the logs of a cache": (cache(logs_key=THERE), "a key of eu-west-1"),
    "a certificate of a load balancer": (
        gateway(certificate_arn="arn:aws:acm:us-east-1:210987654321:certificate/x", zone_id=None),
        "a certificate of eu-west-1",
    ),
}
DATA: Table = {
    "a version before the first": (postgres(engine_version="16.0"), "engine_version must be"),
    "a parameter that RDS keeps": (postgres(parameters={"fsync": "0"}), "nobody may change it"),
    "the files of the server": (postgres(parameters={"data_directory": "/x"}), "nobody may change it"),
    "too few connections": (postgres(parameters={"max_connections": "5"}), "6-262,143"),
    "too many connections": (postgres(parameters={"max_connections": "262144"}), "6-262,143"),
    "connections in words": (postgres(parameters={"max_connections": "many"}), "6-262,143"),
    "speed without its size": (postgres(storage_gib=399, iops=12_000), "left out below 400 GiB"),
    "a limit that leaves no room": (postgres(max_storage_gib=109), "110-65536"),
    "windows that overlap": (
        postgres(backup_window="03:00-04:00", maintenance_window="mon:03:30-mon:04:30"),
        "RDS takes none that overlap",
    ),
    "a window of less than half an hour": (postgres(backup_window="03:00-03:20"), "backup_window"),
    "somebody's database without a name": (
        at("s", lambda s: Postgres.import_(s, "x", host="h", security_group_id="sg-1", database="")),
        "the name of the database inside",
    ),
    "a cache's user who is neither on nor off": (cache(users={"app": "~* +@all"}), "'on ~* +@read'"),
    "a cache's user of nonsense": (cache(users={"app": "on hello"}), "'on ~* +@read'"),
    "a cache's user with a password": (cache(users={"app": "on >hunter2 ~*"}), "without passwords"),
    "a cache's user without a password": (cache(users={"app": "on nopass ~*"}), "without passwords"),
    "a cache's 101 users": (cache(users={f"u{n}": "on ~*" for n in range(101)}), "at most 100"),
    "a cache on a size that there is not": (cache(node_type="cache.t4g.large"), "micro, small, medium"),
    "a cache on a generation without TLS": (cache(node_type="cache.m3.medium"), "a generation with TLS"),
    "a cache that evicts in its own way": (
        cache(parameters={"maxmemory-policy": "never"}),
        "one of allkeys-lfu",
    ),
    "a cache's parameter as PostgreSQL writes it": (
        cache(parameters={"maxmemory_policy": "noeviction"}),
        "as Valkey writes it",
    ),
    "a cluster of one shard": (cache(parameters={"cluster-enabled": "yes"}), "not for a cache of one shard"),
    "a cache's empty parameter": (cache(parameters={"timeout": ""}), "must be a value"),
}
EDGE: Table = {
    "a domain with an underscore": (gateway(domain="a_b.com"), "a lower-case domain name"),
    "a domain in capital letters": (gateway(domain="Example.com"), "a lower-case domain name"),
    "a URL": (gateway(domain="https://example.com"), "a lower-case domain name"),
    "a wildcard": (gateway(domain="*.example.com"), "a lower-case domain name"),
    "a top-level domain": (gateway(domain="com"), "a lower-case domain name"),
    "a domain over 253 characters": (gateway(domain=".".join(["a" * 60] * 5)), "a lower-case domain name"),
    "a domain too long for its certificate": (gateway(domain=f"{'a' * 57}.org.com"), "at most 64 characters"),
    "a zone by its name": (gateway(zone_id="example.org"), "the id of a hosted zone"),
    "a certificate by its name": (gateway(certificate_arn="example.org", zone_id=None), "an ARN such as"),
    "the network of the host itself": (network("127.0.0.0/16"), "which EC2 refuses"),
    "the network of the link": (network("169.254.0.0/16"), "which EC2 refuses"),
    "the network of groups": (network("224.0.0.0/16"), "which EC2 refuses"),
    "the network that is none": (network("0.0.0.0/16"), "which EC2 refuses"),
    "more tasks than addresses": (too_many_tasks, "twice as many run during a deploy"),
}
TARGETS: Table = {
    "a tag of AWS": (target(tags={"aws:x": "y"}), "not beginning with aws:"),
    "a tag without a key": (target(tags={"": "y"}), "the key of a tag"),
    "a key that is too long": (target(tags={"k" * 129: "y"}), "the key of a tag"),
    "a value that is too long": (target(tags={"k": "v" * 257}), "at most 256 letters"),
    "a value with other characters": (target(tags={"k": "a;b<c>"}), "at most 256 letters"),
    "too many tags": (target(tags={f"k{n}": "v" for n in range(47)}), "at most 46 beside Holdfast's own"),
    "a role of another account": (
        target(role_arn="arn:aws:iam::999999999999:role/deploy"),
        "a role of the account that is deployed to",
    ),
}
RUNS: Table = {
    "a grace before the start": (service(grace_seconds=-1), "grace_seconds must be 0-2,147,483,647"),
    "a grace of 69 years": (service(grace_seconds=2_147_483_648), "grace_seconds must be 0-2,147,483,647"),
    "an environment of over 64 KB": (service(environment={"A": "x" * 65_536}), "in a task definition"),
    "a variable with the end of a text": (service(environment={"A": "a\0b"}), "a character of the value 0"),
    "the 30th of February, once": (job(schedule="at(2027-02-30T00:00:00)"), "a day that there is"),
    "the 30th of February, each year": (job(schedule="cron(0 0 30 2 ? *)"), "month 2 has no day 30"),
    "the 31st of June, each year": (job(schedule="cron(0 0 31 JUN ? *)"), "month JUN has no day 31"),
}
MESSAGES: Table = {
    "an event pattern that is too long": (events(source=["x" * 2048]), "at most 2,048"),
    "an event compared in no known way": (
        events(source=[{"begins": "x"}]),
        "a value, or one of anything-but",
    ),
    "an event compared in two ways": (events(source=[{"prefix": "a", "suffix": "b"}]), "a value, or one of"),
    "a branch that is no list": (
        events(**{"$or": [{"source": "aws.s3"}], "source": ["aws.s3"]}),
        "a list of what it may be",
    ),
    "deliveries of nobody": (delivering("nobody", "arn:aws:s3:::b"), "a service of AWS, such as"),
    "deliveries of anybody": (delivering("s3.amazonaws.com", "*"), "the ARN of what delivers"),
    "deliveries by a name": (delivering("s3.amazonaws.com", "bucket"), "the ARN of what delivers"),
    "a filter of too many combinations": (
        filtered(a=[str(n) for n in range(12)], b=[str(n) for n in range(13)]),
        "156 combinations",
    ),
    "a parameter that names another": (
        at("s", lambda stack: Parameter(stack, "p", value="{{ssm:x}}")),
        "reads as the name of another",
    ),
}
TABLES = (NAMES, KEYS, DATA, EDGE, TARGETS, RUNS, MESSAGES)
REFUSED = [(name, *row) for table in TABLES for name, row in table.items()]


@pytest.mark.parametrize(("build", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_it_is_refused_when_the_app_is_built_and_said_why(
    on_site: Callable[..., Synthesis], build: Build, words: str
) -> None:
    with pytest.raises(ConstructError) as raised:
        on_site(build)

    assert words in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_the_tables_have_eighty_rows_and_none_twice() -> None:
    assert len(REFUSED) >= 80
    assert len({name for name, *_ in REFUSED}) == len(REFUSED)


def test_two_databases_with_one_id_are_told_apart(on_site: Callable[..., Synthesis]) -> None:
    def build(site: "Site") -> None:
        web = site.service()
        web.connect_to(site.database())
        web.connect_to(postgres(service="billing")(site), prefix="BILLING")

    orders = on_site(build)["orders"]
    [task] = orders.resources("aws_ecs_task_definition").values()

    assert "BILLING_HOST" in task["container_definitions"]
    assert "DATABASE_HOST" in task["container_definitions"]
    rules = [
        each for each in orders.addresses() if "egress_rule" in each and "orders" in each and "5432" in each
    ]
    assert len(rules) == 2


def test_a_text_that_looks_like_an_expression_is_kept_in_a_parameter(
    synthesize: Callable[[Callable[[HoldfastApp], object]], Synthesis],
) -> None:
    def build(app: HoldfastApp) -> None:
        Parameter(ServiceStack(app, "shop", sample_target()), "p", value="${x} %{if}")

    synthesize(build)["shop"].has_resource("aws_ssm_parameter", value="$${x} %%{if}")
