"""The settings of a service, by its kind, and of the database that it may have."""

from typing import Annotated

from pydantic import Field

from holdfast_constructs.compute._fargate_sizes import FARGATE_SIZES
from holdfast_constructs.compute.scale import MOST_TASKS
from holdfast_constructs.data._database_rules import (
    LARGEST_GIB,
    LONGEST_BACKUP_DAYS,
    SHORTEST_BACKUP_DAYS,
    SMALLEST_GIB,
)
from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.values import (
    HostLabel,
    HostName,
    ImageReference,
    InstanceClass,
    Items,
    PathPattern,
    PlainText,
    SecretArn,
    Table,
    VariableName,
    empty_table,
)


class Database(Settings):
    """A PostgreSQL instance of a service's own."""

    instance_class: Annotated[InstanceClass, Field(alias="class")]
    storage_gib: Annotated[int, Field(ge=SMALLEST_GIB, le=LARGEST_GIB)]
    """GiB to begin with."""
    max_storage_gib: Annotated[int, Field(ge=0, le=LARGEST_GIB)] | None = None
    """GiB it may grow to by itself, at least a tenth above storage_gib; four times as much when left out.

    0: it does not grow.
    """
    iops: Annotated[int, Field(ge=1)] | None = None
    """I/O operations a second, from 400 GiB on; 12,000 when left out."""
    throughput_mib: Annotated[int, Field(ge=1)] | None = None
    """MiB a second, from 400 GiB on; 500 when left out."""
    multi_az: bool | None = None
    """A standby in another zone; on in production when left out."""
    backup_days: Annotated[int, Field(ge=SHORTEST_BACKUP_DAYS, le=LONGEST_BACKUP_DAYS)] = 7
    """Days of continuous backup."""
    engine_version: Annotated[str, Field(pattern=r"^[0-9]{2}(\.[0-9]{1,2})?$")] = "16"
    """PostgreSQL version: 16, whose minor versions AWS installs, or 16.4 to begin with that one."""
    extended_support: bool = False
    """A version that is out of its standard support may be used, which AWS charges for."""
    parameters: Table[str, str] = Field(default_factory=empty_table)
    """Parameters of PostgreSQL besides those that every database has, such as work_mem = \"65536\"."""
    backup_window: str | None = None
    """When backups are made, in UTC, such as 02:00-03:00; at night in the region when left out."""
    maintenance_window: str | None = None
    """When AWS may restart it, in UTC, such as sun:03:30-sun:04:30; Sunday's night when left out."""
    pooler: bool = False
    """Clients connect through RDS Proxy, and log in with a token from IAM."""
    pooled_users: Table[str, SecretArn] = Field(default_factory=empty_table)
    """The secret, with username and password, of each user that may use the pooler."""


class _TaskService(Settings):
    """What runs as tasks on Fargate."""

    image: ImageReference
    cpu: Annotated[int, Field(json_schema_extra={"enum": [*FARGATE_SIZES]})] = 256
    """CPU units; 1024 are one vCPU. Only some pairs of cpu and memory exist on Fargate."""
    memory: int = 512
    """Memory in MiB."""
    environment: Table[VariableName, PlainText] = Field(default_factory=empty_table)
    """Variables anybody may read. Secrets go to `secrets`."""
    secrets: Table[VariableName, SecretArn] = Field(default_factory=empty_table)
    """Variables whose values ECS fetches from the ARN when a task starts."""


class Service(_TaskService):
    """A web service on Fargate behind the gateway."""

    min_tasks: Annotated[int, Field(ge=1, le=MOST_TASKS)] = 1
    """Tasks kept running at the quietest."""
    max_tasks: Annotated[int, Field(ge=1, le=MOST_TASKS)] = 2
    """Tasks at the busiest."""
    host: HostLabel | None = None
    """Name below the domain, or @ for the domain itself; the service's own name when left out."""
    hosts: Items[HostName] = ()
    """More names: below the domain (www, @, *), or whole ones at or below one of the domains."""
    paths: Items[PathPattern] = ()
    """The paths that it answers, such as /api/*; all when left out. Other services have the rest."""


class DatabaseService(Service):
    """A web service that keeps its data in PostgreSQL."""

    database: Database


class WorkerService(_TaskService):
    """A worker that takes messages from a queue."""

    min_tasks: Annotated[int, Field(ge=0, le=MOST_TASKS)] = 1
    """Tasks kept running where no message waits."""
    max_tasks: Annotated[int, Field(ge=1, le=MOST_TASKS)] = 2
    """Tasks where many wait."""
    backlog_per_task: Annotated[int, Field(ge=1)] = 100
    """Messages that may wait for each task."""


class JobService(_TaskService):
    """A task that starts at set times."""

    schedule: str
    """When it starts: `rate(1 hour)`, `cron(0 3 * * ? *)` or `at(2026-12-24T18:00:00)`."""
    timezone: str = "UTC"
    """The time zone of the schedule, such as Europe/Berlin."""
