"""What `holdfast explain` prints: the properties of stacks, for people and as a JSON document."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from holdfast_orchestrator.app.explained import ExplainedBlock, ExplainedProperty, ExplainedStack
from holdfast_orchestrator.report.copying import copied
from holdfast_orchestrator.report.wording import columns, counted, cut_middle
from holdfast_orchestrator.system.visible import json_text

_VALUE = 32
_WEAKER = "!"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedSetting:
    """A setting; `source` is a file, a profile, or `default`."""

    name: str
    value: Any
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedProperty:
    """A property of a block; `weakened` means that its value does not satisfy `controls`."""

    name: str
    value: Any
    source: str
    why: str
    controls: tuple[str, ...]
    weakened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedBlock:
    """A block by its class and id, with the line of the app that made it."""

    block: str
    id: str
    place: str | None
    properties: tuple[PrintedProperty, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedStack:
    """A stack, its profile and tenant, its settings, and its blocks in the order they were made."""

    name: str
    profile: str
    tenant: str | None
    settings: tuple[PrintedSetting, ...]
    blocks: tuple[PrintedBlock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainDocument:
    """`holdfast explain --json`."""

    schema: Literal["holdfast/explain/v1"] = "holdfast/explain/v1"
    stacks: tuple[PrintedStack, ...]


def explain_document(stacks: Sequence[ExplainedStack], *, weakened: bool) -> ExplainDocument:
    """Return the document that shows stacks; with `weakened`, only the properties that weaken a control."""
    shown = (_weakened(stack) if weakened else stack for stack in stacks)
    return ExplainDocument(stacks=tuple(map(_printed, shown)))


def _printed(stack: ExplainedStack) -> PrintedStack:
    return copied(
        PrintedStack,
        stack,
        settings=tuple(copied(PrintedSetting, each) for each in stack.settings),
        blocks=tuple(
            copied(
                PrintedBlock,
                block,
                properties=tuple(copied(PrintedProperty, each) for each in block.properties),
            )
            for block in stack.blocks
        ),
    )


def explain_lines(stacks: Sequence[ExplainedStack], *, weakened: bool, reasons: bool) -> Iterator[str]:
    """List the properties of each stack; with `reasons`, what each is for."""
    for stack in stacks:
        shown = _weakened(stack) if weakened else stack
        if weakened and not shown.blocks:
            continue
        yield f"{stack.name}  profile {stack.profile}" + (f"  tenant {stack.tenant}" if stack.tenant else "")
        if shown.settings:
            yield ""
            yield "settings"
            yield from _indented([(each.name, _value(each.value), each.source) for each in shown.settings])
        for block in shown.blocks:
            yield from _block(block, reasons=reasons)
        yield ""
    yield _sum(stacks)


def _block(block: ExplainedBlock, *, reasons: bool) -> Iterator[str]:
    yield ""
    yield f'{block.block} "{block.id}"' + (f"  {block.place}" if block.place else "")
    rows = [(each.name, _value(each.value), each.source) for each in block.properties]
    for each, line in zip(block.properties, _indented(rows), strict=True):
        yield f"{_WEAKER} {line[2:]}" if each.weakened else line
        yield from _below(each, reasons=reasons)


def _below(entry: ExplainedProperty, *, reasons: bool) -> Iterator[str]:
    if reasons and entry.why:
        yield f"      {entry.why}"
    if entry.controls:
        yield f"      {'not satisfied: ' if entry.weakened else ''}{', '.join(entry.controls)}"


def _indented(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    return (f"  {line}" for line in columns(rows)) if rows else iter(())


def _value(value: Any) -> str:
    match value:
        case None:
            return "-"
        case str():
            text = value
        case _:
            text = json_text(value)
    return cut_middle(text, _VALUE)


def _weakened(stack: ExplainedStack) -> ExplainedStack:
    kept = []
    for block in stack.blocks:
        weak = tuple(each for each in block.properties if each.weakened)
        if weak:
            kept.append(block.model_copy(update={"properties": weak}))
    return stack.model_copy(update={"settings": (), "blocks": tuple(kept)})


def _sum(stacks: Sequence[ExplainedStack]) -> str:
    rows = [each for stack in stacks for block in stack.blocks for each in block.properties]
    weak = sum(each.weakened for each in rows)
    satisfied = len({control for each in rows if not each.weakened for control in each.controls})
    words = {0: "no property weakens", 1: "1 property weakens"}.get(weak, f"{weak} properties weaken")
    return f"{counted(satisfied, 'control')} satisfied · {words} a control"
