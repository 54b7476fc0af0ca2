"""Runs one engine's commands in one shard's folder, and watches them.

Events go from the engine to a private file and are read from there while it runs: the engine never
waits for us, never dies with us, and the file outlives both. Whatever goes wrong on our side (a
listener that raises, a Ctrl-C), the engine is waited for before the trouble goes on its way.
"""

import itertools
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.engine.children import keep_child, note_interrupt
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic, from_stderr, unique
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.engine.ui_events import DiagnosticEvent, EmergencyStateDump, UiEvent, parse
from holdfast_orchestrator.engine.workdir import OUTPUT
from holdfast_orchestrator.errors import InterruptedSafelyError
from holdfast_orchestrator.system.private_files import own_folder
from holdfast_orchestrator.system.process import Command, Completed, Running
from holdfast_orchestrator.system.runtime import Runtime

Listener = Callable[[UiEvent], None]

_LOOK_SECONDS = 0.05
_LAST_WORDS = 20
# How a Go program ends where the machine refuses memory or threads, or where it has a defect.
_CRASH = re.compile(r"(?m)^(?:fatal error: |runtime: failed to |panic: ).*")
# What TF_LOG writes: `2026-11-21T07:02:43.912Z [DEBUG] …`.
_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\S+ \[[A-Z]+\]")


def ignore(event: UiEvent) -> None:
    """A listener that listens to nothing."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """A command that wrote events; `record` is the file they are in.

    `trouble` is what a listener raised, or the Ctrl-C that came while the command ran.
    """

    completed: Completed
    events: tuple[UiEvent, ...]
    record: Path
    trouble: Exception | KeyboardInterrupt | None = None

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every complaint, once, whether it came as an event or on standard error."""
        of_events = [event.diagnostic for event in self.events if isinstance(event, DiagnosticEvent)]
        return explained(self.completed, of_events)


def explained(completed: Completed, of_events: Sequence[Diagnostic] = ()) -> tuple[Diagnostic, ...]:
    """Return the diagnostics and standard error, each once; a failure never without a reason."""
    diagnostics = unique([*of_events, *from_stderr(completed.stderr)])
    if any(diagnostic.is_error for diagnostic in diagnostics):
        return diagnostics
    # A Go program that crashes ends with code 2, which for a plan means that there are changes.
    crash = _CRASH.search(completed.stderr)
    if completed and crash is None:
        return diagnostics
    ended = (
        f"ended by signal {-completed.code}" if completed.code < 0 else f"ended with code {completed.code}"
    )
    last_words = [line for line in completed.stderr.splitlines() if line and not _LOG_LINE.match(line)]
    silent = Diagnostic(
        severity="error",
        summary=f"{completed.command.argv[0]} {ended}{f': {crash[0]}' if crash else ' and gave no reason'}",
        detail="\n".join(last_words[-_LAST_WORDS:]),
    )
    return (*diagnostics, silent)


def check(runner: "Runner", verb: str, streamed: Streamed) -> None:
    """Raise what went wrong: the listener's error, Ctrl-C, an interruption, or the engine's own."""
    if streamed.trouble is not None:
        raise streamed.trouble
    if streamed.completed:
        return
    if runner.interrupted:
        raise interrupted(runner.engine, verb)
    name = f"{runner.engine.kind} {verb}"
    raise CommandFailedError(name, streamed.completed.code, streamed.diagnostics)


def interrupted(engine: Engine, verb: str) -> InterruptedSafelyError:
    """What a command that only looks raises when somebody asked to stop."""
    return InterruptedSafelyError(f"{engine.kind} {verb} was interrupted; nothing was changed")


class Tail:
    """Reads the whole lines a growing file has gained since the last look."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._rest = b""

    def events(self, *, last: bool = False) -> list[UiEvent]:
        """Return what is new; with `last` also a line that was never ended."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        if last:
            lines.append(self._rest)
            self._file.close()
        parsed = (parse(line.decode(errors="replace")) for line in lines)
        return [event for event in parsed if event is not None]


