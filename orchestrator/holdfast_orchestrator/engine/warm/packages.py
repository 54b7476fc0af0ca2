"""Unpacked provider packages on this machine that the lock file trusts.

A package is checked the way an engine checks what lies in `.terraform/providers`: by `h1:`, the hash of the
list of its files' hashes. Reading 675 MB for that takes a second; a file's hash is kept, under its path,
inode, size and times.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.engine.lockfile import LockedProvider
from holdfast_orchestrator.engine.mirrors import this_platform
from holdfast_orchestrator.engine.providers import Requirement
from holdfast_orchestrator.system.private_files import cache_folder_of, read_file, replace_file, sha256_of

_HASHES = "hashes"
_DIGEST = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A provider that may be run: `checksum` is the `h1:` the lock file has too."""

    source: str
    version: str
    folder: Path
    binary: Path
    checksum: str

    def link_into(self, workdir: Path) -> None:
        """Put it where `init` installs providers, as `init` itself does from an unpacked mirror."""
        place = workdir / ".terraform" / "providers" / self.source / self.version / this_platform()
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.symlink_to(self.folder)


def find_package(source: str, lock: LockedProvider, roots: Sequence[Path], *, cache: Path) -> Package | None:
    """Return the first package below `roots` of exactly the build that is locked."""
    for folder in _folders(source, lock, roots):
        binary = _binary(folder)
        checksum = "" if binary is None else _h1(folder, cache)
        if binary is not None and checksum in lock.hashes:
            return Package(
                source=source, version=lock.version, folder=folder, binary=binary, checksum=checksum
            )
    return None


def hash_ahead(required: Requirement, roots: Sequence[Path], *, cache: Path) -> None:
    """Hash the one package that may be meant, so that `find_package` will know it; none where several may."""
    folders = {
        (version.name, folder)
        for root in roots
        if (root / required.source).is_dir()
        for version in (root / required.source).iterdir()
        if required.allows(version.name) and (folder := (version / this_platform()).resolve()).is_dir()
    }
    if len(folders) == 1:
        ((_, folder),) = folders
        _h1(folder, cache)


def _folders(source: str, lock: LockedProvider, roots: Iterable[Path]) -> Iterable[Path]:
    places = (root / source / lock.version / this_platform() for root in roots)
    return (place.resolve() for place in places if place.is_dir())


def _binary(folder: Path) -> Path | None:
    programs = [path for path in folder.glob("terraform-provider-*") if os.access(path, os.X_OK)]
    return programs[0] if len(programs) == 1 else None


def _h1(folder: Path, cache: Path) -> str:
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    listed = "".join(f"{_sha256(folder / name, cache)}  {name}\n" for name in files)
    return "h1:" + base64.b64encode(hashlib.sha256(listed.encode()).digest()).decode()


def _sha256(path: Path, cache: Path) -> str:
    file = path.stat()
    identity = (str(path), file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns)
    kept = cache / _HASHES / hashlib.sha256(repr(identity).encode()).hexdigest()
    content = read_file(kept) if kept.is_file() else b""
    if _DIGEST.fullmatch(content):
        return content.decode()
    digest = sha256_of(path)
    replace_file(cache_folder_of(cache, _HASHES) / kept.name, digest.encode())
    return digest
