"""The tutorial, word by word: in a fresh folder and a fresh environment, from the wheel."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.wheels import build_wheel, collect_wheels
from tests.support.written_pages import Command, Shell, Step, fresh_environ, steps

from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.system.runtime import real_runtime

ROOT = Path(__file__).resolve().parents[2]
# What the user of a new project may wait for its first deploy, where nothing else keeps the machine busy.
SECONDS = 180
FIRST, LAST = "pip install holdfast", "holdfast deploy --env local --yes"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Everything that is to be installed, as an earlier installation would have left it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    collect_wheels(folder, build_wheel(tmp_path))
    return folder


@pytest.fixture
def shell(tmp_path: Path, wheels: Path) -> Iterator[Shell]:
    folder = tmp_path / "jane"
    folder.mkdir()
    pip = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_QUIET": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }
    engine = find_engine(real_runtime(), project=ROOT).path.parent
    shell = Shell(folder, fresh_environ(engine, **pip), {str(folder): "/home/jane"})
    yield shell
    shell.close()
    LocalCloud(folder / "shop", real_runtime()).down()


def is_busy() -> bool:
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def seconds_until(last: str, page: list[Step], shell: Shell) -> float:
    """Take the steps of a page up to a command, and return how long that took from FIRST on."""
    began = time.monotonic()
    while page:
        step = page.pop(0)
        words = step.words if isinstance(step, Command) else None
        if words == FIRST:
            began = time.monotonic()
        shell.take(step)
        if words == last:
            break
    return time.monotonic() - began


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_tutorial_is_what_happens(shell: Shell) -> None:
    page = steps(ROOT / "docs" / "tutorial.md")
    busy_before = is_busy()

    seconds = seconds_until(LAST, page, shell)
    busy = busy_before or is_busy()
    for step in page:
        shell.take(step)

    shell.finish()
    assert busy or seconds < SECONDS
