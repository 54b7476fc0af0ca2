"""The base of every table of settings, and the record of which settings the stacks read.

A setting that no stack reads would be lost without a word. So while stacks are built, `recorded` notes
each field that is read, and `unread` says which fields of the file nobody asked for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict

Path = tuple[str | int, ...]
# The tables by their identity: equal tables of two environments are two.
Reads = set[tuple[int, str]]

_open_records: list[Reads] = []


class Settings(BaseModel):
    """A table of a settings file: frozen, strict, and without keys that are not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    def __getattribute__(self, name: str) -> Any:
        """Return an attribute, and note the reading of a field while a record is open."""
        if _open_records and name in type(self).__pydantic_fields__:
            _open_records[-1].add((id(self), name))
        return super().__getattribute__(name)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return the table as a dict; it counts as reading all of it."""
        self.read_all()
        return super().model_dump(**options)

    def read_all(self) -> None:
        """Read each field of the table, and of those in it: something else than a stack uses them."""
        for table in _tables(self):
            for name in type(table).__pydantic_fields__:
                getattr(table, name)


@contextmanager
def recorded() -> Iterator[Reads]:
    """Note in the set that is yielded which fields are read, until the block ends."""
    reads: Reads = set()
    _open_records.append(reads)
    try:
        yield reads
    finally:
        _open_records.pop()


def unread(table: Settings, reads: Reads, path: Path = ()) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield the path of each setting that the file has and no stack read, and its neighbours that were read.

    For a table that was not read, this is the path of the table only. `path` is that of `table`. Call this
    outside of `recorded`.
    """
    fields = type(table).__pydantic_fields__
    keys = {name: field.alias or name for name, field in fields.items()}
    neighbours = tuple(keys[name] for name in fields if (id(table), name) in reads)
    for name in sorted(table.model_fields_set):
        place = (*path, keys[name])
        if (id(table), name) not in reads:
            yield place, neighbours
            continue
        for below, part in _parts(getattr(table, name), place):
            yield from unread(part, reads, below)


def _parts(value: Any, path: Path) -> Iterator[tuple[Path, Settings]]:
    match value:
        case Settings():
            yield path, value
        case Mapping():
            for key, item in value.items():
                yield from _parts(item, (*path, key))
        case tuple():
            for index, item in enumerate(value):
                yield from _parts(item, (*path, index))


def _tables(table: Settings) -> Iterator[Settings]:
    yield table
    for name in type(table).__pydantic_fields__:
        for _, part in _parts(getattr(table, name), ()):
            yield from _tables(part)
