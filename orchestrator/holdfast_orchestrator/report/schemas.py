"""The published JSON schemas, generated from the types that are read and printed.

`SCHEMAS` maps a file name in docs/schemas/ to a function that returns the schema for it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter

from holdfast_orchestrator.app.manifest_schema import DeploymentManifest
from holdfast_orchestrator.report import (
    adopt_documents,
    advice_documents,
    bootstrap_text,
    ci_documents,
    connections_text,
    documents,
    explain_text,
    history_documents,
    machine_documents,
    move_documents,
    new_documents,
    output_text,
    state_documents,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def deployment_manifest() -> dict[str, Any]:
    """The schema of holdfast.json."""
    return {"$schema": DIALECT, **DeploymentManifest.model_json_schema(by_alias=True)}


def event() -> dict[str, Any]:
    """The schema of one line of `--events FILE`: the fields of every event; each kind adds its own."""
    text, nothing_or_text = {"type": "string"}, {"type": ["string", "null"]}
    return {
        "$schema": DIALECT,
        "title": "Event",
        "type": "object",
        "required": ["schema", "event", "at", "shard"],
        "properties": {
            "schema": {"const": "holdfast/event/v1"},
            "event": text,
            "at": {**nothing_or_text, "format": "date-time"},
            "shard": nothing_or_text,
        },
    }


def _of(document: Any, title: str) -> Callable[[], dict[str, Any]]:
    def schema() -> dict[str, Any]:
        made = TypeAdapter(document).json_schema(mode="serialization")
        # `schema` is always printed, though it has a default in Python.
        made["required"] = sorted({*made.get("required", ()), "schema"})
        return {"$schema": DIALECT, **made, "title": title}

    return schema


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "deployment-manifest.v1.json": deployment_manifest,
    "event.v1.json": event,
    "list.v1.json": _of(documents.ListDocument, "holdfast list --json"),
    "graph-connections.v1.json": _of(
        connections_text.ConnectionsReport, "holdfast graph --connections --json"
    ),
    "explain.v1.json": _of(explain_text.ExplainDocument, "holdfast explain --json"),
    "graph.v1.json": _of(documents.GraphDocument, "holdfast graph --json"),
    "ci-matrix.v1.json": _of(ci_documents.MatrixDocument, "holdfast ci matrix --json"),
    "synth.v1.json": _of(documents.SynthDocument, "holdfast synth --json"),
    "plan.v1.json": _of(documents.PlanReport, "holdfast plan --json"),
    "deploy.v1.json": _of(documents.DeployDocument, "holdfast deploy, destroy, rollback and resume --json"),
    "advise.v1.json": _of(advice_documents.AdviseDocument, "holdfast advise --json"),
    "state-backups.v1.json": _of(state_documents.StateBackupsDocument, "holdfast state backups --json"),
    "state-restore.v1.json": _of(state_documents.StateRestoreDocument, "holdfast state restore --json"),
    "state-unlock.v1.json": _of(state_documents.StateUnlockDocument, "holdfast state unlock --json"),
    "adopt.v1.json": _of(adopt_documents.AdoptDocument, "holdfast adopt --json"),
    "bootstrap.v1.json": _of(bootstrap_text.BootstrapDocument, "holdfast bootstrap --json without --yes"),
    "move.v1.json": _of(move_documents.MoveDocument, "holdfast move --json"),
    "runs.v1.json": _of(history_documents.RunsDocument, "holdfast runs --json"),
    "show.v1.json": _of(history_documents.ShowDocument, "holdfast show --json"),
    "output.v1.json": _of(output_text.OutputDocument, "holdfast output --json"),
    "audit-records.v1.json": _of(history_documents.AuditRecordsDocument, "holdfast audit --json"),
    "audit-verification.v1.json": _of(
        history_documents.AuditVerificationDocument, "holdfast audit verify --json"
    ),
    "new.v1.json": _of(new_documents.NewDocument, "holdfast init and holdfast new --json"),
    "doctor.v1.json": _of(machine_documents.DoctorDocument, "holdfast doctor --json"),
    "local-status.v1.json": _of(
        machine_documents.LocalStatusDocument, "holdfast local up, down, status and reset --json"
    ),
    "error.v1.json": _of(documents.ErrorDocument, "what --json prints where a command failed"),
}
