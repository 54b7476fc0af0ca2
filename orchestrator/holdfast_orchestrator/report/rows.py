"""Folds events into rows: the present status of each shard."""

from dataclasses import dataclass, field

from holdfast_orchestrator.events import (
    Event,
    ResourceProgress,
    RunStarted,
    ShardFinished,
    ShardPlanned,
    ShardStep,
    StateBackedUp,
)
from holdfast_orchestrator.report.wording import counted

_SIGNS = {
    "committed": "✔",
    "unchanged": "·",
    "changes": "~",
    "deferred": "…",
    "rolled_back": "↺",
    "blocked": "■",
    "failed": "✘",
    "skipped": "-",
    "needs_human": "!",
}
_COLORS = {
    "committed": "green",
    "changes": "yellow",
    "rolled_back": "yellow",
    "blocked": "magenta",
    "failed": "red",
    "needs_human": "bold red",
}
MUTED = "dim"
WORKING = "cyan"


@dataclass(slots=True, kw_only=True)
class Row:
    """One shard. `outcome` is None until the shard has ended; `lines` are details of its end."""

    label: str
    step: str = "waiting"
    activity: str = ""
    outcome: str | None = None
    summary: str = ""
    backup: int | None = None
    seconds: float = 0.0
    lines: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The step, or the sign and word of the outcome."""
        if self.outcome is None:
            return self.step
        return f"{_SIGNS.get(self.outcome, ' ')} {self.outcome.replace('_', ' ')}"

    @property
    def color(self) -> str:
        """The style of the status on a terminal."""
        if self.outcome is None:
            return MUTED if self.step == "waiting" else WORKING
        return _COLORS.get(self.outcome, MUTED)

    @property
    def tail(self) -> str:
        """The serial of the state that was backed up, and the seconds the shard took."""
        words = [] if self.backup is None else [f"backup {self.backup}"]
        words += [f"{self.seconds:.0f} s"] if self.seconds >= 1 else []
        return " · ".join(words)


@dataclass(slots=True)
class Rows:
    """A run as rows, in the order of its shards."""

    title: str = ""
    run: str = ""
    by_shard: dict[str, Row] = field(default_factory=dict)

    def take(self, event: Event) -> Row | None:
        """Apply an event; return the row that it changed."""
        if isinstance(event, RunStarted):
            self._begin(event)
        row = self.by_shard.get(event.shard or "")
        if row is not None:
            _change(row, event)
        return row

    def _begin(self, event: RunStarted) -> None:
        self.run = event.run
        self.title = " · ".join(
            (
                ", ".join(event.environments),
                counted(len(event.shards), "shard"),
                f"account {', '.join(event.accounts)}",
                ", ".join(event.regions),
            )
        )
        self.by_shard = {
            name: Row(label=label) for name, label in zip(event.shards, event.labels, strict=True)
        }


def _change(row: Row, event: Event) -> None:
    match event:
        case ShardStep():
            row.step, row.activity = event.step, ""
        case ShardPlanned():
            row.activity = ""
        case ResourceProgress():
            took = f" ({event.seconds:.0f} s)" if event.seconds >= 1 else ""
            row.activity = f"{event.address}{took}"
        case StateBackedUp():
            row.backup = event.serial
        case ShardFinished():
            row.outcome, row.summary, row.seconds = event.outcome, event.summary, event.seconds
            row.lines = event.detail
        case _:
            return
