"""What `holdfast explain` prints: the properties of stacks, for people and as a JSON document."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from holdfast_orchestrator.app.explained import ExplainedBlock, ExplainedProperty, ExplainedStack
from holdfast_orchestrator.report.copying import copied
from holdfast_orchestrator.report.wording import columns, counted, cut_middle
from holdfast_orchestrator.system.visible import json_text

_VALUE = 32
_WEAKER = "!"
_BELOW = " " * 6
# The two spaces before each of the three columns.
_GAPS = 6
_Row = tuple[str, str, str]


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


def explain_lines(
    stacks: Sequence[ExplainedStack],
    *,
    weakened: bool,
    reasons: bool,
    width: int | None = None,
    redacted: Callable[[str], str] = str,
) -> Iterator[str]:
    """List the properties of each stack; with `reasons`, what each is for.

    On a terminal of `width` columns no line is longer, and nothing is left out: what does not fit beside the
    name goes on below. Elsewhere each property has one line, and a long value is shortened. `redacted` masks
    secrets in a value; half of one would not be known as one.
    """
    for stack in stacks:
        shown = _weakened(stack) if weakened else stack
        if weakened and not shown.blocks:
            continue
        tenant = f"  tenant {stack.tenant}" if stack.tenant else ""
        yield from _folded(f"{stack.name}  profile {stack.profile}{tenant}", width)
        if shown.settings:
            yield ""
            yield "settings"
            rows = [(each.name, redacted(_text(each.value)), each.source) for each in shown.settings]
            for lines in _rows(rows, width):
                yield from lines
        for block in shown.blocks:
            yield from _block(block, reasons=reasons, width=width, redacted=redacted)
        yield ""
    yield from _folded(_sum(stacks), width)


def _block(
    block: ExplainedBlock, *, reasons: bool, width: int | None, redacted: Callable[[str], str]
) -> Iterator[str]:
    yield ""
    yield from _folded(f'{block.block} "{block.id}"' + (f"  {block.place}" if block.place else ""), width)
    rows = [(each.name, redacted(_text(each.value)), each.source) for each in block.properties]
    for each, (first, *then) in zip(block.properties, _rows(rows, width), strict=True):
        yield f"{_WEAKER} {first[2:]}" if each.weakened else first
        yield from then
        for line in _below(each, reasons=reasons):
            yield from _folded(line, width)


def _below(entry: ExplainedProperty, *, reasons: bool) -> Iterator[str]:
    if reasons and entry.why:
        yield f"{_BELOW}{entry.why}"
    if entry.controls:
        yield f"{_BELOW}{'not satisfied: ' if entry.weakened else ''}{', '.join(entry.controls)}"


def _rows(rows: Sequence[_Row], width: int | None) -> Iterator[list[str]]:
    """Yield the lines of each row; what does not fit beside the others is by itself, on one line or more."""
    if width is None:
        shown = [(name, cut_middle(value, _VALUE), source) for name, value, source in rows]
        yield from ([f"  {line}"] for line in (columns(shown) if shown else ()))
        return
    beside = sorted(rows, key=lambda row: len(row[1]))
    while beside and sum(max(map(len, cells)) for cells in zip(*beside, strict=True)) + _GAPS > width:
        beside.pop()
    table = iter(columns([row for row in rows if row in beside])) if beside else iter(())
    for row in rows:
        if row in beside:
            yield [f"  {next(table)}"]
        else:
            line = f"  {'  '.join(row)}"
            yield [line] if len(line) <= width else _one_below_another(row, width)


def _one_below_another(row: _Row, width: int) -> list[str]:
    name, *others = row
    below = [line for text in others for line in _folded(f"{_BELOW}{text}", width)]
    return [*_folded(f"  {name}", width), *below]


def _folded(line: str, width: int | None) -> list[str]:
    """Return a line in pieces of at most `width` characters; a word that is longer is taken apart."""
    if width is None or len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())] or _BELOW
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)


def _text(value: Any) -> str:
    match value:
        case None:
            return "-"
        case str():
            return value
        case _:
            return json_text(value)


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
