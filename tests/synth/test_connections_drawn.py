"""connections.json has every connection of an app, whatever its shape, and `graph --connections` draws it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from constructs import Construct

from holdfast_constructs import (
    BacklogScale,
    Bucket,
    Cache,
    Cluster,
    EventConsumer,
    Firewall,
    HoldfastApp,
    Image,
    Key,
    LoadBalancer,
    Network,
    Platform,
    Postgres,
    Queue,
    Scale,
    ScheduledJob,
    Secret,
    ServiceStack,
    Topic,
    WebService,
    Worker,
)
from holdfast_constructs.testing import Synthesis, sample_target, synthesize_into
from holdfast_orchestrator.app.connections import Connection, read_connections
from holdfast_orchestrator.report.connections_text import as_dot, as_mermaid, as_text

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
IMAGE = Image.digest("210987654321.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:" + "0" * 64)
PLACE = "-prod-eu-west-1"


class Mail(Construct):
    """A block of somebody's own: a topic, and a queue that gets its messages."""

    def __init__(self, scope: Construct, id_: str, key: Key) -> None:
        super().__init__(scope, id_)
        self.topic = Topic(self, "news", key=key)
        self.queue = Queue(self, "letters", key=key)
        self.topic.subscribe(self.queue)


def build(app: HoldfastApp) -> None:
    """Everything that connects, in few stacks, some of it in a block of somebody's own."""
    target = sample_target()
    base = ServiceStack(app, "base", target)
    logs, data, messages = (Key(base, each, purpose=each) for each in ("logs", "data", "messages"))
    network = Network(base, "main", cidr="10.40.0.0/16", nat="per_az", logs_key=logs)
    firewall = Firewall(base, "firewall", logs_key=logs, mode="block")
    gateway = LoadBalancer(
        base, "gateway", network=network, domain="example.com", zone_id="Z123", firewall=firewall
    )
    cluster = Cluster(base, "cluster", logs_key=logs, network=network)
    platform = Platform(network=network, gateway=gateway, cluster=cluster, logs_key=logs)
    token = Secret(base, "token", key=data)
    database = Postgres(
        base,
        "db",
        network=network,
        key=data,
        logs_key=logs,
        instance_class="db.r6g.large",
        storage_gib=100,
        multi_az=True,
        backup_days=14,
    )
    cache = Cache(base, "cache", network=network, key=data, logs_key=logs)
    shop = ServiceStack(app, "shop", target)
    mail, files = Mail(shop, "mail", messages), Bucket(shop, "files", key=data)
    services = [
        WebService(
            ServiceStack(app, name, target),
            "api",
            platform=platform,
            image=IMAGE,
            port=8080,
            health="/",
            host=f"{name}.example.com",
            scale=Scale(2, 4),
            secrets={"TOKEN": token.arn} if name == "orders" else {},
        )
        for name in ("orders", "billing")
    ]
    services[0].connect_to(services[1])
    services[1].connect_to(services[0])
    services[0].connect_to(database, user="orders")
    services[0].connect_to(cache)
    worker = Worker(
        shop, "worker", platform=platform, image=IMAGE, queue=mail.queue, scale=BacklogScale(2, 4)
    )
    files.grant_read(worker)
    job = ScheduledJob(shop, "nightly", platform=platform, image=IMAGE, schedule="cron(0 3 * * ? *)")
    mail.topic.grant_publish(job)
    files.grant_read_write(job)
    consumer = EventConsumer(
        shop,
        "uploads",
        platform=platform,
        image=IMAGE,
        pattern={"source": ["aws.s3"]},
        scale=BacklogScale(2, 4),
    )
    consumer.connect_to(mail.queue, prefix="LETTERS")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    return synthesize_into(tmp_path_factory.mktemp("connected"), build)


@pytest.fixture(scope="module")
def connections(app: Synthesis) -> tuple[Connection, ...]:
    return read_connections(app.outdir, app.templates)


