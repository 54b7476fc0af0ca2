"""The only place that starts, watches and stops other programs.

A command goes in as a value and comes out as a value. Every program is started the same way, and
the way is Terraform's needs:

- in a session of its own, standard input closed, hang-ups ignored: a closed terminal, a dying
  orchestrator or a Ctrl-C meant for us must not reach a Terraform that is writing state;
- standard output and error to files, never to pipes: a pipe whose reader died kills the writer. What is
  captured goes to memory, what has to outlive us to the disk;
- files made by it are private (umask 077): plans and states hold secrets;
- stopped with one SIGINT and patience. A second SIGINT makes Terraform drop a state write, SIGKILL
  loses up to twenty seconds of state. Only commands that change nothing may ask for `kill`.
"""

import contextlib
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, Protocol

from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.system.private_files import open_append
from holdfast_orchestrator.system.sessions import end_session, running_process

# `trap "" HUP` survives exec; a preexec_fn would do the same but is unsafe where threads run.
_SHIM = ("/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh")
_PRIVATE = 0o077
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run.

    `environ` is the whole environment. `accept` are the exit codes that count as success. With
    `stdout` the output goes to that new file (mode 0600) instead of being captured. After
    `timeout` seconds the program gets one SIGINT and is waited for, or, with `on_timeout="kill"`
    (only for what changes nothing), it and its children are killed. With `ends_session` whatever it left
    running in its session is ended when it has ended; a daemon with a session of its own is not.
    """

    argv: tuple[str, ...]
    cwd: Path
    environ: Mapping[str, str] = field(repr=False)
    accept: frozenset[int] = frozenset({0})
    stdout: Path | None = None
    timeout: float | None = None
    on_timeout: Literal["interrupt", "kill"] = "interrupt"
    ends_session: bool = False

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a program ended; true where its exit code is one the command accepts.

    `code` is negative for a signal. `stdout` is empty where the command named a file for it. `left` are the
    programs that it had left running and that did not end by themselves, for a command that ends its session.
    """

    command: Command
    code: int
    stdout: str = field(default="", repr=False)
    stderr: str = field(default="", repr=False)
    seconds: float = 0.0
    timed_out: bool = False
    left: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.code in self.command.accept and not self.timed_out


class Running(Protocol):
    """A program that has been started."""

    @property
    def pid(self) -> int: ...

    def wait(self, timeout: float | None = None) -> Completed | None:
        """Wait at most `timeout` seconds (None: until it ends); None while it still runs."""

    def interrupt(self) -> bool:
        """Send SIGINT, once in its life; False where it was sent before or the program has ended."""


class Processes(Protocol):
    """The door to other programs."""

    def run(self, command: Command) -> Completed:
        """Run to the end. Raises ToolchainError where there is no such program."""

    def start(self, command: Command) -> Running:
        """Start and return at once. Raises ToolchainError where there is no such program."""

    def start_detached(self, command: Command, *, log: Path | int) -> int:
        """Start a daemon whose output is added to the file `log`, or goes to that open descriptor.

        Return its process id.
        """

    def birth(self, pid: int) -> str | None:
        """Return the moment a process began, None if it is gone: a later one with its id began at another."""

    def interrupt(self, pid: int, *, born: str) -> bool:
        """Send SIGINT to a process that somebody else started; False where it is not the one born then."""

    def terminate(self, pid: int, *, grace: float) -> bool:
        """Stop a daemon: SIGTERM, then SIGKILL after `grace` seconds. False if it was gone already."""


