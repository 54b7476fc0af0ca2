"""Parameters of PostgreSQL on RDS: those that every database has, and those that one is given.

Who connects, how long and for what it waits, and slow statements are in the log; TLS is forced.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from holdfast_constructs.errors import ConstructError

# Statements slower than this many milliseconds are logged, and every change to the schema.
SLOW_MS = 500
_SLOW = "log_min_duration_statement"
OWN: Mapping[str, str] = MappingProxyType(
    {
        "log_connections": "1",
        "log_disconnections": "1",
        "log_lock_waits": "1",
        "log_statement": "ddl",
        "rds.force_ssl": "1",
    }
)
# PostgreSQL 17, "Server Configuration": parameters that "can only be set at server start". RDS takes them for
# the next reboot.
STATIC = frozenset(
    {
        "autovacuum_freeze_max_age",
        "autovacuum_max_workers",
        "autovacuum_multixact_freeze_max_age",
        "huge_pages",
        "max_connections",
        "max_files_per_process",
        "max_locks_per_transaction",
        "max_logical_replication_workers",
        "max_pred_locks_per_transaction",
        "max_prepared_transactions",
        "max_replication_slots",
        "max_wal_senders",
        "max_worker_processes",
        "min_dynamic_shared_memory",
        "rds.logical_replication",
        "shared_buffers",
        "shared_memory_type",
        "shared_preload_libraries",
        "superuser_reserved_connections",
        "track_activity_query_size",
        "track_commit_timestamp",
        "wal_buffers",
        # Extensions that are loaded with the server, which take memory of a fixed size.
        "pg_stat_statements.max",
        "cron.database_name",
        "cron.max_running_jobs",
    }
)
# RDS has them and lets nobody change them: it keeps the files, the archive and the addresses itself
# (DescribeEngineDefaultParameters, IsModifiable).
_KEPT_BY_RDS = frozenset(
    {
        "archive_command",
        "archive_mode",
        "archive_timeout",
        "config_file",
        "data_directory",
        "external_pid_file",
        "fsync",
        "full_page_writes",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "port",
        "restore_command",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_key_file",
        "unix_socket_directories",
        "unix_socket_group",
        "unix_socket_permissions",
        "wal_level",
    }
)
# Amazon RDS User Guide, "Maximum number of database connections": what may be written there.
_CONNECTIONS = range(6, 262_144)
_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?")


def all_parameters(given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a database by name; raises ConstructError for one that it may not be given."""
    for name, value in given.items():
        _check(name, value)
    together = {_SLOW: str(SLOW_MS)} | dict(given) | dict(OWN)
    return dict(sorted(together.items()))


def apply_method(name: str) -> str | None:
    """Return how RDS puts a parameter in place, None for at once."""
    return "pending-reboot" if name in STATIC else None


def _is_formula(value: str) -> bool:
    return value.startswith(("{", "GREATEST(", "LEAST(", "SUM(", "${"))


def _check(name: str, value: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise ConstructError(
            "the name of a parameter", got=name, allowed="as PostgreSQL writes it, such as work_mem"
        )
    if name in OWN:
        raise ConstructError(
            f"the parameter {name}",
            got=value,
            allowed=f"left at {OWN[name]}, which every database has",
            next_step="remove it from parameters",
        )
    if name in _KEPT_BY_RDS:
        raise ConstructError(
            f"the parameter {name} is RDS's own, and nobody may change it",
            next_step="remove it from parameters",
        )
    if name == "max_connections" and not _is_formula(value):
        allowed = (
            f"{_CONNECTIONS[0]}-{_CONNECTIONS[-1]:,}, or a formula such as {{DBInstanceClassMemory/9531392}}"
        )
        if not (value.isdecimal() and int(value) in _CONNECTIONS):
            raise ConstructError(f"the parameter {name}", got=value, allowed=allowed)
    if name == _SLOW and not (value.isdecimal() and value.isascii()):
        raise ConstructError(
            f"the parameter {name}",
            got=value,
            allowed="a number of milliseconds, so that slow ones are logged",
        )
    if not value:
        raise ConstructError(f"the parameter {name}", got=value, allowed="a value", next_step="remove it")
