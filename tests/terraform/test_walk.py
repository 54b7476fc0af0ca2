"""From `holdfast deploy` to Terraform's start only a few modules are passed: somebody has to read them."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.terraform.conftest import App

MOST = 8
# Notes, for each command that is started, the modules on the stack of the thread that starts it and of the
# main thread, which waits for it; the call itself is the last of them.
NOTING = """
import json, sys, threading
from pathlib import Path
from holdfast_orchestrator.system.process import SystemProcesses

start = SystemProcesses.start

def modules(frame):
    names = []
    while frame is not None:
        names.append(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    return names[::-1]

def noting(processes, command):
    frames = [sys._current_frames()[threading.main_thread().ident], sys._getframe(1)]
    names = [name for frame in frames for name in modules(frame)]
    with Path("walk.jsonl").open("a") as file:
        file.write(json.dumps([command.argv[1], names]) + "\\n")
    return start(processes, command)

SystemProcesses.start = noting
from holdfast_orchestrator.cli import main
sys.exit(main())
"""


def test_terraform_is_started_a_few_modules_below_the_command(plain_app: "App") -> None:
    plain_app.write({"one": {"resource": {"terraform_data": {"made": {"input": "x"}}}}})

    said, _ = (deploying := plain_app.start("deploy", "--yes", python=("-c", NOTING))).communicate()

    assert deploying.returncode == 0, said
    notes = [json.loads(line) for line in (plain_app.folder / "walk.jsonl").read_text().splitlines()]
    for verb in ("init", "plan"):
        names = next(names for argument, names in notes if argument == verb)
        below = names[names.index("holdfast_orchestrator.cli.deploy") :]
        passed = list(dict.fromkeys(name for name in below if name.startswith("holdfast_orchestrator.")))
        assert len(passed) <= MOST, passed
