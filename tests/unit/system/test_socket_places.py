"""Sockets find a folder whose path is short enough, or one error says what is to be done."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.environment import engine_environ
from holdfast_orchestrator.engine.warm import folders
from holdfast_orchestrator.errors import MachineError
from holdfast_orchestrator.system import socket_places
from holdfast_orchestrator.system.socket_places import VARIABLE, socket_place, socket_variables

# As long as Go's longest name, and the shorter of the limits of Linux and macOS.
NAME = "plugin1234567890"
LONGEST = 103


@pytest.fixture(params=[60, 74, 75, 90, 130])
def temporary(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    folder = short / ("t" * (request.param - len(str(short)) - 1))
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    folder.rmdir()
    short.rmdir()


def test_a_gateways_sockets_can_be_made_however_long_the_path(temporary: Path) -> None:
    folder = folders.make_folder()
    try:
        path = f"{folder}/{NAME}"
        assert len(path) <= LONGEST
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path)
        assert folder.stat().st_mode & 0o077 == 0
        assert (folder.parent == temporary) == (len(str(temporary)) <= 74)
    finally:
        os.close(folders.hold(folder))
        (folder / "work").rmdir()
        (folder / NAME).unlink()
        assert folder in folders.sweep(lambda: datetime.now(UTC))


def test_a_cold_engines_plugins_get_a_short_folder_only_where_they_need_one(temporary: Path) -> None:
    given = engine_environ({"TMPDIR": str(temporary)})

    assert given["TMPDIR"] == str(temporary)
    assert (VARIABLE in given) == (len(str(temporary)) > 86)
    assert len(f"{given.get(VARIABLE, temporary)}/{NAME}") <= LONGEST


def test_the_callers_own_choice_counts() -> None:
    long, short = f"/{'t' * 130}", "/run/mine"

    assert socket_variables({"TMPDIR": long, VARIABLE: short}) == {}
    assert len(socket_variables({"TMPDIR": short, VARIABLE: long})[VARIABLE]) < LONGEST


def test_where_there_is_no_short_folder_one_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", f"/{'t' * 130}")
    monkeypatch.setattr(socket_places, "_SHORT", ("/nowhere",))

    with pytest.raises(MachineError, match=r"too long for a socket \(131 characters\)") as raised:
        socket_place()

    assert raised.value.next_step == "name a shorter one: export TMPDIR=/tmp"


def test_the_folder_is_gone_with_its_process() -> None:
    code = (
        "from holdfast_orchestrator.system.socket_places import socket_variables;"
        "print(*socket_variables({'TMPDIR': '/' + 't' * 130}).values())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert Path(ran.stdout.strip()).name.startswith("hf-")
    assert not Path(ran.stdout.strip()).exists()
