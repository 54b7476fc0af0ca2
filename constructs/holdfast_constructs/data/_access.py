"""What a client gets from something it connects to: variables that say where, and statements that permit.

A server that offers this needs no say in how its client is built, and a client none in what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from holdfast_constructs.security._policy import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`environment` holds plain variables, without prefix; `statements` go into the client's own policy."""

    environment: Mapping[str, str]
    statements: tuple[Statement, ...]


@runtime_checkable
class OffersAccess(Protocol):
    """A connectable that also needs permissions, such as a database."""

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs to log in as `user`, or as the server's own administrator."""
