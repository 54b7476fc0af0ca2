"""Which engine runs the plans: Terraform or OpenTofu, from where, of which version.

Looked for in this order: the caller's choice, HOLDFAST_ENGINE or cdktf.json's (a name or a path), the
search path, and the project's own `.holdfast/bin`, where `make install` puts one when there is none.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from holdfast_orchestrator.app.project_file import read_choices
from holdfast_orchestrator.engine.environment import version_environ
from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.system.installation import engine_advice
from holdfast_orchestrator.system.process import Command
from holdfast_orchestrator.system.runtime import Runtime

Kind = Literal["terraform", "tofu"]

# Both engines lock states in S3 itself (`use_lockfile`) from this version on.
FLOOR = (1, 10, 0)
NAMES = ("terraform", "tofu")
PROJECT_BIN = Path(".holdfast") / "bin"

_VERSION = re.compile(r"^(Terraform|OpenTofu) v(\d+)\.(\d+)\.(\d+)", re.MULTILINE)
# How Go ends where the machine refuses memory or threads.
_NO_ROOM = re.compile(r"(?i)memory|newosproc|resource temporarily unavailable|cannot fork")
_SECONDS = 30
_LONGEST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that can be used."""

    path: Path
    kind: Kind
    version: tuple[int, int, int]

    @property
    def registry(self) -> str:
        """The host of providers whose source names none."""
        return "registry.terraform.io" if self.kind == "terraform" else "registry.opentofu.org"

    def __str__(self) -> str:
        return f"{self.kind} {dotted(self.version)} ({self.path})"


def dotted(version: tuple[int, int, int]) -> str:
    """Return `1.11.4` for (1, 11, 4)."""
    return ".".join(map(str, version))


def find_engine(runtime: Runtime, *, choice: str | None = None, project: Path) -> Engine:
    """Return the first engine that is new enough.

    `choice` (or HOLDFAST_ENGINE, or `context.holdfast.engine` of cdktf.json) is `terraform`, `tofu` or
    a path; then no other is taken. Raises ToolchainError that lists what was found and why it would not do.
    """
    chosen = choice or runtime.environ.get("HOLDFAST_ENGINE") or read_choices(project).engine
    rejected: list[str] = []
    for path in _candidates(runtime, chosen, project):
        answer = _ask(runtime, path)
        if isinstance(answer, Engine) and answer.version >= FLOOR:
            return answer
        rejected.append(str(answer))
    asked = chosen or "terraform or tofu"
    found = f"found {', '.join(rejected)}" if rejected else "found none"
    next_step = f"{engine_advice()}, or set HOLDFAST_ENGINE to the path of one"
    if _NO_ROOM.search(found):
        next_step = "give it more memory or processes (`ulimit -v`, `ulimit -u`, the container's limits)"
    raise ToolchainError(
        f"no {asked} of version {dotted(FLOOR)} or newer on the search path or in {PROJECT_BIN}; {found}",
        next_step=next_step,
    )


def _ask(runtime: Runtime, path: Path) -> Engine | str:
    """The engine, or why it is none."""
    command = Command(
        argv=(str(path), "version"),
        cwd=path.parent,
        environ=version_environ(runtime.environ),
        timeout=_SECONDS,
        on_timeout="kill",
    )
    completed = runtime.processes.run(command)
    match = _VERSION.search(completed.stdout)
    if not completed or match is None:
        words = next(filter(None, map(str.strip, completed.stderr.splitlines())), "")
        return f"{path} does not answer `version`" + (f" ({words[:_LONGEST_WORDS]})" if words else "")
    name, major, minor, patch = match.groups()
    return Engine(path, "terraform" if name == "Terraform" else "tofu", (int(major), int(minor), int(patch)))


def _candidates(runtime: Runtime, chosen: str | None, project: Path) -> Iterator[Path]:
    search = runtime.environ.get("PATH", "")
    for name in (chosen,) if chosen else NAMES:
        anchored = str(runtime.cwd / name) if "/" in name else name
        for folder in (search, str(project / PROJECT_BIN)):
            program = shutil.which(anchored, path=folder)
            if program is not None:
                yield Path(program).absolute()
