"""Reads explained.json, which an app of Holdfast's blocks writes beside cdktf's manifest.

It says of every setting and every property what it is, where that came from, and which controls it satisfies.
Unknown fields are let pass, so that an older orchestrator reads what a newer app writes.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from holdfast_orchestrator.app.json_model import read_model
from holdfast_orchestrator.errors import UsageError

FILE_NAME = "explained.json"


class ExplainedSetting(BaseModel):
    """A setting; `source` is a file, a profile, or `default`."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    name: str
    value: Any = None
    source: str = Field(alias="from")


class ExplainedProperty(ExplainedSetting):
    """A property of a block; `weakened` means that its value does not satisfy `controls`."""

    why: str = ""
    controls: tuple[str, ...] = ()
    weakened: bool = False


class ExplainedBlock(BaseModel):
    """A block by its class and id, with the line of the app that made it."""

    model_config = ConfigDict(frozen=True)

    block: str
    id: str
    place: str | None = None
    properties: tuple[ExplainedProperty, ...] = ()


class ExplainedStack(BaseModel):
    """A stack, its profile and tenant, what its settings say, and its blocks in the order they were made."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    profile: str
    tenant: str | None = None
    settings: tuple[ExplainedSetting, ...] = ()
    blocks: tuple[ExplainedBlock, ...] = ()


class ExplainedDocument(BaseModel):
    """All of explained.json."""

    model_config = ConfigDict(frozen=True)

    schema_: Literal["holdfast/explained/v1"] = Field(alias="schema")
    stacks: dict[str, ExplainedStack]


def read_explained(output: Path, stacks: Collection[str]) -> tuple[ExplainedStack, ...]:
    """Return the explanation of these stacks, sorted by name.

    Raises UsageError where the app writes none: it is not made of Holdfast's blocks.
    """
    file = output / FILE_NAME
    if not file.is_file():
        raise UsageError(
            "this app says nothing of its properties: it has no stacks of Holdfast's blocks",
            next_step="holdfast list",
        )
    document = read_model(file, ExplainedDocument)
    found = {name: stack for name, stack in document.stacks.items() if name in stacks}
    return tuple(stack.model_copy(update={"name": name}) for name, stack in sorted(found.items()))
