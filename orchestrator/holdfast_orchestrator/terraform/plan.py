"""A plan, as `terraform show -json` prints it, read into typed changes.

Whatever this cannot read with certainty becomes a problem and is said; no caller may apply a plan
that has one. Sources: Terraform's "JSON Output Format" (format 1.x) and plans of Terraform 1.11.4.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.terraform.identity import Identity, identify
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.state_file import StateStamp, state_document

SUPPORTED_MAJOR = "1"
# The plan of what needs nothing done: it is not worth asking Terraform to show it.
NO_CHANGES: Document = {"format_version": "1.2", "resource_changes": []}


class Action(StrEnum):
    """What Terraform would do with one object."""

    NOTHING = "no-op"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DELETE_THEN_CREATE = "replace, delete first"
    CREATE_THEN_DELETE = "replace, create first"
    FORGET = "forget"
    UNKNOWN = "unknown"


# "create" with "forget" is left out on purpose: the old object stays in the cloud, in no state, and a
# rollback has no way back to it.
_ACTIONS = {
    ("no-op",): Action.NOTHING,
    ("read",): Action.READ,
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("delete", "create"): Action.DELETE_THEN_CREATE,
    ("create", "delete"): Action.CREATE_THEN_DELETE,
    ("forget",): Action.FORGET,
}


def planned_action(change: Mapping[str, Any]) -> Action:
    """Return what one change of a plan does, UNKNOWN for a combination of actions that is not supported."""
    return _ACTIONS.get(tuple(change.get("actions") or ()), Action.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One planned change. `identity` is that of the object there is now, None where there is none."""

    address: str
    kind: str
    provider: str
    action: Action
    identity: Identity | None
    before: Document | None
    after: Document | None
    after_unknown: Document
    previous_address: str | None = None
    deposed: str | None = None
    importing: bool = False
    reason: str | None = None

    @property
    def replaces(self) -> bool:
        return self.action in (Action.DELETE_THEN_CREATE, Action.CREATE_THEN_DELETE)

    @property
    def deletes(self) -> bool:
        return self.action is Action.DELETE or self.replaces

    @property
    def creates(self) -> bool:
        return self.action is Action.CREATE or self.replaces

    @property
    def touches(self) -> bool:
        """Whether applying this changes an object, or which objects the state knows."""
        return self.action not in (Action.NOTHING, Action.READ) or self.importing


@dataclass(frozen=True, slots=True)
class PlannedChanges:
    """A plan's changes of managed resources, and why it must not be applied (empty: nothing against it)."""

    changes: tuple[Change, ...]
    problems: tuple[str, ...]

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    @property
    def touched(self) -> frozenset[str]:
        """Every address the plan would touch, under its new and its previous name."""
        changed = [each for each in self.changes if each.touches or each.previous_address]
        return frozenset(
            address for each in changed for address in (each.address, each.previous_address) if address
        )


def read_plan(plan: Document) -> PlannedChanges:
    """The managed changes of a plan document, with everything that makes it untrustworthy."""
    changes = tuple(
        _read_change(entry) for entry in plan.get("resource_changes") or () if entry.get("mode") == "managed"
    )
    unknown = [
        f"{each.address}: this version of Holdfast does not know the planned action."
        for each in changes
        if each.action is Action.UNKNOWN
    ]
    return PlannedChanges(changes, (*_document_problems(plan), *unknown))


def _document_problems(plan: Document) -> Iterator[str]:
    version = str(plan.get("format_version", ""))
    if version.partition(".")[0] != SUPPORTED_MAJOR:
        yield f"The plan has format {version or 'none'!r}; Holdfast reads {SUPPORTED_MAJOR}.x."
    if plan.get("errored", False):
        yield "The plan ended with an error and is not whole."
    if not plan.get("complete", True):
        yield "Terraform says the plan is not complete."
    if plan.get("deferred_changes"):
        yield "The plan defers changes to a later one."


def _read_change(entry: Document) -> Change:
    change: dict[str, Any] = entry.get("change") or {}
    before = change.get("before")
    kind = entry["type"]
    return Change(
        address=entry["address"],
        kind=kind,
        provider=entry.get("provider_name", ""),
        action=planned_action(change),
        identity=identify(kind, before, address=entry["address"]) if before is not None else None,
        before=before,
        after=change.get("after"),
        after_unknown=change.get("after_unknown") or {},
        previous_address=entry.get("previous_address"),
        deposed=entry.get("deposed"),
        importing=bool(change.get("importing")),
        reason=entry.get("action_reason"),
    )


# The state that a plan file carries.
_STATE = "tfstate"


def prior_stamp(plan_file: bytes) -> StateStamp:
    """Lineage and serial of the state a saved plan was made from; NO_STATE when there was none.

    Raises HoldfastError where the file is no plan of Terraform.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(plan_file)) as archive:
            state = state_document(archive.read(_STATE))
        return StateStamp(state.get("lineage", ""), int(state.get("serial", 0)))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise HoldfastError(
            f"This is not a plan file Terraform wrote: {error}.", next_step="plan again"
        ) from error