class Runner:
    """One shard's commands, one at a time."""

    def __init__(self, engine: Engine, runtime: Runtime, *, workdir: Path, on_event: Listener) -> None:
        self.engine = engine
        self.workdir = workdir
        self._runtime = runtime
        self._on_event = on_event
        self._lock = threading.Lock()
        self._running: Running | None = None
        self._record: Path | None = None
        self._interrupted = self._cancelled = False

    def stream(
        self, *arguments: str, environ: Mapping[str, str], accept: frozenset[int] = frozenset({0})
    ) -> Streamed:
        """Run a command that writes events; hand them to the listener as they come."""
        record = self._new_record(arguments[0])
        began = self._runtime.clock.now()
        running = self._start(self._command(arguments, environ, accept, stdout=record))
        keep_child(record, running.pid, began=began, processes=self._runtime.processes)
        try:
            return self._watch(running, record)
        finally:
            self._running = None

    def ask(
        self, *arguments: str, environ: Mapping[str, str], accept: frozenset[int] = frozenset({0})
    ) -> Completed:
        """Run a command that changes nothing, and return its output."""
        running = self._start(self._command(arguments, environ, accept))
        try:
            return self._wait(running)
        finally:
            self._running = None

    def interrupt(self) -> bool:
        """Ask what runs to stop, with one SIGINT however often this is called; True where it was sent."""
        with self._lock:
            self._interrupted = True
            if self._running is None:
                return False
            if self._record is not None:
                # Should this process die, the next one must not send another.
                note_interrupt(self._record)
            return self._running.interrupt()

    def cancel(self) -> None:
        """Ask what runs to stop, and start nothing more: for commands that only look."""
        self._cancelled = True
        self.interrupt()

    @property
    def interrupted(self) -> bool:
        """Whether anybody asked to stop."""
        return self._interrupted

    def _command(
        self,
        arguments: tuple[str, ...],
        environ: Mapping[str, str],
        accept: frozenset[int],
        *,
        stdout: Path | None = None,
    ) -> Command:
        argv = (str(self.engine.path), *arguments)
        return Command(argv=argv, cwd=self.workdir, environ=environ, accept=accept, stdout=stdout)

    def _start(self, command: Command) -> Running:
        with self._lock:
            if self._cancelled:
                raise interrupted(self.engine, command.argv[1])
            self._running = self._runtime.processes.start(command)
            self._record = command.stdout
            return self._running

    def _watch(self, running: Running, record: Path) -> Streamed:
        tail = Tail(record)
        events: list[UiEvent] = []
        trouble: Exception | KeyboardInterrupt | None = None
        completed: Completed | None = None
        while completed is None:
            try:
                completed = running.wait(_LOOK_SECONDS)
                fresh = tail.events(last=completed is not None)
                events += fresh
                if trouble is None:
                    self._hand_on(fresh)
            except KeyboardInterrupt as stop:
                self.interrupt()
                trouble = stop
            except Exception as error:  # noqa: BLE001 - whatever a listener raises, an apply goes on
                trouble = trouble or error
        return Streamed(completed, tuple(events), record, trouble)

    def _hand_on(self, events: list[UiEvent]) -> None:
        for event in events:
            if not isinstance(event, EmergencyStateDump):
                self._on_event(event)

    def _wait(self, running: Running) -> Completed:
        trouble: KeyboardInterrupt | None = None
        while True:
            try:
                completed = running.wait()
            except KeyboardInterrupt as stop:
                self.interrupt()
                trouble = stop
                continue
            if trouble is not None:
                raise trouble
            if completed is not None:
                return completed

    def _new_record(self, verb: str) -> Path:
        folder = own_folder(self.workdir / OUTPUT)
        stamp = self._runtime.clock.now().strftime("%Y%m%dT%H%M%S")
        paths = (folder / f"{stamp}-{number:02}-{verb}.jsonl" for number in itertools.count())
        return next(path for path in paths if not path.exists())
