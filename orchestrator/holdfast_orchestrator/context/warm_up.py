"""The warm providers of a run: begun while its app is still being synthesized, ended with it.

One process per locked provider is started ahead; without a lock file, only the gateway. Which cloud the run
is for is known only later; it is taken for the local one where an environment of that name was asked for. A
wrong guess costs a process.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from holdfast_orchestrator.app.project_file import read_choices
from holdfast_orchestrator.context.tools import RealTools
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.environment import engine_environ
from holdfast_orchestrator.engine.mirrors import find_mirrors
from holdfast_orchestrator.engine.warm.client import WarmError, WarmProviders, is_supported
from holdfast_orchestrator.engine.warm.shard import spec_of
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.system.workers import start_helper

# Somebody attaches providers of their own, or reads what a provider logs through Terraform.
_USERS_OWN = ("TF_REATTACH_PROVIDERS", "TF_LOG", "TF_LOG_PROVIDER")
_PATIENCE_SECONDS = 5.0


@contextmanager
def warmed_tools(
    tools: RealTools, *, environments: Sequence[str], tell: Callable[[str], object]
) -> Iterator[RealTools]:
    """Yield the tools with warm providers, or as they are where that is not possible."""
    if not is_supported() or any(tools.runtime.environ.get(name) for name in _USERS_OWN):
        yield tools
        return
    providers = WarmProviders(tools.runtime, tell, full_verify=tools.full_verify)
    warm = replace(tools, warm=providers)
    # The very tools of the run: the engine that is found here need not be found again.
    thread = start_helper(_begin, providers, warm, environments, name="warm-up")
    try:
        yield warm
    finally:
        providers.close()
        if thread is not None:
            thread.join(_PATIENCE_SECONDS)


def _begin(providers: WarmProviders, tools: RealTools, environments: Sequence[str]) -> None:
    # What fails here fails again, and is reported, when it matters.
    with contextlib.suppress(WarmError, HoldfastError, OSError):
        environ = engine_environ(tools.environ("local" if "local" in environments else "aws"))
        named = read_choices(tools.project).provider_mirror

        def roots(registry: str) -> tuple[Path, ...]:
            mirrors = find_mirrors(tools.runtime, registry, named=named)
            return (*(mirror.path for mirror in mirrors), tools.runtime.cache / "plugins")

        locks = lockfile.read(tools.project)
        if not locks and any(root.is_dir() for root in roots(tools.engine.registry)):
            # Which processes will be needed is known once the first `init` has written the lock file.
            providers.begin()
        for source, lock in locks.items():
            package = providers.package(source, lock, roots(source.partition("/")[0]))
            if package is not None:
                providers.warm(spec_of(package, providers.folder, environ))
