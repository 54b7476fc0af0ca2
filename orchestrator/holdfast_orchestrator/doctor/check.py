"""The result of one check."""

from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.errors import HoldfastError


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: what was found (or why it was skipped), and the command that repairs it."""

    name: str
    status: Literal["ok", "missing", "skipped"]
    found: str
    next_step: str | None = None


def ok(name: str, found: str) -> Check:
    """Return a check that passed."""
    return Check(name=name, status="ok", found=found)


def skipped(name: str, reason: str, next_step: str | None = None) -> Check:
    """Return a check that was not made."""
    return Check(name=name, status="skipped", found=reason, next_step=next_step)


def missing(name: str, error: HoldfastError) -> Check:
    """Return a check that failed, with the text of the error that a command would end with."""
    return Check(name=name, status="missing", found=error.what, next_step=error.next_step)