class SystemProcesses:
    """Processes of this machine."""

    def run(self, command: Command) -> Completed:
        running = self.start(command)
        try:
            completed = running.wait(command.timeout)
            return completed if completed is not None else running.stop(timed_out=True)
        except KeyboardInterrupt:
            running.stop()
            raise

    def start(self, command: Command) -> "SystemRunning":
        return SystemRunning(command)

    def start_detached(self, command: Command, *, log: Path | int) -> int:
        if isinstance(log, int):
            child = _spawn(command, stdout=log, stderr=log)
        else:
            with os.fdopen(open_append(log), "wb") as sink:
                child = _spawn(command, stdout=sink, stderr=sink)
        # Nobody here waits for a daemon: without this its Popen object would complain when collected.
        child.returncode = 0
        return child.pid

    def birth(self, pid: int) -> str | None:
        if not Path("/proc/self/stat").exists():
            return self._birth_from_ps(pid)
        process = running_process(pid)
        return None if process is None else process.born

    def interrupt(self, pid: int, *, born: str) -> bool:
        if self.birth(pid) != born:
            return False
        _signal(pid, signal.SIGINT)
        return True

    def terminate(self, pid: int, *, grace: float) -> bool:
        born = self.birth(pid)
        if born is None:
            return False
        deadline = time.monotonic() + grace
        _signal(pid, signal.SIGTERM)
        while self.birth(pid) == born and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if self.birth(pid) == born:
            _signal(pid, signal.SIGKILL)
        _reap(pid)
        return True

    def _birth_from_ps(self, pid: int) -> str | None:
        argv = ("/bin/ps", "-o", "stat=,lstart=", "-p", str(pid))
        listed = self.run(Command(argv=argv, cwd=Path("/"), environ={"LC_ALL": "C"}))
        state, _, born = listed.stdout.strip().partition(" ")
        return None if not listed or state.startswith("Z") else born.strip()


class SystemRunning:
    """A program of this machine, started by `SystemProcesses.start`."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._interrupted = False
        self._completed: Completed | None = None
        self._ending: int | None = None
        self._out = _scratch() if command.stdout is None else _private_file(command.stdout)
        self._err = _scratch()
        try:
            self._child = _spawn(command, stdout=self._out, stderr=self._err)
            self._ending = _ending_of(self._child.pid)
        except BaseException:
            self._close()
            raise

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait(self, timeout: float | None = None) -> Completed | None:
        if self._completed is not None:
            return self._completed
        try:
            if timeout is not None and self._ending is not None and not _readable(self._ending, timeout):
                return None
            code = self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return self._finished(code)

    def interrupt(self) -> bool:
        with self._lock:
            if self._interrupted or self._child.poll() is not None:
                return False
            self._interrupted = True
            self._child.send_signal(signal.SIGINT)
            return True

    def stop(self, *, timed_out: bool = False) -> Completed:
        """End it the way its command allows, wait for it, and say whether it was out of time."""
        if self.command.on_timeout == "kill":
            _signal(-self.pid, signal.SIGKILL)
        else:
            self.interrupt()
        return self._finished(self._child.wait(), timed_out=timed_out)

    def _finished(self, code: int, *, timed_out: bool = False) -> Completed:
        with self._lock:
            if self._completed is None:
                left = end_session(self.pid) if self.command.ends_session else ()
                self._completed = Completed(
                    command=self.command,
                    code=code,
                    stdout="" if self.command.stdout is not None else _text(self._out),
                    stderr=_text(self._err),
                    seconds=time.monotonic() - self._began,
                    timed_out=timed_out,
                    left=left,
                )
                self._close()
            return self._completed

    def _close(self) -> None:
        self._out.close()
        self._err.close()
        if self._ending is not None:
            os.close(self._ending)


def _spawn(command: Command, *, stdout: IO[bytes] | int, stderr: IO[bytes] | int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        (*_SHIM, _program(command), *command.argv[1:]),
        cwd=command.cwd,
        env=dict(command.environ),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        umask=_PRIVATE,
    )


def _ending_of(pid: int) -> int | None:
    """A descriptor that can be read once the process has ended; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _readable(descriptor: int, seconds: float) -> bool:
    # What `subprocess` does instead is to look up to two thousand times a second.
    look = select.poll()
    look.register(descriptor, select.POLLIN)
    return bool(look.poll(seconds * 1000))


def _program(command: Command) -> str:
    name = command.argv[0]
    anchored = str(command.cwd / name) if "/" in name else name
    program = shutil.which(anchored, path=command.environ.get("PATH", os.defpath))
    if program is None:
        raise ToolchainError(f"there is no program {name!r}", next_step="holdfast doctor")
    return program


def _scratch() -> IO[bytes]:
    """Where output is captured: in memory, because a disk that is full would cut it short unnoticed."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("output"), "w+b")
    return tempfile.TemporaryFile()


def _private_file(path: Path) -> IO[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap(pid: int) -> None:
    # Only for daemons: a program that somebody waits for would seem to have ended with code 0.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
