"""Differences that never settle and that somebody has accepted by name: the entries, as values.

A provider that rewrites a value, a `timestamp()`, a policy whose lists come back in another order: the plan
right after an apply still shows a change. An entry accepts such a change of one attribute at one address.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from holdfast_orchestrator.terraform.addresses import configuration_address

Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]

ANY = "*"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_INDEX = re.compile(r"\[(?:(\d+)|(\*)|(\"(?:[^\"\\]|\\.)*\"))\]")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+|\*")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedDifference:
    """One entry.

    `resource` is an address, in which `*` means anything; without a key it means every instance.
    `attribute` is a path (`policy`, `tags["stamp"]`, `ingress[*].description`) and means everything below
    it. `expires` (ISO date) is the last day it counts. With `same` "json" it counts only where both values
    are the same JSON, whatever the order of keys and lists.
    """

    resource: str
    attribute: str
    reason: str
    owner: str
    expires: str | None = None
    same: Literal["json"] | None = None

    def covers_address(self, address: str) -> bool:
        """Whether the entry is about the object at `address`."""
        pattern = ".*".join(map(re.escape, self.resource.split(ANY)))
        forms = (address, configuration_address(address))
        return any(re.fullmatch(pattern, form, re.DOTALL) for form in forms)

    def covers(self, path: Path) -> bool:
        """Whether `path` is the entry's attribute, or lies below it."""
        steps = parse_path(self.attribute)
        pairs = zip(steps, path, strict=False)
        return len(steps) <= len(path) and all(step in (ANY, actual) for step, actual in pairs)

    def has_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and self.expires < today.isoformat()

    def to_json(self) -> dict[str, Any]:
        """Return the entry as holdfast.json has it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedUse:
    """An entry that a plan used: the object and the attribute that still differ, and who accepted it."""

    resource: str
    attribute: str
    reason: str
    owner: str
    expires: str | None = None

    def __str__(self) -> str:
        return f"{self.resource} {self.attribute} ({self.words})"

    @property
    def words(self) -> str:
        """Why it is accepted, by whom, and until when."""
        until = "" if self.expires is None else f", until {self.expires}"
        return f"{self.reason}; accepted by {self.owner}{until}"


def count_words(uses: Sequence[AcceptedUse]) -> str:
    """Return "1 accepted difference", "2 accepted differences", or nothing at all."""
    if not uses:
        return ""
    return f"{len(uses)} accepted difference{'' if len(uses) == 1 else 's'}"


def parse_path(text: str) -> Path:
    """Return the steps of an attribute path. Raises ValueError with the reason why it is none."""
    first = _NAME.match(text)
    if first is None:
        raise ValueError(
            f'an attribute path begins with an attribute\'s name, as tags["stamp"], got {text!r}'
        )
    steps: list[Step] = [first.group()]
    place = first.end()
    while place < len(text):
        step, place = _next(text, place)
        steps.append(step)
    return tuple(steps)


def format_path(path: Path) -> str:
    """Return the path as `parse_path` reads it."""
    words = str(path[0])
    for step in path[1:]:
        plain = isinstance(step, str) and _NAME.fullmatch(step)
        words += f".{step}" if plain else f"[{json.dumps(step, ensure_ascii=False)}]"
    return words


def _next(text: str, place: int) -> tuple[Step, int]:
    if index := _INDEX.match(text, place):
        number, anything, key = index.groups()
        step: Step = int(number) if number is not None else anything or json.loads(key)
        return step, index.end()
    if text[place] == "." and (name := _PLAIN.match(text, place + 1)):
        return (int(name.group()) if name.group().isdigit() else name.group()), name.end()
    raise ValueError(
        f"attribute path {text!r} cannot be read from {text[place:]!r} on; a step is .name, [0], [*] or "
        '["key"]'
    )
