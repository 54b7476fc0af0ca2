"""The project's `.terraform.lock.hcl`: which builds of which providers are trusted.

One file at the root of the project, committed, for all shards. An engine gets a copy beside its
configuration. Where the file covers what the configuration requires, it is never written: an engine
refuses any other build. Where a provider is missing, the first `init` may add it, and the result is
merged back under a lock, so that twenty shards starting at once write one file.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.engine.providers import Requirement
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system.json_input import read_settings
from holdfast_orchestrator.system.private_files import locked, replace_file

NAME = ".terraform.lock.hcl"

_HEAD = (
    '# This file is maintained automatically by "terraform init".\n'
    "# Manual edits may be lost in future updates.\n"
)
_BLOCK = re.compile(r'^provider\s+"([^"]+)"\s*\{(.*?)^\}', re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r'^\s*(version|constraints)\s*=\s*"([^"]*)"', re.MULTILINE)
_HASH = re.compile(r'"((?:h1|zh):[^"]+)"')


@dataclass(frozen=True, slots=True)
class LockedProvider:
    """One trusted provider: its version and the checksums of the builds that may be used."""

    version: str
    constraints: str
    hashes: tuple[str, ...]


Locks = Mapping[str, LockedProvider]


def parse(text: str) -> dict[str, LockedProvider]:
    """Read a lock file; what is no provider block is left out."""
    locks = {}
    for source, body in _BLOCK.findall(text):
        fields = dict(_FIELD.findall(body))
        if "version" in fields:
            hashes = tuple(sorted(set(_HASH.findall(body))))
            locks[source] = LockedProvider(fields["version"], fields.get("constraints", ""), hashes)
    return locks


def locked_providers(text: str) -> dict[str, str]:
    """Return the version of each provider that a lock file names."""
    return {source: lock.version for source, lock in parse(text).items()}


def render(locks: Locks) -> str:
    """Write a lock file the way an engine does."""
    return _HEAD + "".join(_rendered(source, locks[source]) for source in sorted(locks))


def read(folder: Path) -> dict[str, LockedProvider]:
    """Read a folder's lock file; empty where there is none."""
    return parse(text_of(folder) or "")


def text_of(folder: Path) -> str | None:
    """Return the text of a folder's lock file, None where there is none. Raises SettingsError."""
    try:
        return read_settings(folder / NAME).decode()
    except FileNotFoundError:
        return None
    except UnicodeError as error:
        raise SettingsError.unreadable(folder / NAME, error) from None


def usable(locks: Locks, required: Iterable[Requirement]) -> dict[str, LockedProvider]:
    """Return the locks without those whose version the configuration no longer allows.

    A changed version in the configuration is a decision that was reviewed; a changed checksum under
    the same version is not, and stays for the engine to refuse.
    """
    by_source = {each.source: each for each in required}
    return {
        source: lock
        for source, lock in locks.items()
        if source not in by_source or by_source[source].allows(lock.version)
    }


def covers(locks: Locks, required: Iterable[Requirement]) -> bool:
    """Say whether every provider required is locked, with a version that fits and a checksum."""
    return all(
        (lock := locks.get(each.source)) is not None and each.allows(lock.version) and bool(lock.hashes)
        for each in required
    )


def merged(project: Locks, added: Locks) -> dict[str, LockedProvider]:
    """Return `project` with `added`: checksums of one version are joined, another version replaces."""
    result = {**project, **added}
    for source, new in added.items():
        old = project.get(source)
        if old is not None and old.version == new.version:
            hashes = tuple(sorted({*old.hashes, *new.hashes}))
            result[source] = LockedProvider(new.version, new.constraints or old.constraints, hashes)
    return result


def merge_into_project(project: Path, added: Locks, *, guard: Path) -> None:
    """Add what a first `init` learned to the project's lock file; `guard` keeps others waiting."""
    with locked(guard):
        before = read(project)
        after = merged(before, added)
        if after != before:
            replace_file(project / NAME, render(after).encode(), mode=0o666)


def _rendered(source: str, lock: LockedProvider) -> str:
    constraints = f'  constraints = "{lock.constraints}"\n' if lock.constraints else ""
    version = f'  version     = "{lock.version}"\n' if constraints else f'  version = "{lock.version}"\n'
    hashes = "".join(f'    "{checksum}",\n' for checksum in lock.hashes)
    return f'\nprovider "{source}" {{\n{version}{constraints}  hashes = [\n{hashes}  ]\n}}\n'
