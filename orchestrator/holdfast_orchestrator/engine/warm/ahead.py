"""Start what a run will need while its app is still being synthesized: one process per locked provider."""

import threading
from collections.abc import Mapping
from pathlib import Path

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.choices import read_choices
from holdfast_orchestrator.engine.environment import engine_environ
from holdfast_orchestrator.engine.mirrors import find_mirrors
from holdfast_orchestrator.engine.warm.client import WarmError, WarmProviders
from holdfast_orchestrator.engine.warm.shard import spec_of
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.runtime import Runtime


def warm_up(providers: WarmProviders, runtime: Runtime, project: Path, environ: Mapping[str, str]) -> None:
    """Begin in the background; whatever goes wrong there comes up again, and is told, when it matters."""
    threading.Thread(
        target=_warm, args=(providers, runtime, project, environ), name="warm-up", daemon=True
    ).start()


def _warm(providers: WarmProviders, runtime: Runtime, project: Path, environ: Mapping[str, str]) -> None:
    try:
        locks = lockfile.read(project)
        for source, lock in locks.items():
            registry = source.partition("/")[0]
            mirrors = find_mirrors(runtime, registry, named=read_choices(project).provider_mirror)
            roots = [mirror.path for mirror in mirrors] + [runtime.cache / "plugins"]
            package = providers.package(source, lock, roots)
            if package is not None:
                providers.warm(spec_of(package, providers.folder, engine_environ(environ)))
    except (WarmError, HoldfastError, OSError):
        return
