"""Node without the process in between.

jsii starts a Node that starts another one, and every message goes through both: the first one is there to
keep what JavaScript prints apart from the messages. The second speaks through its file descriptor 3. Here it
is started by itself, with one end of a socket there, and prints to wherever Python prints: half of Node's
start is saved, and a wait for each answer.
"""

from __future__ import annotations

import atexit
import io
import os
import platform
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

from holdfast_bindings import settings

_PROGRAM = Path("lib") / "program.js"
# What a shell can name in a redirection, the POSIX way.
_HIGHEST_DESCRIPTOR = 9


def start(process: Any) -> bool:
    """Start Node for jsii's `_NodeProcess`; False, and nothing was done, where that has to be jsii's way."""
    node = settings.node_to_start()
    if node is None or os.name != "posix":
        return False
    program = Path(process._jsii_runtime()).parent.parent / _PROGRAM  # noqa: SLF001 - where jsii unpacks it
    if not program.is_file():
        return False
    ours, theirs = socket.socketpair()
    with theirs:
        if theirs.fileno() > _HIGHEST_DESCRIPTOR:
            ours.close()
            return False
        child = _spawn(node, program, theirs)
    # What jsii writes to and reads from, and what it closes in the end.
    child.stdin, child.stdout, child.stderr = ours.makefile("wb"), ours.makefile("rb"), io.BytesIO()
    ours.close()
    process._process, process.sink_thread = child, threading.Thread()  # noqa: SLF001
    atexit.register(process.stop)
    process.handshake()
    return True


def _spawn(node: str, program: Path, theirs: socket.socket) -> subprocess.Popen[bytes]:
    # As jsii does it, with descriptor 3 for the messages.
    return subprocess.Popen(
        (
            *("/bin/sh", "-c", f'exec "$@" 3<&{theirs.fileno()}', "sh"),
            *(node, "--max-old-space-size=4069", "--preserve-symlinks", str(program)),
        ),
        env=settings.environ_of_node(agent=f"Python/{platform.python_version()}"),
        stdin=subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
    )
