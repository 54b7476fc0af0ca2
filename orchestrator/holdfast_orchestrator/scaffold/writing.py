"""Writes the files of a project: new ones never over an existing one, additions at the end of a file."""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.system.private_files import read_source, replace_file, write_new

# Anyone may read the files of a project, as far as the umask allows.
_MODE = 0o666
# So many of the files that are in the way are named.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: new files, files that were added to, and what to do next. Paths are absolute."""

    folder: Path
    created: tuple[Path, ...]
    extended: tuple[Path, ...] = ()
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """The files to write below `folder`, by their path there.

    They are new ones, texts to add to existing ones, and whole texts of existing ones that are changed.
    """

    folder: Path
    new: Mapping[str, str]
    added: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)

    def write(self, next_steps: Iterable[str]) -> Written:
        """Write everything. Raises UsageError where a new file exists already, before anything is written."""
        self._refuse_existing()
        created = tuple(self.folder / path for path in sorted(self.new))
        for file in created:
            file.parent.mkdir(parents=True, exist_ok=True)
            content = self.new[file.relative_to(self.folder).as_posix()]
            write_new(file, content.encode(), mode=_MODE)
        extended = tuple(self.folder / path for path in sorted(self.added))
        for file in extended:
            self._extend(file, self.added[file.relative_to(self.folder).as_posix()])
        changed = tuple(self.folder / path for path in sorted(self.changed))
        for file in changed:
            mode = stat.S_IMODE(file.stat().st_mode)
            replace_file(
                file.resolve(), self.changed[file.relative_to(self.folder).as_posix()].encode(), mode=mode
            )
        return Written(self.folder, created, (*changed, *extended), tuple(next_steps))

    def _refuse_existing(self) -> None:
        paths = sorted(self.new)
        existing = [path for path in paths if os.path.lexists(self.folder / path)]
        if existing:
            raise UsageError(
                f"nothing was written, because {self.folder} has already: {_some(existing)}",
                next_step="choose another name or folder, or move what is there out of the way",
            )

    @staticmethod
    def _extend(file: Path, text: str) -> None:
        before = read_source(file).decode()
        gap = "" if before.endswith("\n") else "\n"
        mode = stat.S_IMODE(file.stat().st_mode)
        replace_file(file.resolve(), f"{before}{gap}{text}".encode(), mode=mode)


def _some(names: Sequence[str]) -> str:
    """Name a few, and count the others."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
