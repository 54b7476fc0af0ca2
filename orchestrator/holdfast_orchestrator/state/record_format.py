"""The formats of what Holdfast keeps: each is a schema name and the dataclass that its documents are read as.

The dataclass is the format: its fields are what a document has, a field with a default may be missing
(records of earlier versions), and what it does not name is passed over (records of later ones). Annotations
say where a field is written otherwise than Python has it. pydantic reads, writes and describes the documents;
what it says of a damaged one is put into our words here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache, cached_property
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    GetCoreSchemaHandler,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    WrapSerializer,
)
from pydantic_core import CoreSchema, core_schema

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.json_object import dump, time_text
from holdfast_orchestrator.state.object_store import StoredObject

T = TypeVar("T")

_LONGEST_VALUE = 60
# The beginnings of pydantic's names for what it wanted, in our words.
_WANTED = {
    "string": "a text",
    "bytes": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a day",
    "datetime": "a time",
    "timezone": "a time",
    "tuple": "a list",
    "list": "a list",
    "frozen": "a list",
    "dict": "an object",
    "mapping": "an object",
    "dataclass": "an object",
}

Moment = Annotated[datetime, PlainSerializer(time_text, return_type=str)]
"""A time, written in UTC to the millisecond."""


def in_order(values: Mapping[str, Any], write: SerializerFunctionWrapHandler) -> dict[str, Any]:
    """Write values by name in the order of their names."""
    return dict(sorted(write(values).items()))


SortedTexts = Annotated[Mapping[str, str], WrapSerializer(in_order)]
"""Texts by name, written in the order of the names."""


class DamagedError(ValueError):
    """A document is not of its format: says which field is wrong, and how."""


@dataclass(frozen=True, slots=True)
class WrittenAs:
    """Annotates a value that a document has in another shape.

    `shape` is the type there; `write` makes it of the value, `read` the value of it.
    """

    shape: Any
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return what pydantic calls a schema."""
        shape = handler.generate_schema(self.shape)
        written = core_schema.plain_serializer_function_ser_schema(self.write, return_schema=shape)
        return core_schema.no_info_after_validator_function(self.read, shape, serialization=written)


@dataclass(frozen=True)
class Format(Generic[T]):
    """One format: the name of its schema, and what a document of it is read as.

    `is_named`: each document says which schema it has; others are a part of a document that does.
    """

    schema: str
    kind: Any
    is_named: bool = field(default=True, kw_only=True)

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.kind)

    def to_json(self, value: T) -> dict[str, Any]:
        """Return the fields as JSON, without the schema's name."""
        document: dict[str, Any] = self._adapter.dump_python(
            value, mode="json", by_alias=True, warnings=False
        )
        return document

    def from_json(self, document: Any) -> T:
        """Return the value of a document that was parsed. Raises DamagedError."""
        if self.is_named:
            self._refuse_other(document)
        try:
            return self._adapter.validate_python(document)
        except ValidationError as error:
            raise DamagedError(_fault(error)) from None

    def body(self, value: T) -> bytes:
        """Return the document's bytes: one line a field, the schema's name first."""
        return dump(self.schema, self.to_json(value))

    def parse(self, body: bytes) -> T:
        """Return the value of a document's bytes. Raises DamagedError."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise DamagedError("it is not JSON") from None
        return self.from_json(document)

    def read(self, stored: StoredObject, *, next_step: str) -> T:
        """Return the value of a stored object. Raises NeedsPersonError, with `next_step`, for damage."""
        try:
            return self.parse(stored.body)
        except DamagedError as error:
            raise NeedsPersonError(
                f"the object at {stored.head.key} ({stored.head.size} bytes) cannot be read: {error}",
                next_step=next_step,
            ) from None

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema: what every reader of this format asks of a document."""
        made = self._adapter.json_schema(by_alias=True)
        if not self.is_named:
            return made
        named = {"schema": {"const": self.schema}, **made["properties"]}
        return {**made, "properties": named, "required": ["schema", *made.get("required", ())]}

    def _refuse_other(self, document: Any) -> None:
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema != self.schema:
            raise DamagedError(f"its schema is {_shown(schema)}, not {self.schema!r}")


def is_none(value: object) -> bool:
    """Say whether a field has no value: for `Field(exclude_if=…)`, which leaves it out of documents then."""
    return value is None


def copied(kind: type[T], source: Any, /, **others: Any) -> T:
    """Make a `kind` of the fields that `source` has too; `others` are given as they are."""
    names: Any = _common(kind, type(source))  # type: ignore[arg-type]
    names = (name for name in names if name not in others)
    return kind(**{name: getattr(source, name) for name in names}, **others)


@cache
def _common(one: Any, other: Any) -> tuple[str, ...]:
    names = {each.name for each in fields(other)}
    return tuple(each.name for each in fields(one) if each.name in names)


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place, kind, context = ".".join(map(str, first["loc"])), first["type"], first.get("ctx", {})
    named = f"`{place}`" if place else "it"
    if kind == "missing":
        return f"{named} is missing"
    if kind == "value_error":
        return f"{named}: {context['error']}"
    wanted = context.get("expected") or _WANTED.get(kind.partition("_")[0], "different")
    return f"{named} must be {wanted}, got {_shown(first['input'])}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return repr(value)[:_LONGEST_VALUE]
