"""The JSON documents of `holdfast runs`, `show` and `audit`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from holdfast_orchestrator.report.copying import copied

if TYPE_CHECKING:
    from holdfast_orchestrator.record.audit.entry import AuditRecord
    from holdfast_orchestrator.record.audit.verify import Verification
    from holdfast_orchestrator.record.journal.entry import Entry
    from holdfast_orchestrator.record.runs import RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RunActor:
    """Who started a run: `name` for people, `host` the machine, `link` the CI job's page, `aws` an ARN."""

    kind: str
    name: str
    host: str
    link: str | None
    aws: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """A run. `status` is "running", or how the run ended; outcomes and seconds are by shard name.

    Times are ISO 8601, in UTC. `environment` joins the environments with commas.
    """

    run: str
    status: str
    environment: str
    environments: tuple[str, ...]
    started: str
    ended: str | None
    actor: RunActor
    git: str | None
    command: str
    shards: tuple[str, ...]
    outcomes: Mapping[str, str]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsDocument:
    """`holdfast runs --json`: the newest first."""

    schema: Literal["holdfast/runs/v1"] = "holdfast/runs/v1"
    runs: tuple[ListedRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalledStep:
    """A journal entry: the `edge` (before, after) of a phase, under lease `epoch`; `seq` counts from 1."""

    seq: int
    phase: str
    edge: str
    at: str
    epoch: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDocument(ListedRun):
    """`holdfast show --json`: a run, and the journal of each shard it changed, by shard name."""

    schema: Literal["holdfast/show/v1"] = "holdfast/show/v1"
    journals: Mapping[str, tuple[JournalledStep, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAction:
    """An audit record: an action and its place in the chain of records.

    `n` counts the records of a bucket from 1; `prev` is the SHA-256 of the record before. Long output
    continues in further records (`part` of `parts`).
    """

    n: int
    prev: str
    sha256: str
    run: str
    action: str
    at: str
    actor: str
    actor_kind: str
    host: str
    link: str | None
    aws: str | None
    git: str | None
    command: str
    environments: tuple[str, ...]
    services: tuple[str, ...]
    shards: tuple[str, ...]
    verdicts: Mapping[str, str]
    outcome: str
    outcomes: Mapping[str, str]
    seconds: Mapping[str, float]
    output: str
    part: int
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecordsDocument:
    """`holdfast audit --json`: the newest first."""

    schema: Literal["holdfast/audit-records/v1"] = "holdfast/audit-records/v1"
    records: tuple[ListedAction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """A fault: record `n` (null if unknown), the `key` where it is or should be, and what is wrong."""

    kind: str
    n: int | None
    key: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedBucket:
    """The trail of one bucket: how many records, the numbers of the first and last, and the faults."""

    bucket: str
    records: int
    first: int | None
    last: int | None
    findings: tuple[AuditFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerificationDocument:
    """`holdfast audit verify --json`."""

    schema: Literal["holdfast/audit-verification/v1"] = "holdfast/audit-verification/v1"
    ok: bool
    buckets: tuple[VerifiedBucket, ...]


def runs_document(records: "Iterable[RunRecord]") -> RunsDocument:
    """Return the document that lists runs."""
    return RunsDocument(runs=tuple(ListedRun(**_fields(record)) for record in records))


def show_document(record: "RunRecord", journals: "Mapping[str, Sequence[Entry]]") -> ShowDocument:
    """Return the document that shows one run."""
    return ShowDocument(
        **_fields(record), journals={shard: tuple(map(_step, entries)) for shard, entries in journals.items()}
    )


def records_document(records: "Iterable[AuditRecord]") -> AuditRecordsDocument:
    """Return the document that lists audit records."""
    return AuditRecordsDocument(
        records=tuple(
            ListedAction(n=record.n, prev=record.prev, sha256=record.sha256, **record.action.to_json())
            for record in records
        )
    )


def verification_document(verified: "Mapping[str, Verification]") -> AuditVerificationDocument:
    """Return the document of the verification of each bucket's trail."""
    return AuditVerificationDocument(
        ok=all(verified.values()),
        buckets=tuple(
            copied(
                VerifiedBucket,
                verification,
                bucket=bucket,
                findings=tuple(copied(AuditFinding, finding) for finding in verification.findings),
            )
            for bucket, verification in verified.items()
        ),
    )


def _fields(record: "RunRecord") -> dict[str, Any]:
    return {**record.to_json(), "actor": copied(RunActor, record.actor)}


def _step(entry: "Entry") -> JournalledStep:
    return copied(JournalledStep, entry, phase=entry.name, at=entry.at.isoformat())
