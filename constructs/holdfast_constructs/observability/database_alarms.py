"""The alarms of a PostgreSQL on RDS: utilization, saturation and what ends in an outage if left alone."""

from constructs import Construct

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.metrics import Metric
from holdfast_constructs.observability.responsibility import Owner
from holdfast_constructs.observability.threshold import Threshold

_GIB = 1024**3
_MIB = 1024**2
_PERIOD = 300
_ALL_PERCENT = 100
# Amazon RDS User Guide, "Working with PostgreSQL autovacuum": RDS warns from 1 billion on; PostgreSQL stops
# taking writes shortly before 2 billion and 147 million.
_TRANSACTION_IDS = 1_000_000_000


@checked
class DatabaseAlarms(AlarmSet):
    """Tells of a database that runs out of CPU, memory, storage, connections, disk or transaction ids.

    `instance` is its identifier: `database.instance.identifier`. `most_connections` is what its
    `max_connections` allows; the alarm is at `connections_percent` of it. An alarm without data tells, too:
    the instance is gone or does not report. With `replica` the delay behind its source is watched.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        instance: str,
        cpu_percent: float = 85,
        free_storage_gib: float = 10,
        free_memory_mib: float = 256,
        disk_queue: float = 20,
        transaction_ids: int = _TRANSACTION_IDS,
        most_connections: int | None = None,
        connections_percent: float = 80,
        replica: bool = False,
        replica_lag_seconds: int = 60,
        runbook: str = "database.md",
        owner: Owner | None = None,
        dashboard: str | None = None,
    ) -> None:
        super().__init__(scope, id_, alerts=alerts, runbook=runbook, owner=owner, dashboard=dashboard)
        self._dimensions = {"DBInstanceIdentifier": instance}
        self._watch(
            "cpu", "CPUUtilization", ">", cpu_percent, f"above {cpu_percent:g} % queries wait for CPU"
        )
        self._watch(
            "storage",
            "FreeStorageSpace",
            "<",
            free_storage_gib * _GIB,
            f"below {free_storage_gib:g} GiB hours are left to act: a full disk takes no writes",
            most_severe=True,
        )
        self._watch(
            "memory",
            "FreeableMemory",
            "<",
            free_memory_mib * _MIB,
            f"below {free_memory_mib:g} MiB the instance begins to swap",
        )
        self._watch(
            "disk-queue", "DiskQueueDepth", ">", disk_queue, f"above {disk_queue:g} reads and writes wait"
        )
        self._watch(
            "transaction-ids",
            "MaximumUsedTransactionIDs",
            ">",
            transaction_ids,
            f"autovacuum holds 200 million; above {transaction_ids:,} it fails, and at 2.1 billion "
            "writes end",
            most_severe=True,
        )
        if most_connections is not None:
            self._watch_connections(most_connections, connections_percent)
        if replica:
            reason = f"reads are more than {replica_lag_seconds} s old"
            self._watch("replica-lag", "ReplicaLag", ">", replica_lag_seconds, reason)

    def _watch_connections(self, most: int, percent: float) -> None:
        if not 0 < percent <= _ALL_PERCENT:
            raise ConstructError("connections_percent", got=percent, allowed="above 0, at most 100")
        reason = f"{percent:g} % of {most} connections: new ones are refused at {most}"
        self._watch("connections", "DatabaseConnections", ">", most * percent / 100, reason, most_severe=True)

    def _watch(
        self,
        name: str,
        metric: str,
        comparison: str,
        value: float,
        reason: str,
        *,
        most_severe: bool = False,
    ) -> None:
        signal = Metric(namespace="AWS/RDS", name=metric, dimensions=self._dimensions, period_seconds=_PERIOD)
        when = Threshold(
            signal=signal,
            comparison=">" if comparison == ">" else "<",
            value=value,
            periods=3,
            missing="missing",
        )
        self._add(name, when, "sev2" if most_severe else "sev3", f"{reason} (average of 5 min, 3 times)")
