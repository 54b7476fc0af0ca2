"""The entries of `accepted_differences`, as holdfast.json and cdktf.json have them, checked."""

from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, field_validator

from holdfast_orchestrator.app.json_model import explain
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.terraform.accepted import AcceptedDifference, parse_path

_WHERE = "cdktf.json: context.holdfast.accepted_differences"

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class AcceptedDifferenceEntry(BaseModel):
    """A change that a plan may go on showing right after an apply: one attribute of some objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resource: Words = Field(description="resource address, `*` for any part; without a key all its instances")
    attribute: Words = Field(
        description='path of the attribute, such as tags["stamp"] or ingress[*].description'
    )
    reason: Words = Field(description="why it never settles")
    owner: Words = Field(description="who accepted it")
    expires: date | None = Field(None, description="the last day it counts")
    same: Literal["json"] | None = Field(
        None, description="json: only where both values are the same JSON, in another order"
    )

    @field_validator("attribute")
    @classmethod
    def _readable(cls, path: str) -> str:
        parse_path(path)
        return path

    def as_value(self) -> AcceptedDifference:
        """Return the same as the value the orchestrator works with."""
        fields = self.model_dump(exclude={"stack"})
        return AcceptedDifference(**{**fields, "expires": self.expires and self.expires.isoformat()})


class StackEntry(AcceptedDifferenceEntry):
    """The same in cdktf.json; it is about the stacks whose names fit the pattern `stack`."""

    stack: Words = "*"


_ENTRIES = TypeAdapter(tuple[StackEntry, ...])


def accepted_by_stack(shards: tuple[Shard, ...], given: Any) -> tuple[Shard, ...]:
    """Return the shards, each with the entries of cdktf.json that are about it.

    Raises SettingsError for an entry that is malformed or about no stack of the app.
    """
    try:
        entries = _ENTRIES.validate_python(given)
    except ValueError as error:
        raise SettingsError(
            f"{_WHERE}: {explain(error)}",
            next_step="each entry has resource, attribute, reason and owner, and may have stack, expires "
            "(YYYY-MM-DD) and same",
        ) from None
    names = [shard.name for shard in shards]
    for place, entry in enumerate(entries):
        if not any(fnmatchcase(name, entry.stack) for name in names):
            raise SettingsError(
                f"{_WHERE}.{place}.stack: there is no stack {entry.stack!r}; there are: {', '.join(names)}",
                next_step="name one of them, or leave `stack` out",
            )
    return tuple(_with(shard, entries) for shard in shards)


def _with(shard: Shard, entries: tuple[StackEntry, ...]) -> Shard:
    own = tuple(entry.as_value() for entry in entries if fnmatchcase(shard.name, entry.stack))
    return replace(shard, accepted_differences=(*shard.accepted_differences, *own))
