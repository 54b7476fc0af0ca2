"""What a command writes when nobody reads it any more."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from holdfast_orchestrator.cli._streams import keep_streams_open
keep_streams_open()
sys.stdin.readline()
for _ in range(3):
    print("x" * 100_000, flush=True)
print("to the error stream \\u2714", file=sys.stderr)
sys.exit(5)
"""


def started(folder: Path, *, out: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=subprocess.PIPE,
    )


def test_a_pipe_nobody_reads_any_more_does_not_change_the_exit_code(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    process = started(tmp_path, out=writing)
    os.close(writing)
    os.close(reading)

    _, err = process.communicate(b"go\n")

    assert process.returncode == 5, err
    assert "to the error stream ✔" in err.decode()


def test_a_closed_terminal_does_not_change_the_exit_code(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    process = started(tmp_path, out=theirs)
    os.close(theirs)
    os.close(ours)

    _, err = process.communicate(b"go\n")

    assert process.returncode == 5, err


def test_a_sign_that_cannot_be_shown_ends_nothing(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("100_000", "1")],
        cwd=tmp_path,
        input=b"go\n",
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )

    assert process.returncode == 5, process.stderr
    assert process.stdout == b"x\nx\nx\n"
    assert process.stderr == b"to the error stream ?\n"
