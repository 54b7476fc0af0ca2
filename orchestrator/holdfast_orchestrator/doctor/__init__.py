"""Checks what a deploy needs, and names the command that repairs what is missing.

    machine    project, engine, providers, packages, Node    from files and `--version`
    cloud      local cloud, credentials, state buckets       from the local record, STS and S3

A check is one frozen value: `ok`, `missing` (with the command that repairs it) or `skipped` (with the
reason). The checks change nothing, except that they remove what dead runs left in temporary folders, and name
it. Only a missing part makes the examination fail: a laptop without credentials for production is no defect.
What cannot be checked is skipped, never guessed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast_orchestrator.doctor.check import Check
from holdfast_orchestrator.system.runtime import Runtime


def examine(
    runtime: Runtime, project: Path, *, environments: Sequence[str] = (), engine: str | None = None
) -> Iterator[Check]:
    """Yield the checks as they are made, for these environments (none: all of the project)."""
    from holdfast_orchestrator.doctor import cloud, machine  # noqa: PLC0415 - they import this module

    yield from machine.checks(runtime, project, engine)
    yield from cloud.checks(runtime, project, environments)
