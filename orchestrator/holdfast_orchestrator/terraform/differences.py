"""Compare what a plan still shows right after an apply with what somebody accepted.

Only an update in place can be accepted, and only where every attribute that differs is named by an entry:
another attribute of the same object, a replacement, a delete, a create, a move or an import never hide
behind one.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from holdfast_orchestrator.terraform.accepted import AcceptedDifference, AcceptedUse, Path, format_path
from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.json_values import Document, blocks, digest
from holdfast_orchestrator.terraform.plan import Action, Change

# The AWS provider repeats every tag there, and does not know the whole of it while it does not know one tag.
_TAGS, _ALL_TAGS = "tags", "tags_all"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs; `unknown` where it will be known after the apply only."""

    path: Path
    before: Any
    after: Any
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class OpenDifference:
    """A change that nobody accepted: the attributes that differ; none where it is no update in place."""

    address: str
    attributes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.address} ({', '.join(self.attributes)})" if self.attributes else self.address


@dataclass(frozen=True, slots=True)
class Accepting:
    """The entries in force; those whose last day is before `today` do not count (None: all do).

    `configuration` is what was planned: it has the parts of a map that the provider takes for unknown as a
    whole.
    """

    entries: tuple[AcceptedDifference, ...] = ()
    today: date | None = None
    configuration: Document = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was accepted, what would have been had its entry not expired, and what nobody accepted.

    `unused` are the entries that no difference needed. `mark` (SHA-256) differs for other
    differences: by object, attribute and values, but for what a value was that is known after the apply only.
    """

    accepted: tuple[AcceptedUse, ...] = ()
    expired: tuple[AcceptedUse, ...] = ()
    open: tuple[OpenDifference, ...] = ()
    unused: tuple[AcceptedDifference, ...] = ()
    mark: str = ""


def judge_differences(changes: Iterable[Change], rules: Accepting) -> Judged:
    """Judge every change of a plan that does something."""
    accepted: list[AcceptedUse] = []
    expired: list[AcceptedUse] = []
    left: list[OpenDifference] = []
    used: set[AcceptedDifference] = set()
    marks: list[list[str]] = []
    for change in changes:
        if not change.touches:
            continue
        differing = differences(change, rules.configuration)
        entries = _accepting(change, differing, rules.entries)
        naming = {path: entry for path, entry in entries.items() if entry is not None}
        used.update(naming.values())
        if len(naming) < len(entries) or not entries:
            unnamed = (path for path in entries if path not in naming)
            left.append(OpenDifference(change.address, tuple(map(format_path, unnamed))))
            continue
        for path, entry in naming.items():
            over = rules.today is not None and entry.has_expired(rules.today)
            (expired if over else accepted).append(_use(change, path, entry))
        marks += [[change.address, str(change.identity), *_values(difference)] for difference in differing]
    return Judged(
        accepted=tuple(accepted),
        expired=tuple(expired),
        open=tuple(left),
        unused=tuple(entry for entry in rules.entries if entry not in used),
        mark=digest(marks),
    )


def differences(change: Change, configuration: Document | None = None) -> tuple[Difference, ...]:
    """Return each value of an update in place that differs; nothing for any other change."""
    if change.action is not Action.UPDATE or change.importing or change.deposed:
        return ()
    if change.previous_address not in (None, change.address):
        return ()
    wholes = _walk((), change.before or {}, change.after or {}, change.after_unknown)
    return tuple(part for whole in wholes for part in _parts(whole, change, configuration or {}))


def _parts(whole: Difference, change: Change, configuration: Document) -> Iterator[Difference]:
    """The keys of a map that is unknown as a whole because one value is: the others are as written."""
    written = _written(configuration, change.address, whole.path) if whole.unknown else None
    if written is None or not isinstance(whole.before, dict):
        yield whole
        return
    parts = [
        Difference((*whole.path, name), whole.before.get(name), None, unknown=_is_template(written.get(name)))
        for name in sorted({*written, *whole.before})
        if _is_template(written.get(name)) or written.get(name) != whole.before.get(name)
    ]
    yield from parts if any(part.unknown for part in parts) else (whole,)


def _written(configuration: Document, address: str, path: Path) -> Document | None:
    """The map that a resource's block has for an attribute, None for anything else."""
    place = configuration_address(address)
    for kind, name, block in blocks(configuration, "resource"):
        if f"{kind}.{name}" == place and len(path) == 1 and isinstance(block.get(str(path[0])), dict):
            written: Document = block[str(path[0])]
            return written
    return None


