"""Objects and their identities, as records keep them."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer

from holdfast_orchestrator.state.record_format import WrittenAs, copied
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject


def _pair(identity: Identity) -> tuple[str, str]:
    return identity.kind, identity.value


Identities = Annotated[
    frozenset[Annotated[Identity, WrittenAs(tuple[str, str], _pair, lambda pair: Identity(*pair))]],
    PlainSerializer(lambda identities: [_pair(identity) for identity in sorted(identities)]),
]
"""Identities as pairs of type and value, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """What the documents of all objects with an `identity` have: its two parts as fields of their own."""

    kind: Annotated[str, Field(alias="type")]
    value: Annotated[str, Field(alias="identity")]

    @classmethod
    def of(cls, tracked: Any) -> Self:
        """Make the document of an object."""
        return copied(cls, tracked, kind=tracked.identity.kind, value=tracked.identity.value)

    @classmethod
    def writes(cls, kind: type) -> WrittenAs:
        """Return the annotation of values of `kind`, which these documents are of."""
        return WrittenAs(cls, cls.of, lambda document: document._value(kind))  # noqa: SLF001 - ours

    def _value(self, kind: type) -> Any:
        return copied(kind, self, identity=Identity(self.kind, self.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tracked(Identified):
    id: str | None
    address: str
    provider: str
    stateful: bool
    deposed: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    schema: Literal["holdfast/identity-index/v1"] = "holdfast/identity-index/v1"
    objects: tuple[Annotated[TrackedObject, _Tracked.writes(TrackedObject)], ...]


Index = Annotated[
    IdentityIndex,
    WrittenAs(
        _Index, lambda index: _Index(objects=index.objects), lambda document: IdentityIndex(document.objects)
    ),
]
"""The objects of a state, with a schema of its own."""
