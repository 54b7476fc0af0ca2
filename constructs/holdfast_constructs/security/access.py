"""What a client gets from something it connects to: variables that say where, and statements that permit.

A server that offers this needs no say in how its client is built, and a client none in what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.security.policy import Statement


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`environment` holds plain variables, without prefix; `statements` go into the client's own policy."""

    environment: Mapping[str, str]
    statements: tuple[Statement, ...]


@runtime_checkable
class OffersAccess(Protocol):
    """A part that a client needs permissions for, such as a database or a queue."""

    @property
    def name(self) -> str:
        """A short stable name, which becomes part of the ids of what is granted."""

    @property
    def default_prefix(self) -> str:
        """What the names of its variables begin with unless the client says otherwise: `DATABASE`."""

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs; `user` is whom it logs in as, for a part that has users."""


@runtime_checkable
class Grantee(Protocol):
    """Something with a role of its own that can be permitted things, such as a service or a job."""

    @property
    def name(self) -> str:
        """A short stable name."""

    def grant(self, name: str, *statements: Statement) -> None:
        """Allow what `statements` say; `name` is unique to the grantee and becomes an id."""
