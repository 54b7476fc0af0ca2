"""What every command about shards does around its own work: load, listen, stop, print.

`Session.of(runtime, given)` takes the shared options as click hands them over. Inside `watching` events go
to the terminal and to `--events FILE`, and Ctrl-C and SIGTERM become a `StopSignal`.
"""

import json
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from holdfast_orchestrator.api import Options, Project
from holdfast_orchestrator.errors import EXIT_CHANGES, HoldfastError, UsageError
from holdfast_orchestrator.events import Emitter, Event, Listener, StopRequested
from holdfast_orchestrator.project_file import ForeignSettings
from holdfast_orchestrator.report.documents import Document, as_json, error_document
from holdfast_orchestrator.runtime import Runtime
from holdfast_orchestrator.stop import StopSignal, Urgency

_MESSAGES = {
    Urgency.FINISH: "stopping: nothing new starts, what runs is left to finish (again: interrupt Terraform)",
    Urgency.INTERRUPT: "interrupting: Terraform ends its current calls and saves its state; please wait",
}
_AGAIN = "already interrupting; Terraform is saving its state, please wait"


@dataclass(frozen=True, kw_only=True)
class Session:
    """One command's surroundings."""

    runtime: Runtime
    project: Project
    choice: Mapping[str, Any]
    json: bool
    events: Path | None
    verbose: bool
    stop: StopSignal = field(default_factory=StopSignal)

    @classmethod
    def of(cls, runtime: Runtime, given: Mapping[str, Any]) -> "Session":
        """Return the session for the shared options `given`."""
        foreign = ForeignSettings(
            state_bucket=given["state_bucket"], region=given["region"], account=given["account"]
        )
        options = Options(
            foreign=foreign,
            engine=given.get("engine"),
            output=given["output"],
            cold_providers=bool(given.get("cold_providers")),
        )
        return cls(
            runtime=runtime,
            project=Project.load(given["project"], runtime=runtime, options=options),
            choice={name: given[name] for name in ("env", "service", "stack")},
            json=given["as_json"],
            events=given["events"],
            verbose=given["verbose"],
        )

    @property
    def talk(self) -> TextIO:
        """Where people read: standard output, or standard error where that is for a document."""
        return self.runtime.terminal.err if self.json else self.runtime.terminal.out

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return self.runtime.terminal.is_tty and not self.json

    def say(self, lines: Iterable[str]) -> None:
        """Write lines for people."""
        for line in lines:
            self.talk.write(self.project.redactor.text(line).rstrip() + "\n")
        self.talk.flush()

    def answer(self, document: Document) -> None:
        """Print the one document of `--json`."""
        text = json.dumps(self.project.redactor.value(as_json(document)), indent=2, ensure_ascii=False)
        self.runtime.terminal.out.write(f"{text}\n")
        self.runtime.terminal.out.flush()

    @contextmanager
    def watching(self) -> Iterator[Listener]:
        """Show what happens and mind Ctrl-C; yields the listener for the API."""
        with ExitStack() as stack:
            listeners: list[Listener] = [stack.enter_context(self._view())]
            if self.events is not None:
                listeners.append(_EventFile(stack.enter_context(self._events_file(self.events))))
            shared = _Shared(listeners)
            stack.enter_context(_signals(self, shared))
            yield shared

    def _view(self) -> Any:
        terminal = self.runtime.terminal
        if terminal.is_tty and not self.json:
            from holdfast_orchestrator.report.table import LiveTable  # noqa: PLC0415 - rich, for terminals only

            return LiveTable(terminal, verbose=self.verbose)
        from holdfast_orchestrator.report.lines import Lines  # noqa: PLC0415

        return Lines(self.talk, verbose=self.verbose)

    def _events_file(self, path: Path) -> TextIO:
        try:
            return (self.runtime.cwd / path).open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise UsageError(f"--events {path}: {error.strerror}") from None


@contextmanager
def session(runtime: Runtime, given: Mapping[str, Any]) -> Iterator[Session]:
    """Open a session; with `--json`, an error is a document too before it goes on its way."""
    try:
        yield Session.of(runtime, given)
    except HoldfastError as error:
        if given["as_json"]:
            from holdfast_orchestrator.redaction import Redactor  # noqa: PLC0415 - only for an error

            document = Redactor(runtime.environ).value(as_json(error_document(error)))
            runtime.terminal.out.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        raise


def detailed(*, changes: bool) -> int:
    """Return the exit code of `--detailed-exitcode`."""
    return EXIT_CHANGES if changes else 0


class _Shared:
    """Hands events to several listeners, one event at a time."""

    def __init__(self, listeners: list[Listener]) -> None:
        # Reentrant: the signal handler may tell something in the middle of telling something.
        self._lock = threading.RLock()
        self._listeners = listeners

    def __call__(self, event: Event) -> None:
        with self._lock:
            for listener in self._listeners:
                listener(event)


class _EventFile:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __call__(self, event: Event) -> None:
        self._file.write(json.dumps(event.to_json(), ensure_ascii=False) + "\n")


@contextmanager
def _signals(session: Session, listener: Listener) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    emit = Emitter(session.runtime.clock, session.project.redactor, listener)

    def ask(_number: int, _frame: object) -> None:
        if not session.stop.at_stake:
            raise KeyboardInterrupt
        before = session.stop.urgency
        urgency = session.stop.ask()
        message = _AGAIN if before is Urgency.INTERRUPT else _MESSAGES[urgency]
        emit(StopRequested(urgency=int(urgency), message=message))

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