def _is_template(value: object) -> bool:
    return isinstance(value, str) and ("${" in value or "%{" in value)


def _accepting(
    change: Change, differing: Sequence[Difference], entries: Sequence[AcceptedDifference]
) -> dict[Path, AcceptedDifference | None]:
    """The entry that accepts each differing attribute, None for none; all that a tag repeats goes with it."""
    of_object = [entry for entry in entries if entry.covers_address(change.address)]
    chosen = {difference.path: _entry_for(difference, of_object) for difference in differing}
    for difference in differing:
        tags = [other.path for other in differing if other.path[0] == _TAGS and _repeats(difference, other)]
        if tags and chosen[difference.path] is None:
            entry = next((chosen[path] for path in tags if chosen[path] is not None), None)
            if entry is None:
                del chosen[difference.path]
            else:
                chosen[difference.path] = entry
    return chosen


def _repeats(difference: Difference, tag: Difference) -> bool:
    """Whether this is a tag once more, or all of them because that one is not known yet."""
    if difference.path == (_ALL_TAGS,):
        return difference.unknown and tag.unknown
    return difference.path == (_ALL_TAGS, *tag.path[1:])


def _entry_for(difference: Difference, entries: Sequence[AcceptedDifference]) -> AcceptedDifference | None:
    return next(
        (
            entry
            for entry in entries
            if entry.covers(difference.path) and (entry.same is None or _is_same_json(difference))
        ),
        None,
    )


def _values(difference: Difference) -> list[str]:
    before = "" if difference.unknown else digest(difference.before)
    return [format_path(difference.path), before, digest(difference.after)]


def _use(change: Change, path: Path, entry: AcceptedDifference) -> AcceptedUse:
    return AcceptedUse(
        resource=change.address,
        attribute=format_path(path),
        reason=entry.reason,
        owner=entry.owner,
        expires=entry.expires,
    )


def _walk(path: Path, before: Any, after: Any, unknown: Any) -> Iterator[Difference]:
    if unknown is True:
        yield Difference(path, before, None, unknown=True)
    elif isinstance(before, dict) and isinstance(after, dict):
        marks = unknown if isinstance(unknown, dict) else {}
        for name in sorted({*before, *after, *marks}):
            yield from _walk((*path, name), before.get(name), after.get(name), marks.get(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        given = unknown if isinstance(unknown, list) else []
        padded = [*given, *[None] * (len(before) - len(given))]
        for place, (old, new, mark) in enumerate(zip(before, after, padded, strict=False)):
            yield from _walk((*path, place), old, new, mark)
    elif before != after or has_unknown(unknown):
        yield Difference(path, before, after, unknown=has_unknown(unknown))


def has_unknown(mark: Any) -> bool:
    """Whether anything in a part of `after_unknown` is known after the apply only."""
    match mark:
        case dict():
            return any(map(has_unknown, mark.values()))
        case list():
            return any(map(has_unknown, mark))
        case _:
            return mark is True


def _is_same_json(difference: Difference) -> bool:
    if difference.unknown:
        return False
    try:
        before, after = (json.loads(text) for text in (difference.before, difference.after))
    except (TypeError, ValueError):
        return False
    return _unordered(before) == _unordered(after)


def _unordered(value: Any) -> str:
    match value:
        case dict():
            return json.dumps({name: _unordered(inner) for name, inner in value.items()}, sort_keys=True)
        case list():
            return json.dumps(sorted(map(_unordered, value)))
        case _:
            return json.dumps(value)
