"""Folds events into rows: the present status of each shard."""

from dataclasses import dataclass, field
from datetime import datetime

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
WAITING = "waiting"
_APPLYING = "applying"
# Terraform's words for what an apply does to an object; it reports reads and refreshes too.
CHANGING = frozenset({"create", "update", "delete"})


@dataclass(slots=True, kw_only=True)
class Row:
    """One shard. `outcome` is None until it has ended; `lines` is what its end has to add.

    `began` is when it was begun. `planned` counts the objects of its plan (None until there is one), `done`
    those of them that the apply has finished. `waits_for` are the labels of shards that have to end first.
    """

    label: str
    step: str = WAITING
    activity: str = ""
    outcome: str | None = None
    summary: str = ""
    backup: int | None = None
    began: datetime | None = None
    seconds: float = 0.0
    planned: int | None = None
    done: int = 0
    waits_for: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def is_working(self) -> bool:
        """Whether it was begun and has not ended."""
        return self.outcome is None and self.step != WAITING

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
            return MUTED if self.step == WAITING else WORKING
        return _COLORS.get(self.outcome, MUTED)

    @property
    def tail(self) -> str:
        """The serial of the state that was backed up, and the seconds the shard took."""
        words = [] if self.backup is None else [f"backup {self.backup}"]
        words += [f"{self.seconds:.0f} s"] if self.seconds >= 1 else []
        return " · ".join(words)

    @property
    def progress(self) -> str:
        """How many objects the apply has finished, of how many; empty where that is unknown, or none are."""
        if self.step != _APPLYING or not self.planned:
            return ""
        return f"{min(self.done, self.planned)}/{self.planned}"

    def running(self, now: datetime | None) -> str:
        """Return the objects done and the time since it was begun; how it ended once it has."""
        if self.outcome is not None:
            return self.tail
        taken = "" if self.began is None or now is None else clock_text((now - self.began).total_seconds())
        return "  ".join(part for part in (self.progress, taken) if part)


@dataclass(slots=True)
class Rows:
    """A run as rows, in the order its shards are shown. `began` is when the run was begun."""

    title: str = ""
    run: str = ""
    began: datetime | None = None
    by_shard: dict[str, Row] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """How many shards have ended."""
        return sum(row.outcome is not None for row in self.by_shard.values())

    def take(self, event: Event) -> Row | None:
        """Apply an event; return the row that it changed."""
        if isinstance(event, RunStarted):
            self._begin(event)
        row = self.by_shard.get(event.shard or "")
        if row is not None:
            _change(row, event)
        if isinstance(event, ShardFinished) and row is not None:
            for other in self.by_shard.values():
                other.waits_for = tuple(label for label in other.waits_for if label != row.label)
        return row

    def _begin(self, event: RunStarted) -> None:
        self.run, self.began = event.run, event.at
        self.title = " · ".join(
            (
                ", ".join(event.environments),
                counted(len(event.shards), "shard"),
                f"account {', '.join(event.accounts)}",
                ", ".join(event.regions),
            )
        )
        labels = dict(zip(event.shards, event.labels, strict=True))
        waits_for = dict(zip(event.shards, event.waits_for, strict=False))
        self.by_shard = {
            name: Row(
                label=label, waits_for=tuple(labels.get(other, other) for other in waits_for.get(name, ()))
            )
            for name, label in labels.items()
        }


def clock_text(seconds: float) -> str:
    """Return a duration as a clock shows it: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _change(row: Row, event: Event) -> None:
    match event:
        case ShardStep():
            row.step, _, row.activity = event.step.partition(": ")
            row.began = row.began or event.at
            if event.step == _APPLYING:
                row.done = 0
        case ShardPlanned():
            row.activity = ""
            row.planned = event.added + event.changed + event.destroyed
        case ResourceProgress():
            took = f" ({event.seconds:.0f} s)" if event.seconds >= 1 else ""
            row.activity = f"{event.address}{took}"
            row.done += event.state == "done" and event.action in CHANGING
        case StateBackedUp():
            row.backup = event.serial
        case ShardFinished():
            row.outcome, row.summary, row.seconds = event.outcome, event.summary, event.seconds
            row.lines = tuple(line for line in event.detail if line.removesuffix(".") not in event.summary)
        case _:
            return
