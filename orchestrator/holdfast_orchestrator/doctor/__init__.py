"""Is everything there? Looks, and names the command that repairs what is missing.

    machine    project, engine, providers, packages, Node from files and `--version`
    cloud      local cloud, credentials, state buckets    from the local record, STS and S3

A check is one frozen value: `ok`, `missing` (with the mending command) or `skipped` (with the
reason). Nothing is changed, but for what dead runs left in temporary folders: it is removed and named.
Only what is missing makes the examination fail: a laptop without credentials for production is not a defect.
What cannot be looked at is skipped, never guessed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at: what was found (or why it was not looked at), and what mends it."""

    name: str
    status: Literal["ok", "missing", "skipped"]
    found: str
    next_step: str | None = None


def ok(name: str, found: str) -> Check:
    """Return a check that found what it looked for."""
    return Check(name=name, status="ok", found=found)


def skipped(name: str, reason: str, next_step: str | None = None) -> Check:
    """Return a check that was not made."""
    return Check(name=name, status="skipped", found=reason, next_step=next_step)


def missing(name: str, error: HoldfastError) -> Check:
    """Return a check that failed, in the words of the error a command would end with."""
    return Check(name=name, status="missing", found=error.what, next_step=error.next_step)


def examine(
    runtime: Runtime, project: Path, *, environments: Sequence[str] = (), engine: str | None = None
) -> Iterator[Check]:
    """Yield the checks as they are made; `environments` by name, none meaning all of the project."""
    from holdfast_orchestrator.doctor import cloud, machine  # noqa: PLC0415 - they import this module

    yield from machine.checks(runtime, project, engine)
    yield from cloud.checks(runtime, project, environments)
