"""Rules of services and their databases."""

from collections.abc import Iterable, Iterator
from functools import partial

from holdfast_constructs.compute._container_rules import check_environment
from holdfast_constructs.compute._fargate_sizes import check_fargate_size
from holdfast_constructs.data._database_rules import Shape, check_pooled_users
from holdfast_constructs.data._parameters import all_parameters
from holdfast_constructs.data._windows import windows
from holdfast_constructs.edge._listener_rules import WILDCARD
from holdfast_constructs.edge.domain import domain_of
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import Fault, allowed_by
from holdfast_constructs.settings.services import Database, Service


def hosts_are_of_a_domain(env: Environment) -> Iterator[Fault]:
    """A host is one that the gateway has a certificate for, and has no wildcard where there are paths."""
    for name, service in env.web_services().items():
        for key, host in _hosts(name, service):
            full = env.full_host(host)
            try:
                domain_of(full, env.domains())
            except ConstructError as error:
                what, next_step = "is of no domain of the gateway", "correct it, or add [[gateway.domains]]"
                yield Fault(key, what, repr(host), error.allowed or "", next_step)
            if service.paths and full.startswith(WILDCARD):
                what, allowed = "has a wildcard, and the service has paths", "hosts by name, or no paths"
                yield Fault(key, what, repr(host), allowed, "name the hosts, or remove paths")


def hosts_differ(env: Environment) -> Iterator[Fault]:
    """No two services answer the same requests, and no host or path is there twice."""
    claimed: dict[tuple[str, str], str] = {}
    for name, service in env.web_services().items():
        for path in service.paths:
            if service.paths.count(path) > 1:
                what, allowed = "has a path twice", "each path once"
                yield Fault(("services", name, "paths"), what, repr(path), allowed, "remove one of the two")
        mine: dict[tuple[str, str], str] = {}
        for key, host in _hosts(name, service):
            for path in service.paths or ("",):
                claim = (env.full_host(host), path)
                if claim in claimed or claim in mine:
                    yield _claimed(key, host, path, claimed.get(claim, name), name)
                mine[claim] = name
        claimed |= mine


def _claimed(key: tuple[str | int, ...], host: str, path: str, other: str, name: str) -> Fault:
    if other == name:
        what, allowed = "is a host of the service twice", "each host once"
        return Fault(key, what, repr(host), allowed, "remove one of the two")
    if path:
        what, allowed = f"has a path that {other} has too", "a path of a host for one service only"
        return Fault(key, what, f"{path!r} of {host!r}", allowed, "choose another path or host")
    what, allowed = f"is the host of {other} too", "a host of its own for each service, or paths of it"
    return Fault(key, what, repr(host), allowed, "choose another, or give one of the two paths")


def _hosts(name: str, service: Service) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield ("services", name, "host"), service.host or name
    for number, host in enumerate(service.hosts):
        yield ("services", name, "hosts", number), host


def names_differ(env: Environment) -> Iterator[Fault]:
    """No tenant's stack is called as another service's, whose names in AWS and state it would have."""
    taken = {service: f"the service {service}" for service in env.services.present()}
    for service, tenant, _ in env.stamped():
        if tenant is None:
            continue
        name, whose = f"{service}-{tenant}", f"tenant {tenant} of {service}"
        if name in taken:
            yield Fault(
                ("services", service, "tenants", tenant),
                f"would be called as {taken[name]}",
                repr(name),
                "a name that no other service and tenant make",
                "rename the tenant or the service",
            )
        taken.setdefault(name, whose)
        if tenant == env.name:
            yield Fault(
                ("services", service, "tenants", tenant),
                "is called as the environment",
                repr(tenant),
                "another name: a name in AWS has both",
                "rename the tenant",
            )


def tasks_are_in_order(env: Environment) -> Iterator[Fault]:
    """The most is no less than the least."""
    for name, service in env.web_services().items():
        if service.max_tasks < service.min_tasks:
            yield Fault(
                ("services", name, "max_tasks"),
                "is below min_tasks",
                f"{service.max_tasks}, while min_tasks is {service.min_tasks}",
                f"{service.min_tasks}-5000",
                "raise max_tasks or lower min_tasks",
            )


def sizes_exist(env: Environment) -> Iterator[Fault]:
    """Fargate sells the pair of CPU and memory."""
    for name, service in env.web_services().items():
        try:
            check_fargate_size(service.cpu, service.memory)
        except ConstructError as error:
            yield Fault(
                ("services", name, error.what),
                "is no size of a Fargate task",
                f"cpu = {service.cpu} with memory = {service.memory}",
                allowed_by(error),
                error.next_step or "choose a size that exists",
            )


def databases_exist(env: Environment) -> Iterator[Fault]:
    """RDS offers the class, the version, the storage, the parameters and the windows."""
    for name, database in env.every_database().items():
        for check in (_shape, _parameters, partial(_windows, env.regions)):
            try:
                check(database)
            except ConstructError as error:
                yield _database_fault(name, error)


def _shape(database: Database) -> None:
    Shape(
        instance_class=database.instance_class,
        storage_gib=database.storage_gib,
        max_storage_gib=database.max_storage_gib,
        iops=database.iops,
        throughput_mib=database.throughput_mib,
        multi_az=True,
        backup_days=database.backup_days,
        engine_version=database.engine_version,
        extended_support=database.extended_support,
    )


def _parameters(database: Database) -> None:
    all_parameters(database.parameters)
    check_pooled_users(database.pooled_users, pooler=database.pooler)


def _windows(regions: Iterable[str], database: Database) -> None:
    for region in regions:
        windows(region, database.backup_window, database.maintenance_window)


def _database_fault(service: str, error: ConstructError) -> Fault:
    keys = Database.model_fields.keys()
    key = {"instance_class": "class"}.get(error.what, error.what if error.what in keys else "parameters")
    next_step = error.next_step or "correct it"
    return Fault(
        ("services", service, "database", key),
        "is not what RDS offers",
        error.got or "nothing",
        allowed_by(error),
        next_step.replace("=True", " = true"),
    )


def variables_are_plain(env: Environment) -> Iterator[Fault]:
    """What anybody may read is no secret, and no variable is given twice."""
    for name, service in env.web_services().items():
        try:
            check_environment(service.environment, service.secrets)
        except ConstructError as error:
            yield Fault(
                ("services", name, "environment"),
                "has a variable that does not belong there",
                error.what,
                "variables anybody may read, each once",
                error.next_step or "correct it",
            )


RULES = (
    hosts_are_of_a_domain,
    hosts_differ,
    names_differ,
    tasks_are_in_order,
    sizes_exist,
    databases_exist,
    variables_are_plain,
)
