"""`holdfast` commands for tests, each in a process of its own that need not import everything again.

Half of the time of a small command is Python importing boto3 and Holdfast. A server process imports them
once; a command is a fork of it: own process id, folder, environment, streams and exit code, and the same
`main`. Nothing has been run in the server, so a command finds only modules that are loaded already. What a
test sends signals to, or looks for by its command line, is started the ordinary way.

    ran = run_command(("deploy", "--yes"), cwd=folder, environ=environ, seconds=600)
"""

import atexit
import functools
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

_ROOT = Path(__file__).resolve().parents[2]
_MODULE = "holdfast_orchestrator"
# What every command imports, and what those that deploy do.
_IMPORTED = (
    "boto3",
    "botocore.client",
    *(
        f"{_MODULE}.cli.{name}"
        for name in ("deploy", "destroy", "plan", "resume", "rollback", "runs", "show")
    ),
)
_LENGTH = struct.Struct("!I")
# First the id of the command's process, then its exit code; a negative one is a signal's number.
_NUMBER = struct.Struct("!i")
_STREAMS = (1, 2)


def run_command(
    argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str], seconds: float, own_session: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run `holdfast ARGV` to its end and return what it wrote and its exit code.

    With `own_session` no terminal and no group of the test's reaches it. Raises subprocess.TimeoutExpired
    after so many seconds; the command is killed then.
    """
    request = {"argv": [*argv], "cwd": str(cwd), "environ": {**environ}, "own_session": own_session}
    return _server().run(request, seconds)


@functools.cache
def _server() -> "_Server":
    server = _Server()
    atexit.register(server.close)
    return server


class _Server:
    """The server, and what is asked of it. Several threads may ask at once."""

    def __init__(self) -> None:
        self._asking, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forked_commands", str(theirs.fileno())],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def close(self) -> None:
        """End the server; a command that still runs is left alone."""
        self._asking.close()
        self._server.wait()

    def run(self, request: Mapping[str, Any], seconds: float) -> "subprocess.CompletedProcess[str]":
        ours, theirs = socket.socketpair()
        with ours, tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            with theirs:
                self._ask(request, [theirs, out, err])
            pid = _number(ours)
            if not select.select([ours], [], [], seconds)[0]:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(request["argv"], seconds)
            argv = [sys.executable, "-m", _MODULE, *request["argv"]]
            return subprocess.CompletedProcess(argv, _number(ours), _text(out), _text(err))

    def _ask(self, request: Mapping[str, Any], handed: Sequence[Any]) -> None:
        body = json.dumps(request).encode()
        with self._lock:
            socket.send_fds(self._asking, [_LENGTH.pack(len(body))], [one.fileno() for one in handed])
            self._asking.sendall(body)


def _number(asked: socket.socket) -> int:
    body = asked.recv(_NUMBER.size, socket.MSG_WAITALL)
    if len(body) < _NUMBER.size:
        raise RuntimeError("the server of forked commands has ended")
    number: int = _NUMBER.unpack(body)[0]
    return number


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _serve(asked: socket.socket) -> dict[str, Any]:
    """Answer requests; return in the process of each command with its request, and end when nobody asks."""
    # The kernel buries the processes that wait for commands.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        head, descriptors, _, _ = socket.recv_fds(asked, _LENGTH.size, 1 + len(_STREAMS))
        if not head:
            sys.exit(0)
        body = asked.recv(_LENGTH.unpack(head)[0], socket.MSG_WAITALL)
        if os.fork() == 0:
            asked.close()
            return _in_a_process_of_its_own(json.loads(body), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _in_a_process_of_its_own(request: dict[str, Any], told: int, out: int, err: int) -> dict[str, Any]:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        for stream, descriptor in zip(_STREAMS, (out, err), strict=True):
            os.dup2(descriptor, stream)
        for descriptor in (told, out, err):
            os.close(descriptor)
        return request
    os.write(told, _NUMBER.pack(pid))
    os.write(told, _NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    os._exit(0)


def _be(request: dict[str, Any]) -> None:
    """Become the command, as `python -m holdfast_orchestrator ARGV` would be it."""
    if request["own_session"]:
        os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    sys.path[0] = request["cwd"]
    sys.argv[:] = [_MODULE, *request["argv"]]
    runpy.run_module(_MODULE, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in _IMPORTED:
        import_module(name)
    _be(_serve(socket.socket(fileno=int(sys.argv[1]))))
