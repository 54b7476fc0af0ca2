"""What the orchestrator makes of the fast bindings: how an app is started, run again, and called slow."""

import os
from pathlib import Path
from typing import Any

import pytest

import holdfast_bindings
from holdfast_orchestrator.app import fast_bindings
from holdfast_orchestrator.app.app_error import trimmed
from holdfast_orchestrator.app.project_file import ProjectFile, read_project_file
from holdfast_orchestrator.app.synth import synthesize
from holdfast_orchestrator.errors import SettingsError, SynthesisError
from holdfast_orchestrator.events import AppOutput, Event, Notice, SynthFinished
from holdfast_orchestrator.system.process import Command, Completed
from holdfast_orchestrator.testing import ScriptedProcesses, refusing_runtime

HOOK = str(Path(holdfast_bindings.__file__).parent / "hook")
REFUSED = "refused @cdktf/provider-aws: broken copy"


class App:
    """An app in Python whose runs report and end as told; each run is `(report, Completed's fields)`."""

    def __init__(self, folder: Path, *runs: tuple[str, dict[str, Any]], app: str = "python main.py") -> None:
        self.project = ProjectFile(
            folder=folder, app=app, output=folder / "cdktf.out", bindings=folder / ".gen"
        )
        self.runs = list(runs)
        self.processes = ScriptedProcesses(self._answer)
        self.events: list[Event] = []

    def synthesize(self, **environ: str) -> None:
        runtime = refusing_runtime(environ=environ, processes=self.processes)
        synthesize(self.project, runtime, emit=self.events.append)

    def _answer(self, command: Command) -> Completed:
        report, fields = self.runs.pop(0)
        file = command.environ.get("HOLDFAST_BINDINGS_REPORT")
        if file is not None:
            assert Path(file).read_text() == "", "a report of an earlier run is no report of this one"
            Path(file).write_text(report)
        if fields.setdefault("code", 0) == 0:
            (self.project.output / "manifest.json").write_text('{"version": "0.21.0", "stacks": {}}')
        return Completed(command=command, **fields)

    @property
    def environs(self) -> list[dict[str, str]]:
        return [dict(command.environ) for command in self.processes.commands]

    @property
    def notices(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Notice)]


def test_the_hook_comes_first_on_the_app_s_pythonpath(tmp_path: Path) -> None:
    app = App(tmp_path, ("", {}), ("", {}))

    app.synthesize()
    app.synthesize(PYTHONPATH="lib:/opt/lib")

    assert [environ["PYTHONPATH"] for environ in app.environs] == [HOOK, f"{HOOK}:lib:/opt/lib"]


def test_where_cdktf_get_writes_is_told_with_and_without_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    app = App(tmp_path / "link", ("", {}))

    app.synthesize()

    places = app.environs[0]["HOLDFAST_BINDINGS_LOCAL"].split(os.pathsep)
    assert set(places) == {str(tmp_path / "link" / ".gen"), str(tmp_path.resolve() / "real" / ".gen")}


@pytest.mark.parametrize(("setting", "folder"), [("imports", "imports"), (None, ".gen")])
def test_where_cdktf_get_writes_is_read_from_cdktf_json(
    tmp_path: Path, setting: str | None, folder: str
) -> None:
    more = f', "codeMakerOutput": "{setting}"' if setting else ""
    (tmp_path / "cdktf.json").write_text(f'{{"app": "x", "language": "python"{more}}}')

    project = read_project_file(tmp_path)

    assert project.bindings == tmp_path / folder
    assert project.language == "python"


def test_switched_off_the_app_is_started_as_without_holdfast(tmp_path: Path) -> None:
    app = App(tmp_path, ("", {}))

    app.synthesize(HOLDFAST_FAST_BINDINGS="0", PYTHONPATH="lib")

    assert app.environs[0]["PYTHONPATH"] == "lib"
    assert not [name for name in app.environs[0] if name.startswith("HOLDFAST_BINDINGS_")]


def test_what_jsii_refuses_is_run_again_without_copies_and_that_counts(tmp_path: Path) -> None:
    app = App(
        tmp_path,
        (f"started 3.11\n{REFUSED}\n", {"code": 1, "stderr": "broken copy"}),
        ("", {"stdout": "done", "seconds": 14.0}),
    )

    app.synthesize()

    assert [environ.get("HOLDFAST_FAST_BINDINGS") for environ in app.environs] == [None, "0"]
    assert [event.text for event in app.events if isinstance(event, AppOutput)] == ["done"]
    assert [event.seconds for event in app.events if isinstance(event, SynthFinished)] == [14.0]
    assert app.notices == [
        "the app was run again without the fast bindings: @cdktf/provider-aws: broken copy"
    ]


