"""How ECS finds out by itself that a container is well: a command inside of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

# Amazon ECS, HealthCheck: the first word of the command, and the range of each number.
_FIRST_WORDS = frozenset({"CMD", "CMD-SHELL"})
_SHELL_WORDS = 2
_RANGES = {
    "interval_seconds": (5, 300),
    "timeout_seconds": (2, 60),
    "retries": (1, 10),
    "start_seconds": (0, 300),
}


@checked
@dataclass(frozen=True, slots=True)
class ContainerHealth:
    """A command that ends with 0 in a container that is well; another task replaces one that is not.

    `command` is a program with its arguments, `["/app/healthy"]`, or `["CMD-SHELL", "<line for a shell>"]`
    where the image has a shell. It runs every `interval_seconds` (5-300), for at most `timeout_seconds`
    (2-60); `retries` (1-10) failures in a row are too many, except in the first `start_seconds` (0-300).
    Raises ConstructError for what ECS would refuse.
    """

    command: Sequence[str]
    interval_seconds: int = field(default=30, kw_only=True)
    timeout_seconds: int = field(default=5, kw_only=True)
    retries: int = field(default=3, kw_only=True)
    start_seconds: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        words = list(self.command)
        program = words[1:] if words[:1] and words[0] in _FIRST_WORDS else words
        if not program or not all(program) or (words[0] == "CMD-SHELL" and len(words) != _SHELL_WORDS):
            raise ConstructError(
                "command of ContainerHealth",
                got=words,
                allowed="a program with its arguments, or CMD-SHELL and one line for a shell",
            )
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConstructError(f"{name} of ContainerHealth", got=value, allowed=f"{least}-{most}")
        if self.timeout_seconds > self.interval_seconds:
            raise ConstructError(
                "timeout_seconds of ContainerHealth",
                got=self.timeout_seconds,
                allowed=f"at most interval_seconds, {self.interval_seconds}",
            )

    def definition(self) -> dict[str, Any]:
        """Return it as ECS describes it."""
        words = list(self.command)
        return {
            "command": words if words[0] in _FIRST_WORDS else ["CMD", *words],
            "interval": self.interval_seconds,
            "timeout": self.timeout_seconds,
            "retries": self.retries,
            "startPeriod": self.start_seconds,
        }
