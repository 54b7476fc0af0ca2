"""Folders of dead gateways are removed; those of living ones, and what may be somebody else's, stay."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.warm import folders


def later(made: float = 4e9, seconds: float = 0) -> Callable[[], datetime]:
    return lambda: datetime.fromtimestamp(made + seconds, UTC)


@pytest.fixture(autouse=True)
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Short, because a socket's path may not be longer than a hundred characters or so.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def dead() -> Path:
    """The folder of a gateway that was killed, with what such a one leaves."""
    folder = folders.make_folder()
    os.close(folders.hold(folder))
    for name in ("control", "log", "d7", "p0.log", "p3.pipe", "plugin123"):
        (folder / name).touch()
    return folder


def test_a_dead_one_is_removed_and_named() -> None:
    folder = dead()

    assert folders.sweep(later()) == (folder,)
    assert not folder.exists()
    assert folders.sweep(later()) == ()


def test_a_living_one_stays_whoever_of_the_two_lives() -> None:
    folder = dead()
    held = folders.hold(folder)

    assert folders.sweep(later()) == ()
    os.close(held)
    assert folders.sweep(later()) == (folder,)


def test_a_killed_process_holds_nothing() -> None:
    code = (
        "import os, sys; from pathlib import Path; from holdfast_orchestrator.engine.warm import folders;"
        "folders.hold(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    folder = dead()
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False)

    assert folders.sweep(later()) == (folder,)


@pytest.mark.parametrize("theirs", ["ledger.txt", "p1.txt", "plugins", "control.bak"])
def test_one_with_anything_else_in_it_stays(theirs: str) -> None:
    folder = dead()
    (folder / theirs).touch()

    assert folders.sweep(later()) == ()
    assert (folder / theirs).exists()


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_one_that_others_may_open_stays(mode: int) -> None:
    folder = dead()
    folder.chmod(mode)

    assert folders.sweep(later()) == ()


def test_other_names_links_and_files_stay(temp: Path) -> None:
    target = temp / "target"
    target.mkdir(mode=0o700)
    (temp / "hf-aaaaaaaa").symlink_to(target)
    (temp / "hf-bbbbbbbb").touch()
    (temp / "hf-longer-than-ours").mkdir(mode=0o700)

    assert folders.sweep(later()) == ()
    assert len(list(temp.iterdir())) == 4


def test_one_of_an_earlier_holdfast_goes_when_it_is_old_and_nobody_answers() -> None:
    folder = dead()
    (folder / "alive").unlink()
    (folder / "control").unlink()
    made = folder.stat().st_mtime

    assert folders.sweep(later(made, 60)) == ()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as gateway:
        gateway.bind(os.path.relpath(folder / "control"))
        gateway.listen()
        if len(str(folder / "control")) < 100:
            assert folders.sweep(later(made, 6000)) == ()
    assert folders.sweep(later(made, 6000)) == (folder,)
