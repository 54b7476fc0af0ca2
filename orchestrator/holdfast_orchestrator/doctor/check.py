"""One thing that was looked at."""

from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.errors import HoldfastError


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at: what was found (or why it was not looked at), and what repairs it."""

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