def test_every_way_to_connect_is_drawn(connections: tuple[Connection, ...]) -> None:
    assert sorted(map(_shown, connections)) == sorted(
        [
            "internet --> base/gateway 443",
            "base/gateway --> billing/api 8080",
            "base/gateway --> orders/api 8080",
            "billing/api --> orders/api call 8080",
            "orders/api --> billing/api call 8080",
            "orders/api <-> base/db log in 5432",
            "orders/api <-> base/cache log in 6379",
            "orders/api <-- base/token read",
            "shop/mail/news --> shop/mail/letters deliver",
            "shop/worker <-- shop/mail/letters consume",
            "shop/worker <-- shop/files read",
            "shop/nightly --> shop/mail/news publish",
            "shop/nightly <-> shop/files read write",
            "cron(0 3 * * ? *) --> shop/nightly start",
            "default --> shop/uploads deliver",
            "shop/uploads --> shop/mail/letters send",
        ]
    )


def test_every_rule_of_a_security_group_between_blocks_is_drawn(
    app: Synthesis, connections: tuple[Connection, ...]
) -> None:
    drawn = {(each.client.stack, each.client.id, port) for each in connections for port in each.ports}
    rules = list(_ways_out(app))

    assert len(rules) == 4
    assert [rule for rule in rules if rule not in drawn] == []


def test_a_stack_is_chosen_with_what_it_talks_to(app: Synthesis) -> None:
    chosen = read_connections(app.outdir, [f"billing{PLACE}"])

    assert sorted(map(_shown, chosen)) == [
        "base/gateway --> billing/api 8080",
        "billing/api --> orders/api call 8080",
        "orders/api --> billing/api call 8080",
    ]


def test_the_drawing_for_people_has_80_columns_and_every_name(connections: tuple[Connection, ...]) -> None:
    text = as_text(connections)

    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("in prod-eu-west-1\n")
    assert "  <-> base/db " in text
    assert text.endswith("16 connections between 15 blocks")


def test_the_drawings_for_programs_have_each_connection_once(connections: tuple[Connection, ...]) -> None:
    dot, mermaid = as_dot(connections), as_mermaid(connections)

    assert dot.count(" -> ") == mermaid.count("-->") == len(connections)
    assert dot.count("dir=both") == mermaid.count("<-->") == 3
    assert dot.count("{") == dot.count("}") == 1 + 4
    assert mermaid.count("subgraph") == mermaid.count("\n  end") == 4


def test_an_app_of_roles_and_parts_is_drawn_too(tmp_path: Path) -> None:
    command = [sys.executable, str(FIXTURES / "parts_app" / "main.py")]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CDKTF_OUTDIR": str(tmp_path / "out"),
    }
    subprocess.run(command, cwd=tmp_path, env=environ, check=True, capture_output=True)

    names = [f"{name}-local-eu-west-1" for name in ("base", "events", "parts")]
    shown = [_shown(each, "-local-eu-west-1") for each in read_connections(tmp_path / "out", names)]

    assert sorted(shown) == sorted(
        [
            "events/orders --> parts/jobs deliver",
            "parts/user --> events/orders publish",
            "parts/user <-> parts/files read write",
            "parts/user <-- parts/flags read",
            "parts/user --> parts/jobs send",
            "parts/user <-- parts/line consume",
            "parts/user <-- parts/session read",
            "parts/user <-- parts/stripe read",
            "parts/user <-> parts/web pull push",
        ]
    )


def test_the_file_is_the_same_for_the_same_app(app: Synthesis, tmp_path: Path) -> None:
    again = synthesize_into(tmp_path, build)

    assert (again.outdir / "connections.json").read_bytes() == (app.outdir / "connections.json").read_bytes()


def _shown(connection: Connection, place: str = PLACE) -> str:
    ends = [
        end.id if end.stack is None else f"{end.stack.removesuffix(place)}/{end.id}"
        for end in (connection.client, connection.server)
    ]
    arrow = {"out": "-->", "in": "<--", "both": "<->"}[connection.direction]
    return " ".join([ends[0], arrow, ends[1], *connection.permissions, *map(str, connection.ports)])


def _ways_out(app: Synthesis) -> Iterator[tuple[str, str, int]]:
    """The stack, the block and the port of each rule that lets a block reach another's security group."""
    for file in sorted(app.outdir.glob("stacks/*/cdk.tf.json")):
        document: dict[str, Any] = json.loads(file.read_bytes())
        for rule in document["resource"].get("aws_vpc_security_group_egress_rule", {}).values():
            _, block, part, *_ = rule["//"]["metadata"]["path"].split("/")
            if "referenced_security_group_id" in rule and not part.startswith("gateway-to-"):
                yield file.parent.name, block, rule["to_port"]
