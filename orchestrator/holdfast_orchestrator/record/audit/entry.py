"""One line of the audit trail: an action and its place in the chain.

A line is what Athena reads: flat fields, one JSON object on one line. `n` counts all records of a bucket
from 1; `prev` is the SHA-256 of the line before. Output too long for one line goes on in further records
of the same action (`part` of `parts`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import WrapSerializer

from holdfast_orchestrator.state.record_format import Format, Moment, SortedTexts, copied, in_order

if TYPE_CHECKING:
    from holdfast_orchestrator.record.actor import Actor

SCHEMA = "holdfast/audit/v1"
AUDIT = "_holdfast/audit/"
GENESIS = hashlib.sha256(SCHEMA.encode()).hexdigest()

# A line of a few megabytes is more than Athena's JSON reader likes.
LONGEST_OUTPUT = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action that a person or a CI job did.

    `action` is a verb such as deploy, destroy, rollback, restore, unlock, takeover. `actor` is a name for
    people, `actor_kind` github, gitlab, aws or user; `host` is where from. `verdicts` are what gates and
    checks said, by name; `outcomes` and `seconds` are by shard name. `output` is everything that was shown.
    """

    run: str
    action: str
    at: Moment
    actor: str
    actor_kind: str
    host: str
    link: str | None = None
    aws: str | None = None
    git: str | None = None
    command: str = ""
    environments: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    shards: tuple[str, ...] = ()
    verdicts: SortedTexts = field(default_factory=dict)
    outcome: str = ""
    outcomes: SortedTexts = field(default_factory=dict)
    seconds: Annotated[Mapping[str, float], WrapSerializer(in_order)] = field(default_factory=dict)
    output: str = field(default="", repr=False)
    part: int = 1
    parts: int = 1

    @classmethod
    def of(cls, actor: "Actor", *, run: str, action: str, at: datetime) -> "Action":
        """Return an action of this person or CI job, with all other fields at their defaults."""
        return cls(
            run=run,
            action=action,
            at=at,
            actor=actor.name,
            actor_kind=actor.kind,
            host=actor.host,
            link=actor.link,
            aws=actor.aws,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON, in the order of the table's columns."""
        return _ACTION.to_json(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine(Action):
    """A line as it is written: an action, and its place in the chain."""

    n: int
    id: str
    prev: str
    day: str


_ACTION = Format[Action](SCHEMA, Action)
FORMAT = Format[AuditLine](SCHEMA, AuditLine)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """An action in the chain; `line` has its bytes as written, `date` (YYYY-MM-DD) is its partition."""

    n: int
    id: str
    prev: str
    date: str
    action: Action
    line: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """The digest that the next record refers to."""
        return hashlib.sha256(self.line).hexdigest()

    @property
    def key(self) -> str:
        """The key of the record in the bucket."""
        return f"{AUDIT}date={self.date}/{self.action.run}-{self.n:010}.jsonl"

    @property
    def body(self) -> bytes:
        """The object's bytes."""
        return self.line + b"\n"


def write_record(action: Mapping[str, Any], *, n: int, prev: str, date: str) -> AuditRecord:
    """Give an action (as JSON, redacted, with an `id` of its own) its place in the chain."""
    document = {"schema": SCHEMA, "n": n, "prev": prev, "day": date, **action}
    return read_record(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def read_record(line: bytes) -> AuditRecord:
    """Read a line, without its end. Raises ValueError where it is none."""
    read = FORMAT.parse(line)
    return copied(AuditRecord, read, date=read.day, action=copied(Action, read), line=line)
