"""A container beside the main one of a task: a collector of traces, a proxy, a reloader of settings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute._container_rules import LONGEST_STOP_SECONDS, SHORTEST_STOP_SECONDS
from holdfast_constructs.compute.container_health import ContainerHealth
from holdfast_constructs.compute.image import Image
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.secret_value import SecretValue

HIGHEST_PORT = 65535

# Amazon ECS, ContainerDefinition.name, with room for the names of volumes.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """A container that shares the task with the main one, hardened as that is; they meet at `localhost`.

    `name` is unique in the task and names its lines in the log. Where it ends, an `essential` one ends the
    whole task. With `starts_first` the main container waits for it: until it is well, if it has `health`.
    The other properties are those of the main container; `/tmp` and `writable_paths` are its own.
    Raises ConstructError for what ECS would refuse.
    """

    name: str
    image: Image
    essential: bool = False
    starts_first: bool = False
    port: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    secrets: Mapping[str, str | SecretValue] = field(default_factory=dict, hash=False, repr=False)
    command: Sequence[str] = ()
    entry_point: Sequence[str] = ()
    health: ContainerHealth | None = None
    user: str = "65532"
    stop_seconds: int = 30
    writable_paths: Sequence[str] = ()

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            allowed = "1-64 letters, digits and inner hyphens"
            raise ConstructError("name of Sidecar", got=self.name, allowed=allowed)
        if self.port is not None and not 1 <= self.port <= HIGHEST_PORT:
            raise ConstructError(f"port of sidecar {self.name}", got=self.port, allowed=f"1-{HIGHEST_PORT}")
        if not SHORTEST_STOP_SECONDS <= self.stop_seconds <= LONGEST_STOP_SECONDS:
            raise ConstructError(
                f"stop_seconds of sidecar {self.name}",
                got=self.stop_seconds,
                allowed=f"{SHORTEST_STOP_SECONDS}-{LONGEST_STOP_SECONDS}",
            )
