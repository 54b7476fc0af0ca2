"""The app as it was at another git revision: checked out beside, synthesized, compared, and taken away again.

What counts is what is synthesized and which providers are locked, not which files changed: a comment in a
stack touches nothing, one line in a shared construct may touch every shard. The app runs with its own
revision's code: folders of the checkout that are on Python's search path (an editable install) are replaced
by those of the revision.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.app.inputs import differing
from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.change_detection.checkouts import checkout_folder, sweep_checkouts
from holdfast_orchestrator.change_detection.normalize import UnreadableError, configuration_digest
from holdfast_orchestrator.change_detection.settings import settings_of
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.providers import requirements
from holdfast_orchestrator.errors import HoldfastError, ToolchainError, UsageError
from holdfast_orchestrator.system.process import Command, Completed
from holdfast_orchestrator.system.runtime import Runtime

_OPTION = "--changed-since"
_SECONDS = 120
_INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Another revision of the project: its folder, and the environment to run things there."""

    folder: Path
    environ: Mapping[str, str]


def changed_since(now: Manifest, then: Manifest, relocked: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the shards that synthesize differently, did not exist, or require a `relocked` provider."""
    return frozenset(
        shard.name
        for shard in now.shards
        if _differs(shard, then.by_name.get(shard.name)) or _requires(shard, relocked)
    )


def relocked(now: Path, then: Path) -> frozenset[str]:
    """Return the providers of which the lock files of two folders trust other builds.

    None where there was no lock file: it may well be there and not be kept in git.
    """
    before, after = lockfile.read(then), lockfile.read(now)
    return frozenset(source for source in {*before, *after} if before and _trusts_more(before, after, source))


@contextmanager
def checked_out(project: Path, ref: str, runtime: Runtime) -> Iterator[Checkout]:
    """Check revision `ref` of the project out into a folder of its own.

    Raises UsageError where the project lies in no git repository, or the revision is not known.
    """
    git = _Git(project, runtime)
    top = Path(
        git.answer(
            "rev-parse",
            "--show-toplevel",
            otherwise=f"{project} is in no git repository",
            next_step="run inside the git checkout of the app, or leave the option out",
        )
    )
    # A name that begins like an option must not become one.
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    commit = git.answer(*asked, otherwise=f"git knows no commit {ref!r}")
    sweep_checkouts(runtime.clock.now)
    with checkout_folder() as tree:
        failed = f"git could not check {ref!r} out"
        git.answer("worktree", "add", "--detach", "--quiet", str(tree), commit, otherwise=failed)
        try:
            folder = tree / project.resolve().relative_to(top.resolve())
            yield Checkout(folder=folder, environ=_redirected(runtime.environ, top.resolve(), tree))
        finally:
            git.run("worktree", "remove", "--force", str(tree))


def known_then(
    environments: Sequence[str], now: Path, then: Path, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Return those of the environments that are not new, by their files of settings in two project folders.

    Only an environment that has such a file `now` can be new; other apps know environments in other ways.
    """
    place = environ.get("HOLDFAST_ENVIRONMENTS") or "environments"
    files = {name: Path(place, f"{name}.toml") for name in environments}
    return tuple(name for name, file in files.items() if (then / file).exists() or not (now / file).exists())


def synthesized_at(ref: str, synth: Callable[[], Manifest]) -> Manifest:
    """Return what `synth` makes of the app at `ref`. Raises UsageError where it fails."""
    try:
        return synth()
    except HoldfastError as error:
        raise UsageError(
            f"{_OPTION} {ref}: the app at that revision does not synthesize: {error.what}",
            next_step="name another revision, or choose shards with --stack",
        ) from None


def _differs(shard: Shard, then: Shard | None) -> bool:
    if then is None or settings_of(shard) != settings_of(then) or differing(shard.inputs, then.inputs):
        return True
    try:
        return configuration_digest(shard.configuration) != configuration_digest(then.configuration)
    except UnreadableError:
        return True


def _trusts_more(before: lockfile.Locks, after: lockfile.Locks, source: str) -> bool:
    if source not in before or source not in after:
        return True
    old, new = before[source], after[source]
    return old.version != new.version or not {*new.hashes} <= {*old.hashes}


def _requires(shard: Shard, sources: frozenset[str]) -> bool:
    registries = {source.partition("/")[0] for source in sources}
    return any(
        required.source in sources
        for registry in registries
        for required in requirements(shard.configuration, registry)
    )


def _redirected(environ: Mapping[str, str], top: Path, tree: Path) -> dict[str, str]:
    """The environment in which Python finds the checked-out code before the code that is installed."""
    given = [part for part in environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    ours = [part for part in sys.path if part and _is_source(Path(part), top)]
    moved = [_moved(Path(part), top, tree) for part in (*given, *ours)]
    return {**environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(moved))}


def _is_source(path: Path, top: Path) -> bool:
    return path.resolve().is_relative_to(top) and not any(part in _INSTALLED for part in path.parts)


def _moved(path: Path, top: Path, tree: Path) -> str:
    resolved = path.resolve()
    return str(tree / resolved.relative_to(top)) if resolved.is_relative_to(top) else str(path)


@dataclass(frozen=True, slots=True)
class _Git:
    project: Path
    runtime: Runtime

    def run(self, *arguments: str) -> Completed:
        command = Command(
            argv=("git", *arguments),
            cwd=self.project,
            environ=self.runtime.environ,
            timeout=_SECONDS,
            on_timeout="kill",
        )
        return self.runtime.processes.run(command)

    def answer(self, *arguments: str, otherwise: str, next_step: str = "git log shows the revisions") -> str:
        try:
            completed = self.run(*arguments)
        except ToolchainError:
            raise UsageError(f"{_OPTION} needs git, which is not on the search path") from None
        if not completed:
            words = completed.stderr.strip().splitlines()
            why = f" ({words[-1]})" if words else ""
            raise UsageError(f"{_OPTION}: {otherwise}{why}", next_step=next_step)
        return completed.stdout.strip()
