"""Gives a Python app the fast bindings, through the environment it is started in.

Nothing is written into the app's own environment: the folder `hook` of `holdfast_bindings` goes first on
PYTHONPATH, and Python starts with it. A Python that does not look at PYTHONPATH, and a program that is no
Python, are as they were. What became of the bindings is written to a report in the project's `.holdfast`: it
says whether they may be why an app failed, and why a synthesis was slow all the same.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import holdfast_bindings
from holdfast_orchestrator.app.project_file import ProjectFile
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system.private_files import (
    UnsafePlaceError,
    project_folder,
    read_file,
    replace_file,
)
from holdfast_orchestrator.system.process import Completed

FOLDER = Path(holdfast_bindings.__file__).parent
_SWITCH = "HOLDFAST_FAST_BINDINGS"
_SLOW_SECONDS = 5.0
_HIGHEST_OF_AN_APP = 125  # what is above comes from the shell, or is a signal
_PYTHON_FLOOR = (3, 9)
_PYTHON_APP = re.compile(r"\bpython|\.py\b|\b(?:uv|poetry|pipenv|pdm|hatch)\b")
# These two are part of every call of JavaScript, and of the traceback of whatever goes wrong there.
_OUR_FRAME = re.compile(rf'File "{re.escape(str(FOLDER))}/(?!(?:kernel|failures)\.py)')


@dataclass(frozen=True, slots=True)
class Report:
    """What the app's Pythons wrote of the bindings, as lines of a word and its text."""

    lines: tuple[tuple[str, str], ...] = ()

    def of(self, word: str) -> list[str]:
        """Return the texts of one word, each once, in the order they were written."""
        return list(dict.fromkeys(text for written, text in self.lines if written == word))


def environment(project: ProjectFile, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that give the app the fast bindings; none where they are switched off.

    It empties the report of an earlier synthesis.
    """
    if environ.get(_SWITCH) == "0":
        return {}
    pythonpath = (str(FOLDER / "hook"), environ.get("PYTHONPATH"))
    variables = {"PYTHONPATH": os.pathsep.join(filter(None, pythonpath))}
    if project.bindings is not None:
        places = {str(project.bindings), os.path.realpath(project.bindings)}
        variables["HOLDFAST_BINDINGS_LOCAL"] = os.pathsep.join(sorted(places))
    with suppress(OSError, UnsafePlaceError):
        file = _file(project)
        replace_file(file, b"")
        variables["HOLDFAST_BINDINGS_REPORT"] = str(file)
    return variables


def read_report(project: ProjectFile) -> Report:
    """Return what was reported in the last run of the app, and remove it."""
    try:
        file = _file(project)
        lines = read_file(file).decode(errors="replace").splitlines()
        file.unlink()
    except (OSError, UnsafePlaceError):
        return Report()
    return Report(tuple((word, text) for word, _, text in (line.partition(" ") for line in lines)))


def may_be_why_it_failed(report: Report, completed: Completed) -> bool:
    """Whether an app failed in a way that the fast bindings may have caused."""
    failed = 0 < completed.code <= _HIGHEST_OF_AN_APP and completed.code != SettingsError.exit_code
    return failed and bool(report.of("refused") or _OUR_FRAME.search(completed.stderr))


def why_slow(project: ProjectFile, environ: Mapping[str, str], report: Report, seconds: float) -> str | None:
    """Return why the bindings were loaded slowly; None where the synthesis, or they, were not slow."""
    if seconds < _SLOW_SECONDS:
        return None
    if slow := report.of("stock"):
        return "the bindings were loaded whole: " + "; ".join(slow)
    if copied := report.of("made"):
        kept = (
            "none can be kept for the next synthesis (the cache is not writable, or not yours alone)"
            if report.of("uncached")
            else "they are kept for the next synthesis"
        )
        return f"small copies of the bindings were made ({'; '.join(copied)}); {kept}"
    if not (project.language == "python" or _PYTHON_APP.search(project.app)):
        return None
    return _why_not_started(environ, report.of("started"))


def _why_not_started(environ: Mapping[str, str], pythons: list[str]) -> str | None:
    if environ.get(_SWITCH) == "0":
        return f"the fast bindings are switched off ({_SWITCH}=0)"
    if not pythons:
        return (
            "the app's Python does not see Holdfast's PYTHONPATH, and so not the fast bindings "
            "(python -I or -E, another PYTHONPATH, a container)"
        )
    if all(tuple(map(int, python.split("."))) < _PYTHON_FLOOR for python in pythons):
        return f"the fast bindings need Python 3.9 or newer, the app runs on {', '.join(pythons)}"
    return None


def _file(project: ProjectFile) -> Path:
    return project_folder(project.folder, ".holdfast") / "bindings.report"
