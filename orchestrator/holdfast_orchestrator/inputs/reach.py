"""Which files of this machine belong to an app, and where they lie as seen from a stack's folder.

An app's own are those of its git repository, or of its folder where it lies in none. A link is followed
within that, and no further.
"""

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from holdfast_orchestrator.app.inputs import InputFile
from holdfast_orchestrator.engine.workdir import LEVELS_ABOVE
from holdfast_orchestrator.system.private_files import sha256_of

FILE_BYTES = 100 * 2**20
"""A larger file is not kept, only its fingerprint."""
STACK_BYTES = 500 * 2**20
"""What is kept of one stack's inputs."""
STACK_FILES = 20_000
"""A folder with more files than this is not taken."""

_SKIPPED = frozenset({".git", ".terraform", ".terraform.lock.hcl"})


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A stack's folder `stack`, in an app whose files lie below `root`."""

    root: Path
    stack: Path

    @classmethod
    def of(cls, project: Path, stack: Path) -> "Reach":
        """Return the reach of a stack of the project in this folder."""
        project = project.resolve()
        repository = (folder for folder in (project, *project.parents) if (folder / ".git").exists())
        return cls(root=next(repository, project), stack=stack.absolute())

    def resolved(self, path: str, *, base: Path | None = None) -> Path:
        """Return where a path leads that is relative to `base` (none: the stack's folder); links are kept."""
        return Path(os.path.normpath((base or self.stack) / Path(path).expanduser()))

    def relative(self, place: Path) -> str | None:
        """Return how a place is reached from the stack's folder; None where it is not the app's."""
        if not place.resolve().is_relative_to(self.root.resolve()):
            return None
        path = os.path.relpath(place, self.stack)
        return None if path.split("/").count("..") > LEVELS_ABOVE else path

    def holds_the_app(self, folder: Path) -> bool:
        """Whether the stack's folder itself lies in a folder: then it is no input as a whole."""
        return self.stack.resolve().is_relative_to(folder.resolve())


@dataclass
class Collected:
    """What was found so far; the same file found twice counts once."""

    reach: Reach
    files: dict[str, InputFile] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    doubts: set[str] = field(default_factory=set)
    moving: set[str] = field(default_factory=set)
    kept_bytes: int = 0
    provider_reads: bool = False

    def take(self, place: Path, part_of: str) -> bool:
        """Take a file, or a folder with all that is in it; False where it cannot be taken."""
        if place.is_dir():
            if self.reach.holds_the_app(place):
                return False
            inside = self.reach.relative(place) is not None
            bounds = self.reach.root if inside else place
            for each in _walk(place, self.reach, bounds.resolve()):
                if inside and self.reach.relative(each) is None:
                    self.doubts.add(f"{each.name} in {part_of} is a link that leads out of the app")
                elif each.is_dir():
                    self.doubts.add(
                        f"folder {each.name} in {part_of} cannot be read, or holds the app itself"
                    )
                else:
                    self._take_file(each, part_of)
                if len(self.files) > STACK_FILES:
                    self.doubts.add(f"{part_of} holds more than {STACK_FILES} files")
                    return True
            return True
        return self._take_file(place, part_of)

    def _take_file(self, place: Path, part_of: str) -> bool:
        path = self.reach.relative(place)
        try:
            about = place.stat()
        except OSError:
            self.absent.add(part_of)
            return False
        if not stat.S_ISREG(about.st_mode):
            return False
        if path is None:
            path = str(place)
        if path in self.files:
            return True
        try:
            sha256, size = sha256_of(place), about.st_size
        except OSError:
            self.doubts.add(f"{place.name} in {part_of} cannot be read")
            return False
        fits = size <= FILE_BYTES and self.kept_bytes + size <= STACK_BYTES
        kept = fits and not path.startswith("/")
        self.kept_bytes += size if kept else 0
        self.files[path] = InputFile(
            path=path,
            sha256=sha256,
            identity=_identity(place, sha256),
            size=size,
            executable=bool(about.st_mode & stat.S_IXUSR),
            kept=kept,
            part_of=part_of,
            source=place,
        )
        return True


def _identity(place: Path, sha256: str) -> str:
    """What a file is compared by: an archive by what is in it, for each synthesis dates it anew."""
    if place.name != "archive.zip":
        return sha256
    try:
        with zipfile.ZipFile(place) as archive:
            inside = sorted((entry.filename, entry.CRC, entry.file_size) for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return sha256
    return hashlib.sha256(repr(inside).encode()).hexdigest()


def _walk(folder: Path, reach: Reach, bounds: Path, seen: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the files below a folder, and the folders that are not entered.

    Those are links that lead out of `bounds` or to the app itself, and what cannot be listed.
    """
    real = folder.resolve()
    if real in seen:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.name in _SKIPPED:
            continue
        if entry.is_dir() and not (entry.is_symlink() and _leads_away(entry, reach, bounds)):
            yield from _walk(entry, reach, bounds, seen | {real})
        else:
            yield entry


def _leads_away(link: Path, reach: Reach, bounds: Path) -> bool:
    return not link.resolve().is_relative_to(bounds) or reach.holds_the_app(link)
