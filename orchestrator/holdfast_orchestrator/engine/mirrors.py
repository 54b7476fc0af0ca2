"""Folders that hold provider packages, found by their layout.

    unpacked  registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64/terraform-provider-aws_…
    packed    registry.terraform.io/hashicorp/aws/terraform-provider-aws_5.100.0_linux_amd64.zip

An engine knows a few folders of its own; a mirror may as well lie below a usual software root. An
unpacked provider is linked by the engine, not copied: 675 MB per shard are worth the search.
"""

import platform
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.engine.providers import Requirement
from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.system.runtime import Runtime

VARIABLE = "HOLDFAST_PROVIDER_MIRROR"

# Folder, and the patterns below it to look for a registry's folder in.
_ANY = ("*", "*/*")
_NAMED = ("terraform*", "terraform*/*", "tofu*", "tofu*/*", "tf-*")
_ROOTS = (
    ("/usr/local/share/terraform", ("plugins", "providers")),
    ("/usr/share/terraform", ("plugins", "providers")),
    ("/opt", _ANY),
    ("/srv", _ANY),
    ("/usr/local/share", _NAMED),
    ("/usr/local/lib", _NAMED),
    ("/usr/share", _NAMED),
    ("/usr/lib", _NAMED),
    ("/var/lib", _NAMED),
)
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_PACKED = re.compile(r"terraform-provider-.+_(\d+(?:\.\d+)*)_([a-z0-9]+_[a-z0-9]+)\.zip")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder of provider packages."""

    path: Path

    def versions(self, source: str, target: str) -> frozenset[str]:
        """Return the versions held of `host/namespace/name` for a platform such as linux_amd64."""
        folder = self.path / source
        unpacked = {package.parent.name for package in folder.glob(f"*/{target}") if package.is_dir()}
        packed = {
            match[1]
            for package in folder.glob("*.zip")
            if (match := _PACKED.fullmatch(package.name)) and match[2] == target
        }
        return frozenset(unpacked | packed)

    def sources(self, target: str) -> tuple[str, ...]:
        """Return every `host/namespace/name` it holds a version of for a platform."""
        folders = (folder for folder in self.path.glob("*/*/*") if folder.is_dir())
        named = (str(folder.relative_to(self.path)) for folder in folders)
        return tuple(sorted(source for source in named if "." in source and self.versions(source, target)))

    def serves(self, required: Requirement, locked: str | None, target: str) -> bool:
        """Say whether it holds a version that is allowed, and the locked one where there is one."""
        versions = self.versions(required.source, target)
        if locked is not None and required.allows(locked):
            return locked in versions
        return any(required.allows(version) for version in versions)


def this_platform() -> str:
    """Return this machine as providers name it, for example `linux_amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}_{_MACHINES.get(machine, machine)}"


def find_mirrors(
    runtime: Runtime,
    registry: str,
    *,
    named: Path | None = None,
    roots: Iterable[tuple[str, tuple[str, ...]]] = _ROOTS,
) -> tuple[Mirror, ...]:
    """Return the mirrors of this machine, best first.

    A mirror named by HOLDFAST_PROVIDER_MIRROR, or else by a setting (`named`), is the only one taken;
    ToolchainError where it has not the layout.
    """
    from_environ = runtime.environ.get(VARIABLE)
    chosen = Path(from_environ) if from_environ else named
    if chosen is not None:
        return (_named(runtime.cwd / chosen, registry),)
    paths = dict.fromkeys(path.resolve() for path in _search(runtime, roots) if (path / registry).is_dir())
    return tuple(map(Mirror, paths))


def _named(path: Path, registry: str) -> Mirror:
    if not (path / registry).is_dir():
        raise ToolchainError(
            f"the provider mirror {path} has no folder {registry}/<namespace>/<name>",
            next_step=f"set {VARIABLE} to the folder that holds {registry}, or unset it",
        )
    return Mirror(path)


def _search(runtime: Runtime, roots: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[Path]:
    if home := runtime.environ.get("HOME"):
        yield Path(home) / ".terraform.d" / "plugins"
    for root, patterns in roots:
        yield Path(root)
        for pattern in patterns:
            yield from sorted(Path(root).glob(pattern))
