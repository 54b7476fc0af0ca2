"""A provider that does not come up leaves nothing behind, and is told of in one way."""

import asyncio
import errno
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.warm.process_spec import Spec
from holdfast_orchestrator.engine.warm.provider_process import StartError, start
from holdfast_orchestrator.engine.warm.voice import silenced
from holdfast_orchestrator.system.process import Command, SystemProcesses
from holdfast_orchestrator.testing import RefusingProcesses


@dataclass(slots=True)
class Exhausted(RefusingProcesses):
    """A machine on which nothing can be started any more."""

    def start_detached(self, command: Command, *, log: Path | int) -> int:
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


TALKER = """#!{python}
import os, socket, sys, json
names = sorted(name for name in os.environ if name.startswith("TF_"))
print("on", json.dumps({{name: os.environ[name] for name in names}}), flush=True)
address = {{"Network": "unix", "String": "/nowhere"}}
said = {{"p": {{"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Addr": address}}}}
print("TF_REATTACH_PROVIDERS='" + json.dumps(said) + "'", flush=True)
for _ in range(2000):
    print("canary0" * 100, file=sys.stderr, flush=True)
open({done!r}, "w").close()
import time; time.sleep(600)
"""


def wait_for(file: Path) -> None:
    while not file.exists():
        time.sleep(0.01)


def talker(folder: Path, name: str) -> Path:
    program = folder / name
    program.write_text(TALKER.format(python=sys.executable, done=str(folder / "done")))
    program.chmod(0o700)
    return program


def test_what_a_provider_says_lies_nowhere_and_never_makes_it_wait(tmp_path: Path) -> None:
    """1.4 MB after the line that is read, and 0 bytes on disk."""
    environ = {
        "PATH": os.environ["PATH"],
        "TF_LOG_PROVIDER_MY_OWN": "TRACE",
        "TF_LOG_SDK_PROTO_DATA_DIR": str(tmp_path),
        "TF_LOG": "TRACE",
        "TF_LOG_PATH": str(tmp_path / "theirs"),
    }
    binary = talker(tmp_path, "terraform-provider-my-own_v1.0.0")
    spec = Spec(binary=binary, checksum="h1:x", folder=tmp_path, environ=environ)
    place = tmp_path / "hf"
    place.mkdir()

    async def starts() -> None:
        process = await start(spec, place / "p1", SystemProcesses())
        await asyncio.to_thread(wait_for, tmp_path / "done")
        assert process.voice.text == ""
        await process.end()

    asyncio.run(asyncio.wait_for(starts(), 60))

    assert list(place.iterdir()) == []


def test_a_provider_is_told_to_log_nothing_whatever_the_caller_says(tmp_path: Path) -> None:
    theirs = {
        "TF_LOG_SDK": "TRACE",
        "TF_LOG_PROVIDER_AWS": "DEBUG",
        "TF_LOG_PATH": "/x",
        "TF_ACC_LOG_PATH": "/y",
    }

    told = silenced({**theirs, "AWS_REGION": "eu-west-1"}, tmp_path / "terraform-provider-aws_v5.100.0_x5")

    off = dict.fromkeys(("TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_SDK", "TF_LOG_PROVIDER_AWS"), "OFF")
    assert told == {"AWS_REGION": "eu-west-1", **off}


def test_one_that_does_not_start_is_told_of_in_its_own_words(tmp_path: Path) -> None:
    binary = tmp_path / "provider"
    binary.write_text("#!/bin/sh\necho no such plugin >&2; exit 1\n")
    binary.chmod(0o700)
    spec = Spec(binary=binary, checksum="h1:x", folder=tmp_path, environ={"PATH": os.environ["PATH"]})

    with pytest.raises(StartError, match="no such plugin"):
        asyncio.run(start(spec, tmp_path / "p1", SystemProcesses()))
