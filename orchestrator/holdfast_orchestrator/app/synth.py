"""Stage 1: run the app that writes the stacks.

The program is the one cdktf.json names, started as cdktf's own command line starts it (by a shell, in
the project's folder, with the output folder in CDKTF_OUTDIR), with the Python that runs Holdfast first on
PATH, and with the fast bindings for an app in Python. What it leaves running in its session is ended. Two
runs in one checkout take turns, from the app's start until its files have been read.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app import fast_bindings
from holdfast_orchestrator.app.app_error import error_in, trimmed
from holdfast_orchestrator.app.json_model import read_model
from holdfast_orchestrator.app.manifest import CDKTF_MANIFEST, HOLDFAST_MANIFEST
from holdfast_orchestrator.app.manifest_loader import is_synthesized, refuse_linked
from holdfast_orchestrator.app.project_file import CDKTF_JSON, ProjectFile
from holdfast_orchestrator.errors import SettingsError, SynthesisError, UsageError
from holdfast_orchestrator.events import AppOutput, Event, Notice, SynthFinished, SynthStarted
from holdfast_orchestrator.system.private_files import locked, project_folder
from holdfast_orchestrator.system.process import Command, Completed
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.system.workers import start_helper

_LOCK = Path(".holdfast") / "synth.lock"
# What shells end with where a program is not there, and what they and `env` say of it.
_NOT_FOUND = 127
_MISSING = re.compile(
    r"sh: (?:line )?(?:\d+: )?(?:exec: )?(?P<shell>\S+): (?:command )?not found"
    r"|env: \W?(?P<env>[\w./+-]+)\W?: No such file"
)
_READER = "holdfast_orchestrator.app.manifest_schema"


@contextmanager
def synth_lock(project: Path) -> Iterator[None]:
    """Hold the project's output folder: wait for another run in the same checkout to have read it."""
    with locked(project_folder(project, _LOCK.parent.name) / _LOCK.name):
        yield


def synthesize(
    project: ProjectFile,
    runtime: Runtime,
    *,
    environments: Sequence[str] = (),
    services: Sequence[str] = (),
    emit: Callable[[Event], object],
) -> None:
    """Run the app; what it printed is an event.

    Empty `environments` or `services` mean all of them. Raises SettingsError for what the app itself
    calls wrong settings (exit code 64), SynthesisError for any other failure. Call it, and read its
    files, inside `synth_lock`.
    """
    emit(SynthStarted(app=project.app))
    refuse_linked(project.output)
    _make_folder(project.output)
    # What reads the app's files takes a while to import; the app takes longer.
    start_helper(import_module, _READER, name="reader")
    completed, report = _run_app(project, runtime, _command(project, runtime, environments, services), emit)
    if printed := "\n".join(filter(None, (completed.stdout.strip(), completed.stderr.strip()))):
        emit(AppOutput(text=printed))
    if completed.left:
        left = ", ".join(completed.left)
        emit(Notice(message=f"the app had left programs running, which were ended: {left}"))
    if not completed:
        raise _failure(project, completed, report)
    if not is_synthesized(project.output):
        raise SynthesisError(
            f"{project.app!r} ended well but wrote no {project.output / CDKTF_MANIFEST}",
            next_step="the app must end with app.synth() and must not set another outdir",
        )
    emit(SynthFinished(shards=_count_stacks(project.output), seconds=completed.seconds))


def _run_app(
    project: ProjectFile, runtime: Runtime, command: Command, emit: Callable[[Event], object]
) -> tuple[Completed, fast_bindings.Report]:
    """Run the app with the fast bindings, and again without where they may be why it failed."""
    completed = _run(project, runtime, command, fast_bindings.environment(project, runtime.environ))
    report = fast_bindings.read_report(project)
    if fast_bindings.may_be_why_it_failed(report, completed):
        completed = _run(project, runtime, command, {"HOLDFAST_FAST_BINDINGS": "0"})
        if completed:
            refused = "; ".join(report.of("refused")) or "an error in them"
            emit(Notice(message=f"the app was run again without the fast bindings: {refused}"))
    elif completed:
        reason = fast_bindings.why_slow(project, runtime.environ, report, completed.seconds)
        if reason is not None:
            emit(Notice(message=f"the synthesis took {completed.seconds:.0f} s: {reason}"))
    return completed, report


