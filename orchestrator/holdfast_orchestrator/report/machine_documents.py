"""The JSON documents about this machine (`doctor`, `local`), as values."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast_orchestrator.doctor.check import Check
    from holdfast_orchestrator.local.cloud import LocalStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """A thing looked at: what was found, or why it was not looked at, and what mends it."""

    name: str
    status: Literal["ok", "missing", "skipped"]
    found: str
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorDocument:
    """`holdfast doctor --json`; `ok` where nothing is missing."""

    schema: Literal["holdfast/doctor/v1"] = "holdfast/doctor/v1"
    ok: bool
    checks: tuple[DoctorCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStatusDocument:
    """`holdfast local … --json`. `since` is ISO 8601, in UTC; all null where the local cloud does not run."""

    schema: Literal["holdfast/local-status/v1"] = "holdfast/local-status/v1"
    running: bool
    endpoint: str | None
    pid: int | None
    since: str | None
    state_buckets: tuple[str, ...]
    log: str | None


def doctor_document(checks: "Iterable[Check]") -> DoctorDocument:
    """Return the document that says what was looked at."""
    made = tuple(
        DoctorCheck(name=one.name, status=one.status, found=one.found, next=one.next_step) for one in checks
    )
    return DoctorDocument(ok=all(one.status != "missing" for one in made), checks=made)


def local_status_document(status: "LocalStatus") -> LocalStatusDocument:
    """Return the document that says whether the local cloud runs."""
    return LocalStatusDocument(**asdict(status))
