"""Plain lines for logs: a heading, then each shard's lines together, once it has ended.

A log of a CI job gets the time in front of each line, and a shard's objects in a fold of that CI. Where
nothing was written for HEARTBEAT_SECONDS, a line says what is being worked on: some CIs end a silent job.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
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


class Lines:
    """Writes the events of a run to `out`, line by line.

    With `verbose` also what the app printed and each object that is done. With `clock` the time is told: a
    heartbeat, and in front of each line where `stamped`. `folds` puts each shard's objects in a fold.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        verbose: bool = False,
        clock: Clock | None = None,
        stamped: bool = False,
        folds: Folds | None = None,
    ) -> None:
        self._out = out
        self._verbose = verbose
        self._clock = clock
        self._stamped = stamped
        self._folds = folds
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

    def __exit__(self, *_exception: object) -> None:
        with self._lock:
            self._over.set()

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
                self._write(_line(row, self._width))
                for line in row.lines:
                    self._write(f"      {line}")
                self._fold(row)
            case ResourceProgress(state="done" | "failed"):
                self._object(row, event)
            case _:
                return

    def _object(self, row: Row, event: ResourceProgress) -> None:
        failed = " FAILED" if event.state == "failed" else ""
        if self._verbose and not failed:
            self._write(f"    {row.label}: {event.action} {event.address}")
        elif self._folds is not None and (failed or event.action in CHANGING):
            self._objects[row.label].append(f"{event.action} {event.address}{failed} ({event.seconds:.0f} s)")

    def _fold(self, row: Row) -> None:
        objects = self._objects.pop(row.label, [])
        if self._folds is None or self._clock is None or not objects:
            return
        words = {"at": int(self._clock.now().timestamp()), "name": f"holdfast_{row.label}".replace("-", "_")}
        self._raw(self._folds.begin.format(title=f"{row.label}: {counted(len(objects), 'object')}", **words))
        for line in objects:
            self._write(f"    {line}")
        self._raw(self._folds.end.format(title="", **words))

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
        stamp = f"{self._clock.now():%H:%M:%S} " if self._stamped and self._clock is not None else ""
        # A line of its own for each: what a provider says must not begin a line in a CI that obeys it.
        self._raw("\n".join(f"{stamp}{part}".rstrip() for part in line.split("\n")))

    def _raw(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()
        if self._clock is not None:
            self._written = self._clock.monotonic()


def _line(row: Row, width: int) -> str:
    parts = (row.status.ljust(13), row.summary, row.tail)
    return f"  {row.label.ljust(width)}  {'  '.join(part for part in parts if part)}"


def _at_work(row: Row) -> str:
    doing = " ".join(part for part in (row.label, row.step, row.progress) if part)
    return f"{doing}: {row.activity}" if row.activity else doing
