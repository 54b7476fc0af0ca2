"""Documents take most of their fields, by name, from the values that they show."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Kind = TypeVar("Kind", bound=DataclassInstance)


def copied(kind: "type[Kind]", source: object, /, **given: Any) -> "Kind":
    """Return a `kind` with the values `given`, and every other field but `schema` copied from `source`."""
    names = {field.name for field in fields(kind)} - given.keys() - {"schema"}
    return kind(**{name: getattr(source, name) for name in names}, **given)
