"""Checks of this machine, and the local cloud, from Python.

missing = [check for check in examine(env="prod") if check.status == "missing"]
status = local_cloud().up()
status.endpoint
"""

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_orchestrator.app.selection import Names, names_of
from holdfast_orchestrator.local.environment import STATE_BUCKET
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast_orchestrator.doctor.check import Check
    from holdfast_orchestrator.local.cloud import LocalCloud

__all__ = ["STATE_BUCKET", "examine", "local_cloud"]


def examine(
    path: str | Path = ".", *, env: Names = (), engine: str | None = None, runtime: Runtime | None = None
) -> "Iterator[Check]":
    """Yield the checks of the app in folder `path` for these environments (none: all), as they are made.

    They cover toolchain, providers, credentials and state buckets, and change nothing. What is missing is a
    check, not an error. `engine` is terraform, tofu or a path.
    """
    from holdfast_orchestrator import doctor  # noqa: PLC0415 - loads boto3

    runtime = runtime or real_runtime()
    yield from doctor.examine(runtime, runtime.cwd / path, environments=names_of(env), engine=engine)


def local_cloud(path: str | Path = ".", *, runtime: Runtime | None = None) -> "LocalCloud":
    """Return the local cloud of the project in folder `path`, running or not.

    Its methods raise HoldfastError if it cannot be started or stopped.
    """
    from holdfast_orchestrator.local.cloud import LocalCloud  # noqa: PLC0415 - when it is called

    runtime = runtime or real_runtime()
    return LocalCloud(runtime.cwd / path, runtime)
