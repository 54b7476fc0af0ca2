"""An engine's warnings and errors: each once, in the engine's words, with a place and advice.

An engine repeats itself: in its events and on standard error, once per attempt, with another
request id each time. Here a complaint is a value, duplicates are dropped, and two things are added:
one line of advice under the raw text where the failure is a known one (`advice.toml`), and the
construct and the line of Python that declared the resource.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Self

from holdfast_orchestrator.app.manifest import Source
from holdfast_orchestrator.errors import EngineError
from holdfast_orchestrator.terraform.json_values import mapping_of, text_of

# Differ from one attempt to the next and say nothing.
_NOISE = re.compile(r"(?i)\b(request ?id|host ?id|x-amz-[a-z-]+)\b[:=]?\s*[^\s,]+,?")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_HEADLINE = re.compile(r"^(Error|Warning): (.*)$")
_PLACE = re.compile(r"^\s*on (?P<file>\S+) line (?P<line>\d+)")
_ADDRESS = re.compile(r"^\s*with (?P<address>[^,]+),$")
_CYCLE = re.compile(r"Cycle: (?P<members>[^\n]+)")
_INDEX = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A complaint. `severity` is error or warning; `file` and `line` are in the configuration."""

    severity: str
    summary: str
    detail: str = ""
    address: str | None = None
    file: str | None = None
    line: int | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Read an engine's JSON form; what is missing or of another type is left empty."""
        place = mapping_of(body.get("range"))
        line = mapping_of(place.get("start")).get("line")
        return cls(
            severity=text_of(body.get("severity")) or "error",
            summary=text_of(body.get("summary")).strip(),
            detail=text_of(body.get("detail")).strip(),
            address=text_of(body.get("address")) or None,
            file=text_of(place.get("filename")) or None,
            line=line if isinstance(line, int) else None,
        )

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    @property
    def text(self) -> str:
        """The engine's own words."""
        return f"{self.summary}\n{self.detail}" if self.detail else self.summary

    @property
    def advice(self) -> str | None:
        """One line on what to do, where the failure is a known one."""
        return advice_for(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a resource was declared; `file` and `line` in Python, where the app recorded them."""

    address: str
    path: str | None = None
    construct: str | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.file else None
        what = self.construct or self.path or self.address
        return f"{where} ({what})" if where else what


@dataclass(frozen=True, slots=True)
class Advice:
    """A known failure: a pattern, what to do, and a text it was seen in."""

    id: str
    pattern: re.Pattern[str]
    advice: str
    example: str


class CommandFailedError(EngineError):
    """An engine's command failed; `diagnostics` say why, `code` is its exit code."""

    def __init__(self, command: str, code: int, diagnostics: Sequence[Diagnostic]) -> None:
        errors = [diagnostic for diagnostic in diagnostics if diagnostic.is_error]
        words = "\n".join(error.text for error in errors) or "it gave no reason"
        advice = next((error.advice for error in errors if error.advice), None)
        super().__init__(f"{command} failed (exit code {code}): {words}", next_step=advice)
        self.command = command
        self.code = code
        self.diagnostics = tuple(diagnostics)


def unique(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Drop repetitions, request ids and line breaks aside; the first and fullest of each stays."""
    first: dict[tuple[str, str, str | None], Diagnostic] = {}
    for diagnostic in diagnostics:
        essence = " ".join(_NOISE.sub("", diagnostic.text).split())
        first.setdefault((diagnostic.severity, essence, diagnostic.address), diagnostic)
    placed = {(severity, text) for severity, text, address in first if address is not None}
    return tuple(
        diagnostic
        for (severity, text, address), diagnostic in first.items()
        if address is not None or (severity, text) not in placed
    )


def from_stderr(text: str) -> tuple[Diagnostic, ...]:
    """Read the boxes that commands without `-json` draw on standard error."""
    lines = [re.sub(r"^[│╷╵] ?", "", line) for line in _COLOR.sub("", text).splitlines()]
    starts = [number for number, line in enumerate(lines) if _HEADLINE.match(line)]
    ends = [*starts[1:], len(lines)]
    return tuple(_from_box(lines[start:end]) for start, end in zip(starts, ends, strict=False))


def _from_box(lines: Sequence[str]) -> Diagnostic:
    severity, summary = lines[0].split(": ", 1)
    address = next(filter(None, map(_ADDRESS.match, lines)), None)
    place = next(filter(None, map(_PLACE.match, lines)), None)
    body = [line for line in lines[1:] if not _ADDRESS.match(line) and not _PLACE.match(line)]
    return Diagnostic(
        severity=severity.lower(),
        summary=summary.strip(),
        detail="\n".join(body).strip(),
        address=address["address"] if address else None,
        file=place["file"] if place else None,
        line=int(place["line"]) if place else None,
    )


@cache
def known_failures() -> tuple[Advice, ...]:
    """Return the table of known failures, in the order they are tried."""
    table = tomllib.loads(files(__package__).joinpath("advice.toml").read_text(encoding="utf-8"))
    return tuple(
        Advice(row["id"], re.compile(row["match"], re.IGNORECASE | re.DOTALL), row["advice"], row["example"])
        for row in table["failure"]
    )


def advice_for(text: str) -> str | None:
    """Return the line of advice for a failure's text, or None where it is not a known one."""
    return next((failure.advice for failure in known_failures() if failure.pattern.search(text)), None)


def locate(diagnostic: Diagnostic, sources: Mapping[str, Source], configuration: bytes) -> Place | None:
    """Return where the resource a complaint is about was declared, or None where that is unknown.

    `sources` is the deployment manifest's map from address to construct and Python line;
    `configuration` the shard's `cdk.tf.json`, whose own metadata is the fallback.
    """
    address = diagnostic.address or _address_at(configuration, diagnostic.line)
    return None if address is None else _place(address, sources, configuration)


def places(diagnostic: Diagnostic, sources: Mapping[str, Source], configuration: bytes) -> tuple[Place, ...]:
    """Return where everything was declared that a complaint names: one resource, or those of a cycle."""
    cycle = _CYCLE.match(diagnostic.text)
    if cycle is None:
        place = locate(diagnostic, sources, configuration)
        return () if place is None else (place,)
    # An operation on an object stands behind its address: `aws_vpc.a (destroy)`.
    addresses = dict.fromkeys(each.partition(" ")[0] for each in cycle["members"].split(", "))
    return tuple(_place(address, sources, configuration) for address in addresses if address)


def _place(address: str, sources: Mapping[str, Source], configuration: bytes) -> Place:
    plain = _INDEX.sub("", address)
    source = sources.get(address) or sources.get(plain)
    if source is None:
        return Place(address=address, path=_metadata_path(configuration, plain))
    return Place(
        address=address, path=source.path, construct=source.construct, file=source.file, line=source.line
    )


def _metadata_path(configuration: bytes, address: str) -> str | None:
    try:
        block = json.loads(configuration)
    except ValueError:
        return None
    parts = address.split(".") if address.startswith("data.") else ["resource", *address.split(".")]
    for key in (*parts[:3], "//", "metadata"):
        block = mapping_of(block).get(key)
    return text_of(mapping_of(block).get("path")) or None


def _address_at(configuration: bytes, line: int | None) -> str | None:
    """Climb from a line of indented JSON to the resource around it."""
    if line is None:
        return None
    lines = configuration.decode(errors="replace").splitlines()[:line]
    match list(_keys_around(lines))[::-1]:
        case ["resource", kind, name, *_]:
            return f"{kind}.{name}"
        case ["data", kind, name, *_]:
            return f"data.{kind}.{name}"
        case _:
            return None


def _keys_around(lines: Sequence[str]) -> Iterator[str]:
    depth: int | None = None
    for line in reversed(lines):
        key = re.match(r'^(\s*)"([^"]+)":', line)
        if key and (depth is None or len(key[1]) < depth):
            depth = len(key[1])
            yield key[2]
