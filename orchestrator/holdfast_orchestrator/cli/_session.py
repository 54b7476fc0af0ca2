"""What every command about shards does around its own work: load, listen, stop, print.

`Session.of(runtime, given)` takes the shared options as click hands them over. Inside `session` Ctrl-C and
SIGTERM become a `StopSignal`, until the run has been told of; inside `watching` events go to the terminal and
to `--events FILE`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from holdfast_orchestrator.api.app import Options
from holdfast_orchestrator.api.project import Project
from holdfast_orchestrator.app.project_file import ForeignSettings
from holdfast_orchestrator.cli._listeners import EventFile, Listeners
from holdfast_orchestrator.cli._outputs import opened
from holdfast_orchestrator.cli._signals import heeding_signals
from holdfast_orchestrator.cli._variables import variables_in
from holdfast_orchestrator.errors import EXIT_CHANGES, HoldfastError
from holdfast_orchestrator.events import Emitter, Listener, ignore
from holdfast_orchestrator.report.documents import Document, as_json, error_document
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.system.stop import StopSignal
from holdfast_orchestrator.system.visible import json_text


@dataclass(frozen=True, kw_only=True)
class Session:
    """One command's surroundings."""

    runtime: Runtime
    project: Project
    choice: Mapping[str, Any]
    json: bool
    verbose: bool
    events: EventFile | None = None
    stop: StopSignal = field(default_factory=StopSignal)
    listeners: Listeners = field(default_factory=Listeners, repr=False)

    @classmethod
    def of(cls, runtime: Runtime, given: Mapping[str, Any], events: EventFile | None = None) -> "Session":
        """Return the session for the shared options `given`; `events` is the file that they name, open."""
        foreign = ForeignSettings(
            state_bucket=given["state_bucket"], region=given["region"], account=given["account"]
        )
        options = Options(
            foreign=foreign,
            engine=given.get("engine"),
            output=given["output"],
            cold_providers=bool(given.get("cold_providers")),
            variables=variables_in(given, runtime.cwd),
        )
        return cls(
            runtime=runtime,
            project=Project.load(given["project"], runtime=runtime, options=options),
            choice={name: given[name] for name in ("env", "service", "stack")},
            json=given["as_json"],
            verbose=given.get("verbose", False),
            events=events,
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
        text = json_text(self.project.redactor.value(as_json(document)), indent=2)
        self.runtime.terminal.out.write(f"{text}\n")
        self.runtime.terminal.out.flush()

    @contextmanager
    def watching(self) -> Iterator[Listener]:
        """Show what happens; yields the listener for the API."""
        with self._view() as view, self._heard_by(view):
            yield self.listeners

    @contextmanager
    def reading(self) -> Iterator[Listener]:
        """The same for a command that only answers: what it has to do first is no part of the answer."""
        with self._heard_by(self._beside()):
            yield self.listeners

    @contextmanager
    def _heard_by(self, view: Listener) -> Iterator[None]:
        try:
            self.listeners.add(view)
            if self.events is not None:
                self.listeners.add(self.events)
            yield
        finally:
            self.listeners.clear()

    @contextmanager
    def warmed(self) -> "Iterator[Session]":
        """Yield a session whose steps share their providers; while somebody thinks, idle ones end."""
        with self.project.warmed(env=self.choice["env"], on_event=self.listeners) as project:
            yield replace(self, project=project)

    def _view(self) -> Any:
        terminal = self.runtime.terminal
        if terminal.is_tty and not self.json:
            from holdfast_orchestrator.report.table import LiveTable  # noqa: PLC0415 - rich, for terminals only

            return LiveTable(terminal, verbose=self.verbose)
        from holdfast_orchestrator.report.lines import Lines  # noqa: PLC0415

        return Lines(self.talk, verbose=self.verbose)

    def _beside(self) -> Listener:
        if not self.verbose:
            return ignore
        from holdfast_orchestrator.report.lines import Lines  # noqa: PLC0415 - only where it is asked for

        return Lines(self.runtime.terminal.err, verbose=True)


@contextmanager
def session(runtime: Runtime, given: Mapping[str, Any]) -> Iterator[Session]:
    """Open a session; with `--json`, an error is a document too before it goes on its way."""
    try:
        with _event_file(runtime, given.get("events")) as events:
            here = Session.of(runtime, given, events)
            emit = Emitter(runtime.clock, here.project.redactor, here.listeners)
            with heeding_signals(here.stop, emit):
                yield here
    except HoldfastError as error:
        if given["as_json"]:
            document = runtime.redactor.value(as_json(error_document(error)))
            runtime.terminal.out.write(json_text(document, indent=2) + "\n")
        raise


@contextmanager
def _event_file(runtime: Runtime, path: Path | None) -> Iterator[EventFile | None]:
    """Open `--events FILE` for a whole command, however often it watches. Raises UsageError."""
    if path is None:
        yield None
        return
    file = EventFile(opened("--events", runtime.cwd / path), path)
    try:
        yield file
    finally:
        file.close()


def detailed(*, changes: bool) -> int:
    """Return the exit code of `--detailed-exitcode`."""
    return EXIT_CHANGES if changes else 0
