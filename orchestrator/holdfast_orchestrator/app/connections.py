"""Reads connections.json, which an app of Holdfast's blocks writes beside cdktf's manifest.

Unknown fields are let pass, so that an older orchestrator reads what a newer app writes.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from holdfast_orchestrator.app.json_model import read_model
from holdfast_orchestrator.errors import UsageError

FILE_NAME = "connections.json"


class ConnectionEnd(BaseModel):
    """A block by its class and id in a stack; without a stack, something outside of the app."""

    model_config = ConfigDict(frozen=True)

    stack: str | None = None
    block: str
    id: str


class Connection(BaseModel):
    """What `client` may do with `server`: TCP ports that it may open, permissions in words.

    `direction` is where the data goes, as the client sees it; `hosts` are what a load balancer answers to.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    client: ConnectionEnd = Field(alias="from")
    server: ConnectionEnd = Field(alias="to")
    direction: Literal["in", "out", "both"] = "out"
    ports: tuple[int, ...] = ()
    permissions: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


class ConnectionsDocument(BaseModel):
    """All of connections.json."""

    model_config = ConfigDict(frozen=True)

    schema_: Literal["holdfast/connections/v1"] = Field(alias="schema")
    connections: tuple[Connection, ...]


def read_connections(output: Path, stacks: Collection[str]) -> tuple[Connection, ...]:
    """Return the connections that one of these stacks is an end of, in the order of the file.

    Raises UsageError where the app writes none: it is not made of Holdfast's blocks.
    """
    file = output / FILE_NAME
    if not file.is_file():
        raise UsageError(
            "this app says nothing of its connections: it has no stacks of Holdfast's blocks",
            next_step="holdfast graph",
        )
    every = read_model(file, ConnectionsDocument).connections
    return tuple(each for each in every if {each.client.stack, each.server.stack} & set(stacks))
