"""Everything that can be watched, as it happens: frozen values, one class a kind.

The terminal, `--events FILE`, `on_event=` of the automation API and every later view render the same
events. The code that does the work makes them. They pass the redaction point once, in `Emitter`, and only
ever grow within v1.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, ClassVar

from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import Clock

SCHEMA = "holdfast/event/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have: when, in UTC (set when it is emitted), and of which shard."""

    kind: ClassVar[str] = "event"

    at: datetime | None = None
    shard: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the event as one line of `--events FILE`: schema, event, at, then its own fields."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "at"}
        at = None if self.at is None else self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}
        return {"schema": SCHEMA, "event": self.kind, "at": at, **plain}


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthStarted(Event):
    """The app is being run."""

    kind: ClassVar[str] = "synth_started"

    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppOutput(Event):
    """All that the app printed while it was run; views show it only where they are asked for more."""

    kind: ClassVar[str] = "app_output"

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthFinished(Event):
    """The app has written its stacks; `seconds` is how long that took."""

    kind: ClassVar[str] = "synth_finished"

    shards: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A plan, deploy or destroy of `shards`, in the order they will be shown, has begun.

    `waits_for` names, for each of them, the shards of this run that have to end first.
    """

    kind: ClassVar[str] = "run_started"

    run: str
    verb: str
    shards: tuple[str, ...]
    labels: tuple[str, ...]
    environments: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    waits_for: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardStep(Event):
    """A shard has come to a step: initialising, planning, backing up, applying."""

    kind: ClassVar[str] = "shard_step"

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlanned(Event):
    """A shard's plan is known: numbers of objects, and the addresses that would be lost."""

    kind: ClassVar[str] = "shard_planned"

    added: int
    changed: int
    destroyed: int
    destroys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceProgress(Event):
    """Terraform works on one object; `state` is started, running, done or failed."""

    kind: ClassVar[str] = "resource_progress"

    address: str
    action: str
    state: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBackedUp(Event):
    """The state as it was before the apply lies at `key`, read back and compared."""

    kind: ClassVar[str] = "state_backed_up"

    key: str
    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardVerified(Event):
    """A plan after the apply shows nothing; it has `read` so many objects again.

    For the `remembered` ones, which share no identifier with any change, it used what the plan had read.
    """

    kind: ClassVar[str] = "shard_verified"

    read: int
    remembered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFinished(Event):
    """What became of a shard. `summary` is for people; `detail` holds further lines of it."""

    kind: ClassVar[str] = "shard_finished"

    outcome: str
    summary: str
    detail: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested(Event):
    """Somebody asked to stop; `urgency` is 1 (finish what runs) or 2 (interrupt Terraform)."""

    kind: ClassVar[str] = "stop_requested"

    urgency: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """A sentence for the person watching."""

    kind: ClassVar[str] = "notice"

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """The run is over; `outcomes` counts shards by outcome."""

    kind: ClassVar[str] = "run_finished"

    run: str
    outcomes: dict[str, int]
    seconds: float


Listener = Callable[[Event], object]


def ignore(_event: Event) -> None:
    """Listen to nothing."""


class Emitter:
    """Stamps, redacts and hands on events, one at a time, whatever thread they come from."""

    def __init__(self, clock: Clock, redactor: Redactor, *listeners: Listener) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._redactor = redactor
        self._listeners = listeners

    def __call__(self, event: Event) -> None:
        with self._lock:
            seen = self._seen(event)
            for listener in self._listeners:
                listener(seen)

    def _seen(self, event: Event) -> Event:
        redacted = {
            field.name: _redacted(getattr(event, field.name), self._redactor)
            for field in fields(event)
            if field.name != "at"
        }
        return replace(event, at=self._clock.now(), **redacted)


def _redacted(value: Any, redactor: Redactor) -> Any:
    """The text of events is for people: control characters in it are made visible, too."""
    match value:
        case str():
            return redactor.text(value)
        case tuple():
            return tuple(_redacted(inner, redactor) for inner in value)
        case _:
            return redactor.value(value)
