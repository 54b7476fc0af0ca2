"""The JSON document of `holdfast init` and `holdfast new`, as a value."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from holdfast_orchestrator.scaffold.writing import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """`holdfast init --json` and `holdfast new … --json`; the paths are relative to `folder`."""

    schema: Literal["holdfast/new/v1"] = "holdfast/new/v1"
    folder: str
    created: tuple[str, ...]
    extended: tuple[str, ...]
    next: tuple[str, ...]


def new_document(written: "Written") -> NewDocument:
    """Return the document that says what was written."""
    return NewDocument(
        folder=str(written.folder),
        created=tuple(str(file.relative_to(written.folder)) for file in written.created),
        extended=tuple(str(file.relative_to(written.folder)) for file in written.extended),
        next=written.next_steps,
    )
