"""A Terraform plan (`terraform show -json`) as frozen values.

Only what a person or a gate decides by is kept. Values that Terraform marks as sensitive are replaced
on the way in. Format: Terraform's "JSON Output Format", format_version 1.x.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from holdfast_orchestrator.errors import EngineError
from holdfast_orchestrator.system.redaction import Redactor, marked, masked
from holdfast_orchestrator.system.secret_places import secrets_beside_changes, without_environment
from holdfast_orchestrator.terraform.accepted import AcceptedUse, count_words
from holdfast_orchestrator.terraform.plan import Action as Planned
from holdfast_orchestrator.terraform.plan import planned_action

UNKNOWN = "(known after apply)"


class Action(StrEnum):
    """What happens to one object; REPLACE is a destroy and a create, in either order."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    READ = "read"
    NO_OP = "no-op"


_SHOWN = {
    Planned.NOTHING: Action.NO_OP,
    Planned.READ: Action.READ,
    Planned.CREATE: Action.CREATE,
    Planned.UPDATE: Action.UPDATE,
    Planned.DELETE: Action.DELETE,
    Planned.DELETE_THEN_CREATE: Action.REPLACE,
    Planned.CREATE_THEN_DELETE: Action.REPLACE,
    Planned.FORGET: Action.FORGET,
}
_COUNTED = (Action.CREATE, Action.UPDATE, Action.DELETE, Action.REPLACE)
_SILENT = (Action.NO_OP, Action.READ)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """One attribute of a change; values are JSON, masked where sensitive."""

    path: str
    before: Any
    after: Any
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """What a plan does to one object. `address` may have an index or key at its end.

    `ownership` says where an object comes from, or why it is only forgotten: another shard has to do with it.
    """

    address: str
    type: str
    action: Action
    before: Mapping[str, Any] | None = field(repr=False, default=None)
    after: Mapping[str, Any] | None = field(repr=False, default=None)
    replace_paths: tuple[str, ...] = ()
    previous_address: str | None = None
    imported: bool = False
    ownership: str | None = None

    @property
    def destroys(self) -> bool:
        """Whether the object that is there now is lost."""
        return self.action in (Action.DELETE, Action.REPLACE)

    @property
    def attributes(self) -> tuple[AttributeChange, ...]:
        """The attributes whose values differ, by name."""
        before, after = self.before or {}, self.after or {}
        return tuple(
            AttributeChange(
                path=name,
                before=before.get(name),
                after=after.get(name),
                replaces=any(path.split(".")[0] == name for path in self.replace_paths),
            )
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A plan: the changes that do something, by address, and the outputs that change, by name.

    `accepted` are differences that never settle, as somebody accepted; `expired` those whose entry is over.
    """

    changes: tuple[ResourceChange, ...] = ()
    outputs: tuple[str, ...] = ()
    terraform_version: str = ""
    accepted: tuple[AcceptedUse, ...] = ()
    expired: tuple[AcceptedUse, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether applying it would change nothing at all."""
        return not self.changes and not self.outputs

    @property
    def destroys(self) -> tuple[str, ...]:
        """The addresses of the objects that would be lost, by deletion or replacement."""
        return tuple(change.address for change in self.changes if change.destroys)

    @property
    def added(self) -> int:
        """How many objects are created, those of a replacement too (as Terraform counts)."""
        return self._count(Action.CREATE, Action.REPLACE)

    @property
    def changed(self) -> int:
        """How many objects are changed in place."""
        return self._count(Action.UPDATE)

    @property
    def destroyed(self) -> int:
        """How many objects are destroyed, those of a replacement too."""
        return self._count(Action.DELETE, Action.REPLACE)

    def counted(self) -> str:
        """Return what it does in words: `1 to add, 2 to change, 1 to destroy`; outputs where nothing else."""
        numbers = {"add": self.added, "change": self.changed, "destroy": self.destroyed}
        words = [f"{number} to {verb}" for verb, number in numbers.items() if number]
        others = len(self.changes) - self._count(*_COUNTED)
        words += [f"{others} to move, import or forget"] if others else []
        if not words and self.outputs:
            words = [f"{len(self.outputs)} output{'s' if len(self.outputs) > 1 else ''} to change"]
        return ", ".join(filter(None, (*words, count_words(self.accepted))))

    def _count(self, *actions: Action) -> int:
        return sum(change.action in actions for change in self.changes)


def parse_plan(shown: Mapping[str, Any], redactor: Redactor) -> PlanDocument:
    """Return the plan that `terraform show -json` printed; `redactor` learns its sensitive values.

    Raises EngineError for a format or an action that is not known: what cannot be read cannot be gated.
    """
    version = str(shown.get("format_version", ""))
    if not version.startswith("1."):
        raise EngineError(f"this Terraform writes plans in format {version!r}; Holdfast reads 1.x")
    _learn(shown, redactor)
    changes = (_change(raw) for raw in shown.get("resource_changes") or ())
    return PlanDocument(
        changes=tuple(
            sorted(
                (change for change in changes if _does_something(change)),
                key=lambda change: change.address,
            )
        ),
        outputs=tuple(
            sorted(
                name
                for name, change in (shown.get("output_changes") or {}).items()
                if _action(change, f"output {name}") is not Action.NO_OP
            )
        ),
        terraform_version=str(shown.get("terraform_version", "")),
    )


def _change(raw: Mapping[str, Any]) -> ResourceChange:
    change = raw["change"]
    before = masked(without_environment(change.get("before")), change.get("before_sensitive"))
    after = _with_unknown(change.get("after"), change.get("after_unknown"))
    return ResourceChange(
        address=raw["address"],
        type=raw["type"],
        action=_action(change, raw["address"]),
        before=before,
        after=masked(without_environment(after), change.get("after_sensitive")),
        replace_paths=tuple(sorted(_path(path) for path in change.get("replace_paths") or ())),
        previous_address=raw.get("previous_address"),
        imported=bool(change.get("importing")),
    )


def _does_something(change: ResourceChange) -> bool:
    moved = change.previous_address is not None and change.previous_address != change.address
    return change.action not in _SILENT or moved or change.imported


def _action(change: Mapping[str, Any], of: str) -> Action:
    action = planned_action(change)
    if action is Planned.UNKNOWN:
        raise EngineError(
            f"the plan does {tuple(change.get('actions') or ())} to {of}, which this Holdfast does not know",
            next_step="update Holdfast, or use the Terraform version it names in holdfast doctor",
        )
    return _SHOWN[action]


def _path(steps: list[Any]) -> str:
    return ".".join(str(step) for step in steps)


def _with_unknown(after: Any, unknown: Any) -> Any:
    """Put a word where the value is only known after the apply."""
    match after, unknown:
        case _, True:
            return UNKNOWN
        case ((dict() | None), dict()) if after is not None or any(unknown.values()):
            known = after or {}
            still_unknown = (name for name, mark in unknown.items() if mark and name not in known)
            return {
                name: _with_unknown(known.get(name), unknown.get(name)) for name in (*known, *still_unknown)
            }
        case list(), list():
            padded = [*unknown, *[None] * len(after)]
            return [_with_unknown(value, mark) for value, mark in zip(after, padded, strict=False)]
        case _:
            return after


def _learn(shown: Mapping[str, Any], redactor: Redactor) -> None:
    for change in _all_changes(shown):
        for side in ("before", "after"):
            for secret in marked(change.get(side), change.get(f"{side}_sensitive")):
                redactor.learn(secret)
    redactor.learn([*secrets_beside_changes(shown)])


def _all_changes(shown: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for section in ("resource_changes", "resource_drift"):
        yield from (raw["change"] for raw in shown.get(section) or ())
    yield from (shown.get("output_changes") or {}).values()
