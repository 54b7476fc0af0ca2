"""A new project, or one more part of it, from Python.

written = init_project("shop")
new_service("payments", "shop")
new_worker("emails", "shop")
new_environment("staging", "shop", like="prod")

Each raises HoldfastError before anything is written where a file exists already or a name cannot be used.
"""

from pathlib import Path

from holdfast_orchestrator.app.selection import Names, names_of
from holdfast_orchestrator.scaffold.environment import write_environment
from holdfast_orchestrator.scaffold.project import write_project
from holdfast_orchestrator.scaffold.service import Kind, write_service
from holdfast_orchestrator.scaffold.writing import Written
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

__all__ = [
    "Written",
    "init_project",
    "new_consumer",
    "new_environment",
    "new_job",
    "new_service",
    "new_worker",
]


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


def new_worker(
    name: str, path: str | Path = ".", *, env: Names = (), runtime: Runtime | None = None
) -> Written:
    """Write a worker with a queue of its own into the project in `path`, and its settings."""
    return write_service(_folder(path, runtime), name, environments=names_of(env), kind=Kind.WORKER)


def new_job(name: str, path: str | Path = ".", *, env: Names = (), runtime: Runtime | None = None) -> Written:
    """Write a job that starts each night at three into the project in `path`, and its settings."""
    return write_service(_folder(path, runtime), name, environments=names_of(env), kind=Kind.JOB)


def new_consumer(
    name: str, path: str | Path = ".", *, env: Names = (), runtime: Runtime | None = None
) -> Written:
    """Write a consumer of events into the project in `path`, and its settings."""
    return write_service(_folder(path, runtime), name, environments=names_of(env), kind=Kind.CONSUMER)


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