def _run(project: ProjectFile, runtime: Runtime, command: Command, variables: Mapping[str, str]) -> Completed:
    # What an earlier synthesis left must not pass for this one's work.
    for name in (CDKTF_MANIFEST, HOLDFAST_MANIFEST):
        (project.output / name).unlink(missing_ok=True)
    return runtime.processes.run(replace(command, environ={**command.environ, **variables}))


def _make_folder(output: Path) -> None:
    """Make the output folder: cdktf makes the last part of its path only."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"cannot synthesize to {output}: {error.strerror}",
            next_step="set another `output` in cdktf.json, or give --output",
        ) from None


def _command(
    project: ProjectFile, runtime: Runtime, environments: Sequence[str], services: Sequence[str]
) -> Command:
    python = Path(sys.executable).parent
    environ = {
        **runtime.environ,
        "PATH": f"{python}:{runtime.environ.get('PATH', '/usr/bin:/bin')}",
        "HOLDFAST_ENV": _commas("--env", environments),
        "HOLDFAST_SERVICE": _commas("--service", services),
        "CDKTF_OUTDIR": str(project.output),
        "CDKTF_CONTEXT_JSON": json.dumps(_context(project)),
        # jsii prints eleven lines about the age of an old Node; the value is the version it knows.
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
    }
    return Command(
        argv=("/bin/sh", "-c", project.app),
        cwd=project.folder,
        environ=environ,
        on_timeout="kill",
        ends_session=True,
    )


def _context(project: ProjectFile) -> dict[str, Any]:
    """The context as cdktf's own command line gives it: with the local modules that cdktf.json names."""
    context = dict(project.context)
    if project.local_modules:
        context["cdktfRelativeModules"] = list(project.local_modules)
    return context


def _commas(option: str, names: Sequence[str]) -> str:
    for name in names:
        if not name or "," in name:
            raise UsageError(f"{option} takes one name at a time and may be repeated, got {name!r}")
    return ",".join(names)


def _count_stacks(output: Path) -> int:
    from holdfast_orchestrator.app.manifest_schema import CdktfManifest  # noqa: PLC0415 - pydantic, only when used

    return len(read_model(output / CDKTF_MANIFEST, CdktfManifest).stacks)


def _failure(
    project: ProjectFile, completed: Completed, report: fast_bindings.Report
) -> SettingsError | SynthesisError:
    text = completed.stderr.strip() or completed.stdout.strip()
    if completed.code == SettingsError.exit_code:
        what, _, next_step = text.removeprefix("error: ").partition("\n  next: ")
        return SettingsError(what, next_step=next_step or None)
    if completed.code == _NOT_FOUND and (missing := _MISSING.search(text)) is not None:
        program = missing["shell"] or missing["env"]
        return SynthesisError(
            f"{project.app!r} cannot be run: there is no program {program!r} on PATH",
            next_step=f"install {program}, or change `app` in {project.folder / CDKTF_JSON}",
        )
    error = error_in(text, project.folder, cycle=report.of("cycle"))
    if error is None:
        what = f"\n{_indented(trimmed(text))}" if text else "it printed nothing"
    else:
        what = "\n".join(error.lines())
    kind = SettingsError if error is not None and error.is_refused else SynthesisError
    advice = error.next_step if error is not None and error.next_step is not None else "correct the app"
    return kind(
        f"{project.app!r} ended with exit code {completed.code}: {what}",
        next_step=f"{advice}; to see all it prints, run: holdfast synth --verbose",
    )


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
