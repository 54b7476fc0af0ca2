"""A live table on a terminal: one line a shard, redrawn in place, left standing at the end.

Every column has one width from the first line to the last, so that nothing jumps and nothing wraps; what is
too long is cut in the middle. Where there are more shards than lines, those at work are shown.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from holdfast_orchestrator.events import (
    AppOutput,
    Event,
    Notice,
    RunStarted,
    StopRequested,
    SynthFinished,
    SynthStarted,
)
from holdfast_orchestrator.report.rows import MUTED, Row, Rows, clock_text
from holdfast_orchestrator.report.wording import cut_middle
from holdfast_orchestrator.system.runtime import Clock, Terminal

_REDRAWS_PER_SECOND = 8
# Columns: the longest label shown whole, "✔ needs human" or a spinner and a step, "backup 41 · 125 s".
_LABEL, _STATUS, _TAIL, _GAP = 24, 15, 17, 2
_LEAST_ACTIVITY = 8
# The title, the line below it, the line of what is not shown, and the line of the cursor.
_OTHER_LINES = 4


class LiveTable:
    """Listens to a run and redraws its rows."""

    def __init__(self, terminal: Terminal, clock: Clock, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._clock = clock
        self._console = Console(
            file=terminal.out,
            width=terminal.width,
            force_terminal=True,
            no_color=not terminal.color,
            highlight=False,
        )
        self._rows = Rows()
        self._spinners: dict[str, Spinner] = {}
        self._waiting: RenderableType = Text("")
        self._over = False
        self._live = Live(
            console=self._console,
            refresh_per_second=_REDRAWS_PER_SECOND,
            get_renderable=self._screen,
            transient=False,
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over = True
        # An app that failed is synthesizing no more.
        self._waiting = Text("")
        self._live.__exit__(None, None, None)

    def __call__(self, event: Event) -> None:
        self._rows.take(event)
        match event:
            case SynthStarted():
                self._waiting = Spinner("dots", text=self._line(f"synthesizing: {event.app}", MUTED))
            case SynthFinished() | RunStarted():
                self._waiting = Text("")
            case Notice() | StopRequested():
                self._console.print(Text(event.message, style="yellow"))
            case AppOutput() if self._verbose:
                self._console.print(Text(event.text, style=MUTED))
            case _:
                return

    def _screen(self) -> RenderableType:
        if not self._rows.by_shard:
            return self._waiting
        rows = self._rows.by_shard
        shown = list(rows) if self._over else self._fitting()
        left_out = Counter(row.status for name, row in rows.items() if name not in set(shown))
        parts: list[RenderableType] = [
            self._line(self._rows.title),
            self._line(self._state_of_run(), MUTED),
            self._table(shown),
        ]
        if left_out:
            words = ", ".join(f"{number} {status}" for status, number in left_out.items())
            parts.append(self._line(f"  … and {words}", MUTED))
        return Group(*parts)

    def _fitting(self) -> list[str]:
        """The names of the shards for which there is room, in their order: those at work before others."""
        room = max(1, self._console.size.height - _OTHER_LINES)
        rows = self._rows.by_shard
        if len(rows) <= room:
            return list(rows)
        chosen = {*sorted(rows, key=lambda name: _least_told(rows[name]))[:room]}
        return [name for name in rows if name in chosen]

    def _state_of_run(self) -> str:
        began, rows = self._rows.began, self._rows.by_shard
        taken = "" if began is None else f" · {clock_text((self._clock.now() - began).total_seconds())}"
        return f"run {self._rows.run}{taken} · {self._rows.ended} of {len(rows)} ended"

    def _table(self, shown: list[str]) -> Table:
        label = min(_LABEL, max(len(row.label) for row in self._rows.by_shard.values()))
        others = (label, _STATUS, _TAIL)
        activity = max(_LEAST_ACTIVITY, self._console.width - sum(others) - _GAP * 4)
        table = Table(box=None, show_header=False, padding=(0, 0, 0, _GAP), pad_edge=True)
        for width in (label, _STATUS, activity):
            table.add_column(width=width, no_wrap=True, overflow="ellipsis")
        table.add_column(width=_TAIL, justify="right", no_wrap=True)
        now = self._clock.now()
        for name in shown:
            row = self._rows.by_shard[name]
            table.add_row(
                Text(cut_middle(row.label, label)),
                self._status(name, row),
                # An address is known by its ends, a sentence by its beginning.
                Text(_doing(row) if row.outcome is not None else cut_middle(_doing(row), activity)),
                Text(row.running(now)),
            )
        return table

    def _line(self, text: str, style: str = "") -> Text:
        return Text(text, style=style, no_wrap=True, overflow="ellipsis")

    def _status(self, name: str, row: Row) -> Text | Spinner:
        if not row.is_working:
            return Text(row.status, style=row.color)
        spinner = self._spinners.setdefault(name, Spinner("dots"))
        # The spinner's own sign and a space are two columns.
        spinner.update(text=Text(row.step[: _STATUS - 2], style=row.color))
        return spinner


def _doing(row: Row) -> str:
    """What a shard does, waits for, or has come to: one line."""
    if row.outcome is not None:
        return next(_lines(row.summary), "")
    if row.is_working:
        return row.activity
    return f"for {', '.join(row.waits_for)}" if row.waits_for else ""


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line)


def _least_told(row: Row) -> int:
    """The order in which shards lose their line: what went well and what waits before all others."""
    if row.is_working:
        return 0
    if row.outcome is None:
        return 2
    return 3 if row.outcome in ("committed", "unchanged", "changes") else 1
