"""What came of a command, as values."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.engine.diagnostics import Diagnostic
from holdfast_orchestrator.engine.ui_events import (
    ApplyComplete,
    ApplyErrored,
    ApplyStart,
    PlannedChange,
    ResourceDrift,
    UiEvent,
)
from holdfast_orchestrator.terraform.ownership import Sightings
from holdfast_orchestrator.terraform.reads import ReadCount

_CHANGING = frozenset({"create", "update", "delete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOutcome:
    """`skipped` where the folder was initialized already for the same configuration."""

    skipped: bool
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutcome:
    """A plan that was made; `changes` is False where applying it would do nothing.

    `watched` is what was seen of the objects it would create, None where nobody looked. `reads` counts its
    reads, None where it was to remember or recall none.
    """

    changes: bool
    plan: Path
    planned: tuple[PlannedChange, ...] = ()
    drift: tuple[ResourceDrift, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    watched: Sightings | None = None
    reads: ReadCount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOutcome:
    """What an apply did, by its own account; `code` is a hint, not a verdict.

    `created` are (address, id key, id) of new objects; `in_doubt` the starts without completion: the
    object may exist or be gone without the state knowing. `errored_state` is the state that could
    not be saved. `record` holds every event. `interrupted` where somebody asked to stop. `watched` is
    what was seen of the objects right before their creates, None where nobody looked.
    """

    code: int
    started: int
    completed: int
    errored: int
    created: tuple[tuple[str, str, str], ...]
    in_doubt: tuple[ApplyStart, ...]
    diagnostics: tuple[Diagnostic, ...]
    errored_state: Path | None
    record: Path
    interrupted: bool = False
    watched: Sightings | None = None

    def __bool__(self) -> bool:
        return self.code == 0


@dataclass(frozen=True, slots=True)
class Account:
    """The resource events of an apply, counted."""

    starts: tuple[ApplyStart, ...]
    completions: tuple[ApplyComplete, ...]
    errors: tuple[ApplyErrored, ...]

    @property
    def created(self) -> tuple[tuple[str, str, str], ...]:
        """New objects, in the order they were made."""
        return tuple(
            (done.address, done.id_key, done.id_value)
            for done in self.completions
            if done.action == "create" and done.id_key is not None and done.id_value is not None
        )

    @property
    def changes(self) -> int:
        """How many objects it began to change: a replacement counts twice."""
        return sum(start.action in _CHANGING for start in self.starts)

    @property
    def in_doubt(self) -> tuple[ApplyStart, ...]:
        """Starts of an address and action that no completion followed."""
        done = {(event.address, event.action) for event in self.completions}
        return tuple(start for start in self.starts if (start.address, start.action) not in done)


def account_of(events: Iterable[UiEvent]) -> Account:
    """Return the resource events of an apply, or of its record, by kind."""
    every = tuple(events)
    return Account(
        tuple(event for event in every if isinstance(event, ApplyStart)),
        tuple(event for event in every if isinstance(event, ApplyComplete)),
        tuple(event for event in every if isinstance(event, ApplyErrored)),
    )
