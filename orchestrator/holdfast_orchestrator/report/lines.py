"""Plain lines for logs: a heading, then each shard's lines together, once it has ended."""

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
)
from holdfast_orchestrator.report.rows import Row, Rows


class Lines:
    """Writes the events of a run to `out`, line by line.

    With `verbose` it also writes what the app prints and each object that is done.
    """

    def __init__(self, out: TextIO, *, verbose: bool = False) -> None:
        self._out = out
        self._verbose = verbose
        self._rows = Rows()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Do nothing: nothing is open."""

    def __call__(self, event: Event) -> None:
        row = self._rows.take(event)
        match event:
            case SynthFinished():
                self._write(f"synthesized {event.shards} shards in {event.seconds:.1f} s")
            case RunStarted():
                self._width = max(map(len, event.labels), default=0)
                self._write(f"{self._rows.title} · run {event.run}")
            case ShardFinished() if row is not None:
                self._write(_line(row, self._width))
                for line in row.lines:
                    self._write(f"      {line}")
            case Notice() | StopRequested():
                self._write(event.message)
            case AppOutput() if self._verbose:
                self._write(event.text)
            case ResourceProgress(state="done") if self._verbose and row is not None:
                self._write(f"    {row.label}: {event.action} {event.address}")
            case _:
                return

    def _write(self, line: str) -> None:
        self._out.write(f"{line.rstrip()}\n")
        self._out.flush()


def _line(row: Row, width: int) -> str:
    parts = (row.status.ljust(13), row.summary, row.tail)
    return f"  {row.label.ljust(width)}  {'  '.join(part for part in parts if part)}"
