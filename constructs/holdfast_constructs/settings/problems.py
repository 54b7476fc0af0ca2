"""What can be wrong with the settings, as data, and the one error that carries all of it at once."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from holdfast_constructs.errors import ConstructError

if TYPE_CHECKING:
    from collections.abc import Iterable

EXIT_SETTINGS = 64


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the value at `path`, or on `line` where it is no value's.

    Which file it is of is not known here.
    """

    path: tuple[str | int, ...]
    what: str
    got: str
    allowed: str
    next_step: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem: where it is, what was got, what is allowed, what to do next.

    `place` is a file, `file:line`, or the name of an environment variable; `key` is dotted.
    """

    place: str
    key: str
    what: str
    got: str
    allowed: str
    next_step: str

    def __str__(self) -> str:
        where = f"{self.place}: {self.key}" if self.key else self.place
        return (
            f"{where} {self.what}\n"
            f"  got      {self.got}\n"
            f"  allowed  {self.allowed}\n"
            f"  next     {self.next_step}"
        )


class InvalidSettingsError(Exception):
    """The settings cannot be used; `problems` has every reason found, in the order to correct them."""

    exit_code = EXIT_SETTINGS

    def __init__(self, problems: "Iterable[Problem]") -> None:
        self.problems = tuple(problems)
        super().__init__("\n\n".join(map(str, self.problems)))


def key_of(path: tuple[str | int, ...]) -> str:
    """Write a path the way TOML's readers know it: `services.orders.database`, `regions[1]`."""
    key = ""
    for part in path:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    return key


def did_you_mean(got: str, allowed: "Iterable[str]") -> str:
    """Return `; did you mean x?` when one of the allowed words is close to the one got, else nothing."""
    close = get_close_matches(got, list(allowed), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def allowed_by(error: ConstructError) -> str:
    """Return what a construct would have accepted, from its own message."""
    return str(error).partition(" must be ")[2].partition(", got ")[0]
