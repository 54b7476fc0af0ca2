"""The JSON documents of `holdfast doctor` and `holdfast local`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from holdfast_orchestrator.report.copying import copied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast_orchestrator.doctor.check import Check
    from holdfast_orchestrator.local.cloud import LocalStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """One check: what was found, or why it was skipped, and the command that repairs what is missing."""

    name: str
    status: Literal["ok", "missing", "skipped"]
    found: str
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorDocument:
    """`holdfast doctor --json`; `ok` if nothing is missing."""

    schema: Literal["holdfast/doctor/v1"] = "holdfast/doctor/v1"
    ok: bool
    checks: tuple[DoctorCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStatusDocument:
    """`holdfast local … --json`. `since` is in ISO 8601 and UTC; all are null if it does not run."""

    schema: Literal["holdfast/local-status/v1"] = "holdfast/local-status/v1"
    running: bool
    endpoint: str | None
    pid: int | None
    since: str | None
    state_buckets: tuple[str, ...]
    log: str | None


def doctor_document(checks: "Iterable[Check]") -> DoctorDocument:
    """Return the document of these checks."""
    documents = tuple(copied(DoctorCheck, check, next=check.next_step) for check in checks)
    return DoctorDocument(ok=all(check.status != "missing" for check in documents), checks=documents)


def local_status_document(status: "LocalStatus") -> LocalStatusDocument:
    """Return the document of the local cloud's status."""
    return copied(LocalStatusDocument, status)
