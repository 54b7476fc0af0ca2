import json
import os
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.app.app_error import trimmed
from holdfast_orchestrator.app.project_file import ProjectFile
from holdfast_orchestrator.app.synth import synth_lock, synthesize
from holdfast_orchestrator.errors import SettingsError, SynthesisError, UsageError
from holdfast_orchestrator.events import AppOutput, Event, ignore
from holdfast_orchestrator.system.process import Command, Completed, SystemProcesses
from holdfast_orchestrator.testing import ScriptedProcesses, refusing_runtime


def project(folder: Path, **rest: Any) -> ProjectFile:
    return ProjectFile(folder=folder, app="python main.py", output=folder / "cdktf.out", **rest)


def answering(folder: Path, *, code: int = 0, stderr: str = "", writes: bool = True) -> ScriptedProcesses:
    def answer(command: Command) -> Completed:
        if writes:
            (folder / "cdktf.out").mkdir(exist_ok=True)
            (folder / "cdktf.out" / "manifest.json").write_text('{"version": "0.21.0", "stacks": {}}')
        return Completed(command=command, code=code, stderr=stderr)

    return ScriptedProcesses(answer)


def run(folder: Path, processes: ScriptedProcesses, **asked: Any) -> Command:
    runtime = refusing_runtime(environ={"PATH": "/usr/bin", "HOME": "/home/me"}, processes=processes)
    synthesize(asked.pop("file", project(folder)), runtime, emit=ignore, **asked)
    return processes.commands[0]


def test_the_app_is_told_what_to_synthesize_and_where_to(tmp_path: Path) -> None:
    file = project(tmp_path, context={"team": "checkout"})

    command = run(
        tmp_path, answering(tmp_path), file=file, environments=("dev", "prod"), services=("orders",)
    )

    assert command.argv == ("/bin/sh", "-c", "python main.py")
    assert command.cwd == tmp_path
    assert command.environ["HOLDFAST_ENV"] == "dev,prod"
    assert command.environ["HOLDFAST_SERVICE"] == "orders"
    assert command.environ["CDKTF_OUTDIR"] == str(tmp_path / "cdktf.out")
    assert json.loads(command.environ["CDKTF_CONTEXT_JSON"]) == {"team": "checkout"}
    assert command.environ["HOME"] == "/home/me"


def test_what_the_app_prints_can_be_watched(tmp_path: Path) -> None:
    heard: list[Event] = []
    runtime = refusing_runtime(environ={}, processes=answering(tmp_path, stderr="a warning"))

    synthesize(project(tmp_path), runtime, emit=heard.append)

    assert [event.text for event in heard if isinstance(event, AppOutput)] == ["a warning"]


def test_two_runs_in_one_checkout_take_turns(tmp_path: Path) -> None:
    skip_check: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with synth_lock(tmp_path):
            skip_check.append("second")

    with synth_lock(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait()
        skip_check.append("first")
    thread.join()

    assert skip_check == ["first", "second"]


def test_the_app_runs_with_the_python_that_runs_holdfast(tmp_path: Path) -> None:
    command = run(tmp_path, answering(tmp_path))

    assert command.environ["PATH"] == f"{Path(sys.executable).parent}:/usr/bin"


def test_what_an_earlier_synthesis_left_does_not_pass_for_this_ones_work(tmp_path: Path) -> None:
    output = tmp_path / "cdktf.out"
    output.mkdir()
    (output / "manifest.json").write_text("{}")
    (output / "holdfast.json").write_text("{}")

    with pytest.raises(SynthesisError, match=r"wrote no .*manifest.json"):
        run(tmp_path, answering(tmp_path, writes=False))

    assert not (output / "holdfast.json").exists()


def test_what_the_app_calls_wrong_settings_is_passed_on_once(tmp_path: Path) -> None:
    said = "error: nat must be per_az, single or none, got 'two'\n  next: edit environments/dev.toml\n"

    with pytest.raises(SettingsError) as raised:
        run(tmp_path, answering(tmp_path, code=64, stderr=said))

    assert raised.value.what == "nat must be per_az, single or none, got 'two'"
    assert raised.value.next_step == "edit environments/dev.toml"
    assert raised.value.exit_code == 64


def test_a_crash_of_the_app_shows_its_own_frames_and_the_error(tmp_path: Path) -> None:
    with pytest.raises(SynthesisError) as raised:
        run(tmp_path, answering(tmp_path, code=1, stderr=TRACEBACK))

    text = str(raised.value)
    assert "main.py" in text
    assert "KeyError: 'region'" in text
    assert "site-packages" not in text
    assert raised.value.exit_code == 1


TRACEBACK = textwrap.dedent(
    """\
    Traceback (most recent call last):
      File "/home/me/app/main.py", line 9, in <module>
        Orders(app, "orders")
      File "/venv/lib/python3.11/site-packages/jsii/_runtime.py", line 118, in __call__
        inst = super().__call__(*args, **kwargs)
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      File "/home/me/app/orders.py", line 3, in __init__
        settings["region"]
    KeyError: 'region'
    """
)


def test_frames_of_installed_packages_are_left_out_with_their_code() -> None:
    assert trimmed(TRACEBACK) == textwrap.dedent(
        """\
        Traceback (most recent call last):
          File "/home/me/app/main.py", line 9, in <module>
            Orders(app, "orders")
          File "/home/me/app/orders.py", line 3, in __init__
            settings["region"]
        KeyError: 'region'"""
    )


def test_frames_of_javascript_are_left_out() -> None:
    text = "RuntimeError: Error: two constructs named 'db'\n    at Node.addChild (/tmp/x/index.js:1:22)\nend"

    assert trimmed(text) == "RuntimeError: Error: two constructs named 'db'\nend"


@pytest.mark.parametrize("name", ["", "dev,prod"])
def test_a_name_that_would_be_read_as_several_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--env takes one name at a time"):
        run(tmp_path, answering(tmp_path), environments=(name,))


@pytest.mark.parametrize(
    ("app", "program"),
    [
        ("no-such-pipenv run python main.py", "no-such-pipenv"),
        ("exec no-such-uv run main.py", "no-such-uv"),
        ("cd . && no-such-npx ts-node main.ts", "no-such-npx"),
        ("bash -c 'no-such-poetry run python main.py'", "no-such-poetry"),
        ("env no-such-node main.js", "no-such-node"),
    ],
)
def test_a_program_that_is_not_there_is_named_in_one_sentence(tmp_path: Path, app: str, program: str) -> None:
    """Real shells say it in their own ways."""
    file = ProjectFile(folder=tmp_path, app=app, output=tmp_path / "cdktf.out")
    runtime = refusing_runtime(environ=dict(os.environ), processes=SystemProcesses())

    with pytest.raises(SynthesisError) as raised:
        synthesize(file, runtime, emit=ignore)

    assert raised.value.what == f"{app!r} cannot be run: there is no program {program!r} on PATH"
    assert str(raised.value.next_step).startswith(f"install {program}, or change `app` in ")


def test_the_output_folder_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    file = ProjectFile(folder=tmp_path, app="x", output=tmp_path / "build" / "deep" / "cdktf.out")

    with pytest.raises(SynthesisError, match="wrote no"):
        run(tmp_path, answering(tmp_path, writes=False), file=file)

    assert file.output.is_dir()
    (tmp_path / "a-file").touch()
    with pytest.raises(SettingsError, match="cannot synthesize to"):
        run(
            tmp_path,
            answering(tmp_path),
            file=ProjectFile(folder=tmp_path, app="x", output=tmp_path / "a-file/x"),
        )
