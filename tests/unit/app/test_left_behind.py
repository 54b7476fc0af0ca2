"""What an app leaves running is ended when it has ended; what is somebody else's is not."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast_orchestrator.app.project_file import ProjectFile
from holdfast_orchestrator.app.synth import synthesize
from holdfast_orchestrator.events import Event, Notice
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.testing import refusing_runtime

PROCESSES = SystemProcesses()
APP = """
    import os, pathlib, signal, subprocess, sys, time

    def left(code, **options):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, **options)
        child.stdout.readline()
        pathlib.Path("left").open("a").write(f"{child.pid}\\n")
        child.returncode = 0

    ready = "print('ready', flush=True); import time; time.sleep(60)"
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + ready
    pathlib.Path("cdktf.out").mkdir(exist_ok=True)
    pathlib.Path("cdktf.out/manifest.json").write_text('{"version": "0.21.0", "stacks": {}}')
"""


@dataclass
class App:
    """An app whose program goes on after `APP`."""

    folder: Path
    heard: list[Event] = field(default_factory=list)

    def synth(self, program: str) -> float:
        (self.folder / "main.py").write_text(textwrap.dedent(APP) + program + "\n")
        environ = {"PATH": os.environ["PATH"]}
        runtime = refusing_runtime(environ=environ, processes=PROCESSES)
        app, output = f"{sys.executable} main.py", self.folder / "cdktf.out"
        began = time.monotonic()
        synthesize(ProjectFile(folder=self.folder, app=app, output=output), runtime, emit=self.heard.append)
        return time.monotonic() - began

    @property
    def left(self) -> list[int]:
        return [int(line) for line in (self.folder / "left").read_text().split()]

    @property
    def told(self) -> str:
        return " ".join(event.message for event in self.heard if isinstance(event, Notice))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path)
    yield made
    if (tmp_path / "left").exists():
        for pid in made.left:
            PROCESSES.terminate(pid, grace=0)


def lives(pid: int) -> bool:
    return PROCESSES.birth(pid) is not None


def test_a_program_that_the_app_left_running_is_ended_and_named(app: App) -> None:
    app.synth("left(ready)")

    (pid,) = app.left
    assert not lives(pid)
    assert f"({pid})" in app.told


def test_one_that_does_not_listen_is_killed_and_so_is_one_in_a_group_of_its_own(app: App) -> None:
    app.synth("left(deaf); left(ready, process_group=0)")

    # A process that was killed is gone a moment later.
    deadline = time.monotonic() + 5
    while any(map(lives, app.left)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [pid for pid in app.left if lives(pid)] == []


def test_helpers_that_end_by_themselves_are_not_spoken_of(app: App) -> None:
    app.synth("left(\"print('ready', flush=True); import time; time.sleep(0.2)\")")

    assert not any(map(lives, app.left))
    assert app.told == ""


def test_a_daemon_with_a_session_of_its_own_stays(app: App) -> None:
    app.synth("left(ready, start_new_session=True)")

    assert lives(*app.left)
    assert app.told == ""


def test_what_was_started_elsewhere_stays(app: App) -> None:
    argv = (sys.executable, "-c", "import time; time.sleep(60)")
    with subprocess.Popen(argv) as beside:
        seconds = app.synth("")
        assert beside.poll() is None
        assert seconds < 5
        beside.send_signal(signal.SIGKILL)


def test_an_app_that_fails_leaves_nothing_running_either(app: App) -> None:
    with pytest.raises(Exception, match="ended with exit code 3"):
        app.synth("left(ready); sys.exit(3)")

    assert not any(map(lives, app.left))
