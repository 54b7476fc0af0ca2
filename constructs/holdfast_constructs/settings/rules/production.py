"""Rules of production: nothing alone, no plain HTTP from outside, nothing that may change by itself."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from holdfast_constructs.app import production
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import Fault, allowed_by

TASKS = 2


def not_on_the_local_cloud(env: Environment) -> Iterator[Fault]:
    """Production is a real account."""
    got = "production = true and local = true"
    for fault in _refused(partial(production.check_local, local=env.local), ("production",), got):
        yield replace(fault, what="cannot be on the local cloud", allowed="one of the two")


def data_is_kept(env: Environment) -> Iterator[Fault]:
    """Nothing that holds data goes without a snapshot."""
    check = partial(production.check_kept, delete_protection=env.keep_data)
    for fault in _refused(check, ("keep_data",), "false"):
        yield replace(fault, what="would let data go with its stack")


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
    for name, database in env.every_database().items():
        check = partial(production.check_standby, env.name, multi_az=env.survives_a_zone(database))
        for fault in _refused(check, ("services", name, "database", "multi_az"), "false"):
            what = "leaves a production database without a standby"
            yield replace(fault, what=what, allowed="true in production", next_step="remove the line")


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
    nat = env.network.nat
    for fault in _refused(partial(production.check_nat, nat), ("network", "nat"), repr(nat)):
        yield replace(fault, what="would leave every zone without a way out when one fails")


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
    days = env.logs.retention_days
    yield from _refused(partial(production.check_log_days, days), ("logs", "retention_days"), str(days))


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
    for name, database in env.every_database().items():
        days = database.backup_days
        path = ("services", name, "database", "backup_days")
        yield from _refused(partial(production.check_backup_days, days), path, str(days))


def _refused(check: Callable[[], None], path: tuple[str, ...], got: str) -> Iterator[Fault]:
    """Yield a fault of the value at `path` where the rule that the blocks have too refuses it."""
    try:
        check()
    except ConstructError as error:
        what = "is too little for production"
        yield Fault(path, what, got, allowed_by(error), error.next_step or "correct it")


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