def test_what_fails_without_copies_too_is_told_as_that_run_tells_it(tmp_path: Path) -> None:
    app = App(
        tmp_path,
        (f"{REFUSED}\n", {"code": 1, "stderr": "broken copy"}),
        ("", {"code": 1, "stderr": "KeyError: 'region'"}),
    )

    with pytest.raises(SynthesisError, match="KeyError: 'region'") as raised:
        app.synthesize()

    assert "broken copy" not in str(raised.value)
    assert app.notices == []


def test_a_traceback_that_passes_through_the_stand_in_is_not_trusted(tmp_path: Path) -> None:
    stderr = f'  File "{fast_bindings.FOLDER}/stand_in.py", line 40, in __getattr__\nImportError: x'
    app = App(tmp_path, ("", {"code": 1, "stderr": stderr}), ("", {}))

    app.synthesize()

    assert len(app.environs) == 2


@pytest.mark.parametrize(
    ("report", "fields"),
    [
        ("fast cdktf_cdktf_provider_aws\n", {"code": 1, "stderr": "RuntimeError: two constructs named 'db'"}),
        (
            "",
            {
                "code": 1,
                "stderr": f'  File "{fast_bindings.FOLDER}/kernel.py", line 1, in send\nE',
            },
        ),
        (f"{REFUSED}\n", {"code": 64, "stderr": "error: wrong settings"}),
        (f"{REFUSED}\n", {"code": 127, "stderr": "sh: 1: python: not found"}),
        (f"{REFUSED}\n", {"code": -9}),
    ],
    ids=["an error of the app", "one that came through jsii", "settings", "no program", "killed"],
)
def test_what_is_not_the_bindings_is_not_run_again(
    tmp_path: Path, report: str, fields: dict[str, Any]
) -> None:
    app = App(tmp_path, (report, fields))

    with pytest.raises((SynthesisError, SettingsError)):
        app.synthesize()

    assert len(app.environs) == 1


STOCK = "stock cdktf_cdktf_provider_acme: it is not laid out as expected"


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (
            f"started 3.11\nfast x\n{STOCK}\n{STOCK}\nmade y: 3 submodules\n",
            "the bindings were loaded whole: cdktf_cdktf_provider_acme: it is not laid out as expected",
        ),
        (
            "started 3.11\nfast x\nmade @cdktf/provider-aws: 57 submodules\n",
            (
                "small copies of the bindings were made (@cdktf/provider-aws: 57 submodules); "
                "they are kept for the next synthesis"
            ),
        ),
        (
            "started 3.11\nuncached\nmade @cdktf/provider-aws: 57 submodules\n",
            (
                "small copies of the bindings were made (@cdktf/provider-aws: 57 submodules); none can be "
                "kept for the next synthesis (the cache is not writable, or not yours alone)"
            ),
        ),
        (
            "",
            (
                "the app's Python does not see Holdfast's PYTHONPATH, and so not the fast bindings "
                "(python -I or -E, another PYTHONPATH, a container)"
            ),
        ),
        ("started 3.8\n", "the fast bindings need Python 3.9 or newer, the app runs on 3.8"),
    ],
    ids=["whole", "first run", "no cache", "hook not run", "old Python"],
)
def test_one_line_says_why_a_synthesis_was_slow_all_the_same(
    tmp_path: Path, report: str, reason: str
) -> None:
    app = App(tmp_path, (report, {"seconds": 13.2}))

    app.synthesize()

    assert app.notices == [f"the synthesis took 13 s: {reason}"]


def test_that_they_are_switched_off_is_a_reason(tmp_path: Path) -> None:
    app = App(tmp_path, ("", {"seconds": 13.2}))

    app.synthesize(HOLDFAST_FAST_BINDINGS="0")

    assert app.notices == [
        "the synthesis took 13 s: the fast bindings are switched off (HOLDFAST_FAST_BINDINGS=0)"
    ]


@pytest.mark.parametrize(
    ("app", "report", "seconds"),
    [
        ("python main.py", "", 0.5),
        ("python main.py", "started 3.11\nfast cdktf_cdktf_provider_aws\n", 60.0),
        ("npx ts-node main.ts", "", 60.0),
    ],
    ids=["it was not slow", "the bindings were fast", "no Python"],
)
def test_nothing_is_said_where_the_bindings_are_not_the_reason(
    tmp_path: Path, app: str, report: str, seconds: float
) -> None:
    started = App(tmp_path, (report, {"seconds": seconds}), app=app)

    started.synthesize()

    assert started.notices == []


def test_frames_of_the_bindings_are_not_the_user_s() -> None:
    ours = f'  File "{fast_bindings.FOLDER}/kernel.py", line 9\n    y()\n'
    text = f'  File "/app/main.py", line 1\n    x()\n{ours}E'

    assert trimmed(text) == '  File "/app/main.py", line 1\n    x()\nE'
