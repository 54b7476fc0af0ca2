"""What every command about shards does around its own work: load, listen, stop, print.

`Session.of(output, given)` takes the shared options from click. Inside `opened_session`, Ctrl-C and SIGTERM
become a `StopSignal`; inside `watching`, events go to the terminal and to `--events FILE`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holdfast_orchestrator import ForeignSettings, Selection, select
from holdfast_orchestrator.api.app import Options
from holdfast_orchestrator.api.project import Project
from holdfast_orchestrator.cli._listeners import EventFile, Listeners
from holdfast_orchestrator.cli._output import Output
from holdfast_orchestrator.cli._outputs import opened
from holdfast_orchestrator.cli._signals import heeding_signals
from holdfast_orchestrator.cli._variables import variables_in
from holdfast_orchestrator.events import Emitter, Event, Listener, Notice, RunStarted, ShardFinished, ignore
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.system.stop import StopSignal


@dataclass(frozen=True, kw_only=True)
class Session:
    """The project, options and output of one command."""

    runtime: Runtime
    project: Project
    selection: Selection
    output: Output
    verbose: bool
    events: EventFile | None = None
    stop: StopSignal = field(default_factory=StopSignal)
    listeners: Listeners = field(default_factory=Listeners, repr=False)

    @classmethod
    def of(cls, output: Output, given: Mapping[str, Any], events: EventFile | None = None) -> "Session":
        """Return the session for the shared options `given`; `events` is the open file that they name."""
        runtime = output.runtime
        foreign = ForeignSettings(
            state_bucket=given.get("state_bucket"), region=given.get("region"), account=given.get("account")
        )
        options = Options(
            foreign=foreign,
            engine=given.get("engine"),
            output=given["output"],
            cold_providers=bool(given.get("cold_providers")),
            parallelism=given.get("parallelism"),
            full_verify=bool(given.get("full_verify")),
            variables=variables_in(given, runtime.cwd),
        )
        selection = select(
            env=given["env"],
            service=given.get("service", ()),
            stack=given.get("stack", ()),
            include_dependents=given.get("include_dependents", False),
            changed_since=given.get("changed_since"),
        )
        return cls(
            runtime=runtime,
            project=Project.load(given["project"], runtime=runtime, options=options),
            selection=selection,
            output=output,
            verbose=given.get("verbose", False),
            events=events,
        )

    @contextmanager
    def watching(self) -> Iterator[Listener]:
        """Show events while inside; yields the listener for the API."""
        with self._view() as view, self._heard_by(view):
            yield self.listeners

    @contextmanager
    def reading(self) -> Iterator[Listener]:
        """Like `watching`, for a command that only answers: events are shown with --verbose only."""
        view: Listener = ignore
        if self.verbose:
            from holdfast_orchestrator.report.lines import Lines  # noqa: PLC0415 - only with --verbose

            view = Lines(self.runtime.terminal.err, verbose=True)
        with self._heard_by(view):
            yield self.listeners

    @contextmanager
    def _heard_by(self, view: Listener) -> Iterator[None]:
        try:
            self.listeners.add(lambda event: view(self._completed(event)))
            if self.events is not None:
                self.listeners.add(self.events)
            yield
        finally:
            self.listeners.clear()

    def _completed(self, event: Event) -> Event:
        """Return an event with every command in its text complete."""
        completed = self.output.advice.completed
        match event:
            case RunStarted():
                # The values of secret variables are known to the redactor from now on.
                self.output.advice.values_known = True
            case Notice():
                return replace(event, message=completed(event.message))
            case ShardFinished():
                detail = tuple(map(completed, event.detail))
                return replace(event, summary=completed(event.summary), detail=detail)
        return event

    @contextmanager
    def warmed(self) -> "Iterator[Session]":
        """Yield a session whose steps share their providers."""
        with self.project.warmed(env=self.selection.environments, on_event=self.listeners) as project:
            yield replace(self, project=project)

    def _view(self) -> Any:
        terminal = self.runtime.terminal
        if terminal.is_tty and not self.output.json:
            from holdfast_orchestrator.report.table import LiveTable  # noqa: PLC0415 - rich, for terminals only

            return LiveTable(terminal, self.runtime.clock, verbose=self.verbose)
        from holdfast_orchestrator.report.lines import Folds, Lines, LogStyle  # noqa: PLC0415

        environ = self.runtime.environ
        return Lines(
            self.output.talk,
            verbose=self.verbose,
            clock=self.runtime.clock,
            style=LogStyle(
                stamped=environ.get("CI", "").lower() in ("true", "1"),
                folds=Folds.of(environ),
                told_later=not self.output.json,
            ),
        )


@contextmanager
def opened_session(runtime: Runtime, given: Mapping[str, Any]) -> Iterator[Session]:
    """Open a session; with `--json`, print an error as a document."""
    output = Output(runtime, json=given["as_json"])
    with output.errors(), _event_file(runtime, given.get("events")) as events:
        session = Session.of(output, given, events)
        emit = Emitter(runtime.clock, session.project.redactor, session.listeners)
        with heeding_signals(session.stop, emit):
            yield session


@contextmanager
def _event_file(runtime: Runtime, path: Path | None) -> Iterator[EventFile | None]:
    """Keep `--events FILE` open for a whole command. Raises UsageError."""
    if path is None:
        yield None
        return
    file = EventFile(opened("--events", runtime.cwd / path), path)
    try:
        yield file
    finally:
        file.close()
