"""Why an app failed, in few lines: the exception, and the user's own lines.

Of a cycle of stacks, the app's Python reports which reference in which construct makes each stack need the
next (`bindings/holdfast_bindings/cycle.py`); without that report, cdktf's message names two of the stacks.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.javascript_error import javascript_error
from holdfast_orchestrator.app.python_error import Failure, python_error, relative, without_installed
from holdfast_orchestrator.terraform.json_values import mapping_of, text_of

_CYCLE = re.compile(
    r"Cannot add dependency (?P<first>\S+) to (?P<second>\S+), because it would cause a circular"
)
# The blocks' own errors; what they are about is bad input, as wrong settings are.
_REFUSED = re.compile(r"^holdfast_constructs\.[\w.]*Error: ")
# jsii draws a tree of what it cannot pass on to JavaScript, and why.
_NOT_DESERIALIZED = re.compile(
    r"Passed to parameter \w+ of (?:new )?(?:\S+\.)?(?P<kind>\w+): Unable to deseriali[sz]e"
)
_KEY = re.compile(r"Key '(?P<key>[^']+)': Unable to deseriali[sz]e value as (?P<type>.+)")
_VALUE = re.compile(r"Failing value is .*\n[^\w'\"\[{]*(.+)")
_CYCLE_NEXT = "take one of these references away, or move what both stacks use into a stack of its own"
_LONGEST = 40
_LONGEST_TEXT = 600
_MOST_FRAMES = 8
_FEWEST = 2  # stacks in a cycle


@dataclass(frozen=True, slots=True)
class AppError:
    """An error of the app: its text in lines, what to do, and whether one of our blocks refused its input."""

    text: str
    rows: tuple[str, ...] = ()
    next_step: str | None = None
    is_refused: bool = False

    def lines(self) -> Sequence[str]:
        """Return it for people: the exception, then a line for each frame or reference."""
        return (self.text, *self.rows)


def error_in(text: str, folder: Path, *, cycle: Sequence[str] = ()) -> AppError | None:
    """Return the error that an app in `folder` ended with; None where `text` shows none of the user's.

    `cycle` is what the app's Python reported of cycles of stacks, each as JSON.
    """
    failure = python_error(text, folder) or javascript_error(text, folder)
    refused = _CYCLE.search(text if failure is None else failure.text)
    if refused is not None:
        return _cycle(refused, failure, cycle, folder)
    if failure is None:
        return None
    is_refused = _REFUSED.match(failure.text) is not None
    return AppError(_plain(_REFUSED.sub("", failure.text)), tuple(_frames(failure)), is_refused=is_refused)


def trimmed(text: str) -> str:
    """Return an app's error output without what is not the app's own: of what remains, the last 40 lines."""
    return "\n".join(without_installed(text).splitlines()[-_LONGEST:])


def _cycle(refused: re.Match[str], failure: Failure | None, reports: Sequence[str], folder: Path) -> AppError:
    frames = () if failure is None else (*_frames(failure), *_made_at(failure, refused["first"]))
    edges = _edges(reports, refused)
    if not edges:
        return AppError(
            f"stacks {refused['first']} and {refused['second']} use each other's attributes, directly or "
            "through other stacks: one of the two must not refer to the other",
            frames,
            _CYCLE_NEXT,
        )
    names = [text_of(edge.get("stack")) for edge in edges]
    return AppError(
        f"stacks {', '.join(names[:-1])} and {names[-1]} need each other"
        f"{' in a circle' if len(names) > _FEWEST else ''}, so that none can be deployed first",
        (
            f"  {_needs(edges[0])}, which closes the circle:",
            *_use_rows(edges[0], folder),
            *(row for edge in edges[1:] for row in (f"  {_needs(edge)}:", *_use_rows(edge, folder))),
        ),
        _CYCLE_NEXT,
    )


def _edges(reports: Sequence[str], refused: re.Match[str]) -> list[Mapping[str, Any]]:
    """Return the edges of the cycle that ended the app, as they were reported last."""
    for report in reversed(reports):
        try:
            cycle = json.loads(report)
        except ValueError:
            continue
        edges = [mapping_of(edge) for edge in mapping_of(cycle).get("cycle") or ()]
        if edges and (edges[0].get("stack"), edges[0].get("needs")) == (refused["second"], refused["first"]):
            return edges
    return []


def _needs(edge: Mapping[str, Any]) -> str:
    return f"{edge['stack']} needs {edge['needs']}"


def _use_rows(edge: Mapping[str, Any], folder: Path) -> Iterator[str]:
    uses = [mapping_of(use) for use in edge.get("uses") or ()]
    yield from (f"    {_use(use, folder)}" for use in uses)
    if not uses:
        yield "    in a way that could not be found"
    if more := edge.get("more"):
        yield f"    and {more} more"


def _use(use: Mapping[str, Any], folder: Path) -> str:
    line = _place(use.get("line"), folder)
    if "construct" not in use:
        return f"{line}  by add_dependency" if line else "by add_dependency"
    words = f"{use.get('attribute')} of {use['construct']}"
    if "origin" in use:
        origin_line = _place(use.get("origin_line"), folder)
        what = f"{use['reference']} of {use['origin']}" if use.get("reference") else use["origin"]
        words += f" uses {what}" + (f" ({origin_line})" if origin_line else "")
    return f"{line}  {words}" if line else words


def _place(line: object, folder: Path) -> str:
    file, colon, number = text_of(line).rpartition(":")
    return f"{relative(file, folder)}{colon}{number}" if file else ""


def _frames(failure: Failure) -> Iterator[str]:
    for number, frame in enumerate(failure.frames[:_MOST_FRAMES]):
        yield f"  {'from' if number else 'at  '}  {frame.place}  {frame.code}".rstrip()
    if len(failure.frames) > _MOST_FRAMES:
        yield f"  and {len(failure.frames) - _MOST_FRAMES} more"


def _made_at(failure: Failure, stack: str) -> Iterator[str]:
    yield from (f"  what {stack} gives is made at  {frame.place}" for frame in failure.made_at)


def _plain(exception: str) -> str:
    refused = _NOT_DESERIALIZED.search(exception)
    if refused is None:
        return exception.replace(": Error: ", ": ", 1)[:_LONGEST_TEXT]
    keys = list(_KEY.finditer(exception))
    values = _VALUE.findall(exception)
    property_ = ".".join(each["key"] for each in keys) or "an argument"
    allowed = f", allowed: {_short(keys[-1]['type'])}" if keys else ""
    got = f" cannot be {values[-1].strip()}" if values else " is not allowed"
    return f"{property_} of {refused['kind']}{got}{allowed}"[:_LONGEST_TEXT]


def _short(types: str) -> str:
    """Return jsii's name of a type in words: of a class without its package."""
    return re.sub(r"[@\w/-]+\.(?=\w)", "", types).replace(" | undefined", "").replace("|", "or")
