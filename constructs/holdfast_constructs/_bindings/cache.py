"""The folder of pruned copies: found by key, checked by digest, written aside and renamed.

A copy is named `<key>.<digest of its content>.tgz`. Two processes that build the same copy write the same
bytes to the same name, so it does not matter who is last; a copy whose content is not what its name says is
removed and built again. jsii unpacks what it loads below the same folder.

What lies here is run by Node. A folder that other users may write to is therefore not used.
"""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PRIVATE = 0o700
_DIGEST_LENGTH = 32
_KEPT_SECONDS = 30 * 24 * 3600  # as long as jsii keeps what it has unpacked


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder that exists, can be written to, and can be written to by nobody else."""

    root: Path

    @property
    def unpacked(self) -> Path:
        """Where jsii keeps the packages it has unpacked."""
        return self.root / "jsii"

    def fetch(self, key: str) -> Path | None:
        """The copy stored under the key, or None; a damaged one is removed."""
        for copy in self.root.glob(f"{key}.*.tgz"):
            with suppress(OSError):
                if copy.name == _name(key, copy.read_bytes()):
                    os.utime(copy)
                    return copy
                copy.unlink()
        return None

    def store(self, key: str, content: bytes) -> Path:
        """Keep the copy under the key, and drop those that were not used for a month.

        Raises:
            OSError: the folder cannot be written to (any more), or the disk is full.
        """
        copy = self.root / _name(key, content)
        handle, aside = tempfile.mkstemp(dir=self.root, prefix=".", suffix=".aside")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(aside).replace(copy)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        self._sweep(copy)
        return copy

    def _sweep(self, newest: Path) -> None:
        oldest = newest.stat().st_mtime - _KEPT_SECONDS
        for pattern in ("*.tgz", ".*.aside"):
            for file in self.root.glob(pattern):
                with suppress(OSError):
                    if file.stat().st_mtime < oldest:
                        file.unlink()


def open_cache(root: Path | None) -> Cache | None:
    """The cache in that folder, made where it is missing; None when it cannot be used."""
    if root is None:
        return None
    try:
        root.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        (root / "jsii").mkdir(mode=_PRIVATE, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError:
        return None
    return Cache(root) if _is_ours_alone(root) else None


def _is_ours_alone(root: Path) -> bool:
    if not hasattr(os, "getuid"):  # Windows: the user's profile is closed to others
        return True
    status = root.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _name(key: str, content: bytes) -> str:
    return f"{key}.{hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]}.tgz"
