"""Rules of services and their databases."""

from collections.abc import Iterator

from holdfast_constructs.compute._container_rules import check_environment
from holdfast_constructs.compute._fargate_sizes import check_fargate_size
from holdfast_constructs.data._database_rules import LARGEST_GIB
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import Fault, allowed_by

# Amazon RDS User Guide, storage autoscaling: the threshold is at least a tenth above the storage.
ROOM_TENTHS = 11


def hosts_differ(env: Environment) -> Iterator[Fault]:
    """No two services answer to the same name."""
    hosts: dict[str, str] = {}
    for name, service in env.web_services().items():
        host = service.host or name
        if host in hosts:
            yield Fault(
                ("services", name, "host"),
                f"is the host of {hosts[host]} too",
                repr(host),
                "a host of its own for each service",
                "choose another",
            )
        hosts.setdefault(host, name)


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


def storage_can_grow(env: Environment) -> Iterator[Fault]:
    """RDS refuses a storage threshold less than a tenth above the storage."""
    for name, database in env.databases().items():
        least = -(-database.storage_gib * ROOM_TENTHS // 10)
        if database.max_storage_gib is not None and database.max_storage_gib < least:
            yield Fault(
                ("services", name, "database", "max_storage_gib"),
                "is too close to storage_gib",
                f"{database.max_storage_gib}, while storage_gib is {database.storage_gib}",
                f"{least}-{LARGEST_GIB}: at least a tenth more than storage_gib",
                "raise it, or leave it out so that the storage does not grow",
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


RULES = (hosts_differ, tasks_are_in_order, sizes_exist, storage_can_grow, variables_are_plain)
