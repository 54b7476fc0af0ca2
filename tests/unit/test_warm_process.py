"""A provider that does not come up leaves nothing behind, and is told of in one way."""

import asyncio
import errno
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.warm.process import StartError, start
from holdfast_orchestrator.engine.warm.spec import Spec
from holdfast_orchestrator.process import Command
from holdfast_orchestrator.testing import RefusingProcesses


@dataclass(slots=True)
class Exhausted(RefusingProcesses):
    """A machine on which nothing can be started any more."""

    def start_detached(self, command: Command, *, log: Path) -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def refused(folder: Path, place: Path) -> str:
    spec = Spec(binary=folder / "provider", checksum="h1:x", folder=folder, environ={})
    with pytest.raises(StartError) as told:
        asyncio.run(start(spec, place, Exhausted()))
    return str(told.value)


def test_a_machine_that_starts_no_processes_means_the_ordinary_way_and_leaves_nothing_open(
    tmp_path: Path,
) -> None:
    refused(tmp_path, tmp_path / "p0")
    before = open_files()

    assert "Resource temporarily unavailable" in refused(tmp_path, tmp_path / "p1")
    assert open_files() == before
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_used_means_the_ordinary_way(tmp_path: Path) -> None:
    assert "No such file or directory" in refused(tmp_path, tmp_path / "nowhere" / "p1")
