"""A new project, or one more part of it, from Python.

written = init_project("shop")
new_service("payments", "shop")
new_task("emails", "shop", kind="worker")
new_database("payments", "shop")
new_environment("staging", "shop", like="prod")

Each raises HoldfastError before anything is written where a file exists already or a name cannot be used.
"""

from pathlib import Path
from typing import Literal

from holdfast_orchestrator.app.selection import Names, names_of
from holdfast_orchestrator.scaffold.database import write_database
from holdfast_orchestrator.scaffold.environment import write_environment
from holdfast_orchestrator.scaffold.project import write_project
from holdfast_orchestrator.scaffold.service import Kind, write_service
from holdfast_orchestrator.scaffold.writing import Written
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

__all__ = [
    "TaskKind",
    "Written",
    "init_project",
    "new_database",
    "new_environment",
    "new_service",
    "new_task",
]

TaskKind = Literal["worker", "job", "consumer"]


def init_project(path: str | Path, *, runtime: Runtime | None = None) -> Written:
    """Write a new project into the folder `path`; the folder's name is the project's."""
    return write_project(_folder(path, runtime))


def new_service(
    name: str,
    path: str | Path = ".",
    *,
    env: Names = (),
    database: bool = False,
    runtime: Runtime | None = None,
) -> Written:
    """Write a web service into the project in `path`, and its settings into the environments `env` or all."""
    kind = Kind.DATABASE_SERVICE if database else Kind.SERVICE
    return write_service(_folder(path, runtime), name, environments=names_of(env), kind=kind)


def new_task(
    name: str, path: str | Path = ".", *, kind: TaskKind, env: Names = (), runtime: Runtime | None = None
) -> Written:
    """Write what answers no requests into the project in `path`, and its settings as `new_service` does.

    `kind` is a `worker` with a queue of its own, a `job` that starts at set times, or a `consumer` of
    EventBridge's events.
    """
    return write_service(_folder(path, runtime), name, environments=names_of(env), kind=Kind(kind))


def new_database(name: str, path: str | Path = ".", *, runtime: Runtime | None = None) -> Written:
    """Give the web service `name` of the project in `path` a database, in every environment that has it.

    Where there is no such service, write a stack with a database, and its settings into all environments.
    """
    return write_database(_folder(path, runtime), name)


def new_environment(
    name: str,
    path: str | Path = ".",
    *,
    like: str | None = None,
    account: str | None = None,
    runtime: Runtime | None = None,
) -> Written:
    """Write an environment into the project in `path`: a copy of `like` under names of its own."""
    return write_environment(_folder(path, runtime), name, like=like, account=account)


def _folder(path: str | Path, runtime: Runtime | None) -> Path:
    return ((runtime or real_runtime()).cwd / path).resolve()
