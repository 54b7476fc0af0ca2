"""Rules of production: nothing alone, no plain HTTP from outside, nothing that may change by itself."""

from collections.abc import Iterator

from holdfast_constructs.app.target import LOG_RETENTION_DAYS
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import Fault

TASKS = 2
BACKUP_DAYS = 7
# AWS Security Hub, control CloudWatch.16.
LOG_DAYS = 365


def not_on_the_local_cloud(env: Environment) -> Iterator[Fault]:
    """Production is a real account."""
    if env.local:
        got = "production = true and local = true"
        yield Fault(
            ("production",), "cannot be on the local cloud", got, "one of the two", "remove one of them"
        )


def data_is_kept(env: Environment) -> Iterator[Fault]:
    """Nothing that holds data goes without a snapshot."""
    if not env.keep_data:
        what = "would let data go with its stack"
        yield Fault(("keep_data",), what, "false", "true in production", "remove the line")


def a_task_may_fail(env: Environment) -> Iterator[Fault]:
    """Each service runs more than one task."""
    for name, service in env.web_services().items():
        if service.min_tasks < TASKS:
            yield Fault(
                ("services", name, "min_tasks"),
                "is too little for production",
                str(service.min_tasks),
                f"{TASKS}-5000 in production, so that one may fail while the others serve",
                "raise it",
            )


def databases_have_a_standby(env: Environment) -> Iterator[Fault]:
    """No database lives in one zone only."""
    for name, database in env.databases().items():
        if database.multi_az is False:
            path = ("services", name, "database", "multi_az")
            what = "leaves a production database without a standby"
            yield Fault(path, what, "false", "true in production", "remove the line")


def nothing_in_plain_text(env: Environment) -> Iterator[Fault]:
    """The gateway speaks HTTPS."""
    if not env.gateway.tls:
        yield Fault(
            ("gateway", "tls"),
            "would send everything in plain text",
            "false",
            "true in production",
            "remove the line, and give the gateway a zone_id or certificates",
        )


def a_way_out_may_fail(env: Environment) -> Iterator[Fault]:
    """No zone needs another one's NAT gateway."""
    if env.network.nat == "single":
        yield Fault(
            ("network", "nat"),
            "would leave every zone without a way out when one fails",
            "'single'",
            "per_az in production, or none",
            "remove the line",
        )


def the_firewall_is_thought_of(env: Environment) -> Iterator[Fault]:
    """Whether the firewall blocks or only counts is somebody's decision."""
    if "mode" not in env.firewall.model_fields_set:
        yield Fault(
            ("firewall", "mode"),
            "is missing, so that the firewall would block nothing",
            "nothing",
            "block or count, written down in production",
            'add mode = "block" below [firewall], or "count" while you learn what it would block',
        )


def logs_outlast_a_year(env: Environment) -> Iterator[Fault]:
    """What happened can be looked up for a year: logs of services, firewall, network and load balancer."""
    if env.logs.retention_days < LOG_DAYS:
        yield Fault(
            ("logs", "retention_days"),
            "is too little for production",
            str(env.logs.retention_days),
            "one of " + ", ".join(str(days) for days in LOG_RETENTION_DAYS if days >= LOG_DAYS),
            "raise it, or remove the line",
        )


def images_are_pinned(env: Environment) -> Iterator[Fault]:
    """What was tested is what runs."""
    for name, service in env.web_services().items():
        if "@sha256:" not in service.image:
            yield Fault(
                ("services", name, "image"),
                "is a tag, which may be another image tomorrow",
                repr(service.image),
                "repository@sha256:<64 hex digits> in production",
                "take the digest the registry shows for it",
            )


def databases_keep_a_week(env: Environment) -> Iterator[Fault]:
    """A mistake found after the weekend can be undone."""
    for name, database in env.databases().items():
        if database.backup_days < BACKUP_DAYS:
            yield Fault(
                ("services", name, "database", "backup_days"),
                "is too little for production",
                str(database.backup_days),
                f"{BACKUP_DAYS}-35 in production",
                "raise it",
            )


RULES = (
    not_on_the_local_cloud,
    data_is_kept,
    a_task_may_fail,
    databases_have_a_standby,
    databases_keep_a_week,
    nothing_in_plain_text,
    a_way_out_may_fail,
    the_firewall_is_thought_of,
    logs_outlast_a_year,
    images_are_pinned,
)
