"""A live table on a terminal: one row a shard, redrawn in place, and kept at the end."""

from typing import Self

from rich.console import Console
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
from holdfast_orchestrator.report.rows import MUTED, Row, Rows
from holdfast_orchestrator.system.runtime import Terminal

_REDRAWS_PER_SECOND = 8


class LiveTable:
    """Listens to a run and redraws its rows."""

    def __init__(self, terminal: Terminal, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._console = Console(
            file=terminal.out,
            width=terminal.width,
            force_terminal=True,
            no_color=not terminal.color,
            highlight=False,
        )
        self._rows = Rows()
        self._spinners: dict[str, Spinner] = {}
        self._waiting = Text("")
        self._live = Live(
            console=self._console,
            refresh_per_second=_REDRAWS_PER_SECOND,
            get_renderable=self._table,
            transient=False,
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._live.__exit__(None, None, None)

    def __call__(self, event: Event) -> None:
        self._rows.take(event)
        match event:
            case SynthStarted():
                self._waiting = Text(f"synthesizing: {event.app}", style=MUTED)
            case SynthFinished() | RunStarted():
                self._waiting = Text("")
            case Notice() | StopRequested():
                self._console.print(Text(event.message, style="yellow"))
            case AppOutput() if self._verbose:
                self._console.print(Text(event.text, style=MUTED))
            case _:
                return

    def _table(self) -> Table | Text:
        if not self._rows.by_shard:
            return self._waiting
        table = Table(
            title=Text.assemble(self._rows.title, ("   run " + self._rows.run, MUTED)),
            title_justify="left",
            title_style="",
            box=None,
            show_header=False,
            padding=(0, 2),
        )
        for _ in range(3):
            table.add_column(overflow="fold")
        table.add_column(justify="right", no_wrap=True)
        for name, row in self._rows.by_shard.items():
            table.add_row(row.label, self._status(name, row), row.summary or row.activity, row.tail)
        return table

    def _status(self, name: str, row: Row) -> Text | Spinner:
        if row.outcome is not None or row.step == "waiting":
            return Text(row.status, style=row.color)
        spinner = self._spinners.setdefault(name, Spinner("dots"))
        spinner.update(text=Text(row.step, style=row.color))
        return spinner
