"""Doubles of the outside world for tests: the default refuses and names what was asked.

    runtime = refusing_runtime(clock=FrozenClock())

opens one door; any other use of the outside world fails the test with a sentence. The environment
is empty, and the folders are ones that cannot exist.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from holdfast_orchestrator.system.process import Command, Completed, Running
from holdfast_orchestrator.system.runtime import Runtime, Terminal

_NOWHERE = Path("/dev/null/refused")


class RefusedError(AssertionError):
    """A test reached the outside world through a door it had not opened."""


def _refuse(asked: str) -> NoReturn:
    raise RefusedError(f"this test did not open the door for: {asked}")


class RefusingClock:
    """A clock nobody may read."""

    def now(self) -> datetime:
        _refuse("the time")

    def monotonic(self) -> float:
        _refuse("the monotonic time")

    def sleep(self, seconds: float) -> None:
        _refuse(f"sleep({seconds})")


class RefusingProcesses:
    """No program may be started."""

    def run(self, command: Command) -> Completed:
        _refuse(f"run {command}")

    def start(self, command: Command) -> Running:
        _refuse(f"start {command}")

    def start_detached(self, command: Command, *, log: Path | int) -> int:
        _refuse(f"start {command} as a daemon, log {log}")

    def birth(self, pid: int) -> str | None:
        _refuse(f"whether process {pid} runs")

    def interrupt(self, pid: int, *, born: str) -> bool:
        _refuse(f"interrupt process {pid}, born {born}")

    def terminate(self, pid: int, *, grace: float) -> bool:
        _refuse(f"terminate process {pid} after {grace} s")


class RefusingAws:
    """No AWS client may be made."""

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        _refuse(f"an AWS client for {service} in {region} with {sorted(environ)}")


class RefusingStream(io.StringIO):
    """A stream nobody may read or write."""

    def write(self, text: str, /) -> int:
        _refuse(f"write {text!r} to the terminal")

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        _refuse(f"an answer from the terminal (at most {size} characters)")


class RefusingEnviron(Mapping[str, str]):
    """The empty environment; reading a variable by name without a default is refused in words."""

    def __getitem__(self, name: str) -> str:
        raise KeyError(f"this test did not set the environment variable {name}")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(slots=True)
class FrozenClock:
    """A clock that moves only when somebody sleeps; keeps what was slept, in seconds."""

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at + timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@dataclass(slots=True)
class ScriptedProcesses(RefusingProcesses):
    """Answers `run` from a function, keeps the commands; a None answer refuses."""

    answer: Callable[[Command], Completed | None]
    commands: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.commands.append(command)
        completed = self.answer(command)
        return completed if completed is not None else _refuse(f"run {command}")


def captured_terminal(
    *, answers: str = "", is_tty: bool = False, width: int = 100, color: bool = False
) -> Terminal:
    """Return a terminal made of StringIO: `out` and `err` keep what is written, `answers` are lines."""
    return Terminal(
        out=io.StringIO(),
        err=io.StringIO(),
        inp=io.StringIO(answers),
        is_tty=is_tty,
        width=width,
        color=color,
    )


def refusing_runtime(**overrides: Any) -> Runtime:
    """Return a runtime whose doors refuse, but for those given by field name."""
    refusing = RefusingStream()
    doors: dict[str, Any] = {
        "environ": RefusingEnviron(),
        "cwd": _NOWHERE / "cwd",
        "clock": RefusingClock(),
        "processes": RefusingProcesses(),
        "aws": RefusingAws(),
        "terminal": Terminal(out=refusing, err=refusing, inp=refusing, is_tty=False, width=100, color=False),
        "cache": _NOWHERE / "cache",
    }
    return Runtime(**{**doors, **overrides})
