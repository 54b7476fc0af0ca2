"""Plain lines for logs: a heading, then each shard's lines together, once it has ended.

A log of a CI job gets the time in front of each line, and a shard's objects in a fold of that CI. Where
nothing was written for HEARTBEAT_SECONDS, a line says what is being worked on: some CIs end a silent job.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Self, TextIO

from holdfast_orchestrator.events import (
    AppOutput,
    Event,
    Notice,
    ResourceProgress,
    RunStarted,
    ShardFinished,
    StopRequested,
    SynthFinished,
    SynthStarted,
)
from holdfast_orchestrator.report.rows import CHANGING, Row, Rows, clock_text
from holdfast_orchestrator.report.wording import counted
from holdfast_orchestrator.system.runtime import Clock
from holdfast_orchestrator.system.workers import start_helper

HEARTBEAT_SECONDS = 20.0
_LOOK_SECONDS = 0.5
# Outcomes whose cause the end of the command tells, with what to do.
_EXPLAINED = frozenset({"rolled_back", "blocked", "failed", "needs_human"})
_LONGEST_HINT = 60


@dataclass(frozen=True, slots=True)
class Folds:
    """How a CI folds lines away: `begin` and `end` with {at} (seconds since 1970), {name} and {title}."""

    begin: str
    end: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self | None:
        """Return how the CI of this environment folds; None where it does not, or none is known."""
        if environ.get("GITHUB_ACTIONS") == "true":
            return cls("::group::{title}", "::endgroup::")
        if environ.get("GITLAB_CI") == "true":
            start = "\x1b[0Ksection_start:{at}:{name}[collapsed=true]\r\x1b[0K{title}"
            return cls(start, "\x1b[0Ksection_end:{at}:{name}\r\x1b[0K")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStyle:
    """How a log is written.

    `stamped` puts the time in front of each line, `folds` each shard's objects in a fold. With `told_later`
    the command ends with why a shard failed: the log has only a hint of it, as long as others are at work.
    """

    stamped: bool = False
    folds: Folds | None = None
    told_later: bool = False


class Lines:
    """Writes the events of a run to `out`, line by line.

    With `verbose` also what the app printed and each object that is done. With `clock` the time is known: for
    a heartbeat, and for the style.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        verbose: bool = False,
        clock: Clock | None = None,
        style: LogStyle | None = None,
    ) -> None:
        self._out = out
        self._verbose = verbose
        self._clock = clock
        self._style = style or LogStyle()
        self._withheld: list[Row] = []
        self._rows = Rows()
        self._width = 0
        self._objects: defaultdict[str, list[str]] = defaultdict(list)
        self._app = ""
        self._lock = threading.RLock()
        self._written = 0.0
        self._over = threading.Event()

    def __enter__(self) -> Self:
        if self._clock is not None:
            self._written = self._clock.monotonic()
            start_helper(self._beat, name="heartbeat")
        return self

    def __exit__(self, raised: type[BaseException] | None, *_exception: object) -> None:
        with self._lock:
            self._over.set()
            # A command that fails by itself does not tell how its shards ended.
            for row in self._withheld if raised is not None else ():
                self._end_of(row)

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._take(event)

    def beat(self) -> None:
        """Say what is being worked on, if nothing was written for HEARTBEAT_SECONDS."""
        with self._lock:
            if self._clock is None or self._over.is_set():
                return
            if self._clock.monotonic() - self._written < HEARTBEAT_SECONDS:
                return
            self._write(self._still(self._clock))

    def _take(self, event: Event) -> None:
        row = self._rows.take(event)
        match event:
            case SynthStarted():
                self._app = event.app
            case SynthFinished():
                shards = counted(event.shards, "shard")
                self._write(f"synthesized {shards} in {event.seconds:.1f} s")
            case RunStarted():
                self._width = max(map(len, event.labels), default=0)
                self._write(f"{self._rows.title} · run {event.run}")
            case Notice() | StopRequested():
                self._write(event.message)
            case AppOutput() if self._verbose:
                self._write(event.text)
            case _ if row is not None:
                self._take_of_shard(event, row)
            case _:
                return

    def _take_of_shard(self, event: Event, row: Row) -> None:
        match event:
            case ShardFinished():
                if self._style.told_later and row.outcome in _EXPLAINED:
                    self._withheld.append(row)
                    self._write(_line(row, self._width, self._hint(row)))
                else:
                    self._end_of(row)
                self._fold(row)
            case ResourceProgress(state="done" | "failed"):
                self._object(row, event)
            case _:
                return

    def _end_of(self, row: Row) -> None:
        self._write(_line(row, self._width, row.summary))
        for line in row.lines:
            self._write(f"      {line}")

    def _hint(self, row: Row) -> str:
        if self._rows.ended == len(self._rows.by_shard):
            return ""
        return shorten(row.summary, _LONGEST_HINT, placeholder=" …")

    def _object(self, row: Row, event: ResourceProgress) -> None:
        failed = " FAILED" if event.state == "failed" else ""
        if self._verbose and not failed:
            self._write(f"    {row.label}: {event.action} {event.address}")
        elif self._style.folds is not None and (failed or event.action in CHANGING):
            self._objects[row.label].append(f"{event.action} {event.address}{failed} ({event.seconds:.0f} s)")

    def _fold(self, row: Row) -> None:
        objects = self._objects.pop(row.label, [])
        if self._style.folds is None or self._clock is None or not objects:
            return
        words = {"at": int(self._clock.now().timestamp()), "name": f"holdfast_{row.label}".replace("-", "_")}
        self._raw(
            self._style.folds.begin.format(title=f"{row.label}: {counted(len(objects), 'object')}", **words)
        )
        for line in objects:
            self._write(f"    {line}")
        self._raw(self._style.folds.end.format(title="", **words))

    def _still(self, clock: Clock) -> str:
        now = clock.now()
        if self._rows.began is None:
            return f"still synthesizing: {self._app}" if self._app else "still at work"
        working = [_at_work(row) for row in self._rows.by_shard.values() if row.is_working]
        waiting = sum(row.outcome is None and not row.is_working for row in self._rows.by_shard.values())
        working += [f"{waiting} waiting"] if waiting else []
        taken = clock_text((now - self._rows.began).total_seconds())
        return f"{self._rows.ended} of {len(self._rows.by_shard)} ended after {taken}; {'; '.join(working)}"

    def _beat(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.beat()

    def _write(self, line: str) -> None:
        stamp = f"{self._clock.now():%H:%M:%S} " if self._style.stamped and self._clock is not None else ""
        # A line of its own for each: what a provider says must not begin a line in a CI that obeys it.
        self._raw("\n".join(f"{stamp}{part}".rstrip() for part in line.split("\n")))

    def _raw(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()
        if self._clock is not None:
            self._written = self._clock.monotonic()


def _line(row: Row, width: int, summary: str) -> str:
    parts = (row.status.ljust(13), summary, row.tail)
    return f"  {row.label.ljust(width)}  {'  '.join(part for part in parts if part)}"


def _at_work(row: Row) -> str:
    doing = " ".join(part for part in (row.label, row.step, row.progress) if part)
    return f"{doing}: {row.activity}" if row.activity else doing
