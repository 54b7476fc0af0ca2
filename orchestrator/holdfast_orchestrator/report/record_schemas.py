"""The JSON schemas of what Holdfast keeps in the bucket and on a machine, made from what reads and writes it.

`RECORDS` maps a file name in docs/schemas/records/ to the format. What Terraform writes (states, locks, plans
as JSON) is not ours to describe.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.inputs import keep
from holdfast_orchestrator.plan import saved
from holdfast_orchestrator.record import (
    adopted,
    artifact,
    last_good,
    owners,
    runs,
    shard_record,
    state_record,
)
from holdfast_orchestrator.record.audit import entry as audit_entry
from holdfast_orchestrator.record.audit import head as audit_head
from holdfast_orchestrator.record.journal import entry as journal_entry
from holdfast_orchestrator.report.schemas import DIALECT
from holdfast_orchestrator.state import backups, lease_record
from holdfast_orchestrator.state.record_format import Format
from holdfast_orchestrator.state_admin import sources

_FORMATS: tuple[tuple[Format[Any], str], ...] = (
    (lease_record.FORMAT, "Who holds a shard: _holdfast/leases/<state folder>.json"),
    (
        state_record.FORMAT,
        "The newest state of a shard, as it is known: _holdfast/states/<state folder>.json",
    ),
    (last_good.FORMAT, "The deployment to go back to: _holdfast/last-good/<state folder>.json"),
    (adopted.FORMAT, "From where a state was adopted: _holdfast/adopted/<state folder>.json"),
    (artifact.FORMAT, "What was deployed: _holdfast/artifacts/<sha256>"),
    (keep.DESCRIBED, "What an artifact says of its inputs"),
    (keep.VARIABLES, "The values of variables: _holdfast/inputs/<sha256>"),
    (shard_record.FORMAT, "A shard, in the record of its last good deployment and in its journal"),
    (runs.FORMAT, "A run: _holdfast/runs/<run>/run.json"),
    (journal_entry.FORMAT, "One line of a journal: _holdfast/runs/<run>/journal/<shard>/<number>.json"),
    (audit_entry.FORMAT, "One line of the audit trail: _holdfast/audit/date=<day>/<run>-<number>.jsonl"),
    (audit_head.FORMAT, "The end of the audit trail: _holdfast/audit-head.json"),
    (
        backups.FORMAT,
        "What is known of a backup: _holdfast/backups/<state folder>/<lineage>/<serial>-<sha256>.meta.json",
    ),
    (sources.FORMAT, "The mark beside a state that was adopted"),
    (saved.FORMAT, "Plans that were kept in a folder: plan.json of plan --out"),
    (owners.FORMAT, "Who has which objects, in the cache of a machine: owners/<name>.json.gz"),
)


def _file_name(schema: str) -> str:
    _, name, version = schema.split("/")
    return f"{name}.{version}.json"


RECORDS: Mapping[str, Format[Any]] = {_file_name(record.schema): record for record, _ in _FORMATS}
_TITLES = {_file_name(record.schema): title for record, title in _FORMATS}


def record_schema(name: str) -> dict[str, Any]:
    """Return the schema of a format by the name of its file."""
    return {"$schema": DIALECT, **RECORDS[name].json_schema(), "title": _TITLES[name]}
