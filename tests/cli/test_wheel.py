"""The wheel: what is in it, what its metadata says, and a project made from it in a fresh environment."""

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What the user of a new project may wait, where nothing else keeps the machine busy.
SECONDS = 180


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    program = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / built.stdout.split()[-1]


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def test_the_wheel_has_its_packages_and_the_example_as_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    packages = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    example = {name for name in names if "/scaffold/example/" in name}
    assert packages == {"holdfast_bindings", "holdfast_constructs", "holdfast_orchestrator"}
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    assert any(name.endswith("example/stacks/orders.py") for name in example)
    assert {name.rpartition("/")[2] for name in example if "/environments/" in name} == {
        "local.toml",
        "prod.toml",
        "schema.json",
    }


def test_what_the_metadata_needs_is_split_into_extras(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist") or []

    always = {re.split(r"[ <>=;\[]", line)[0] for line in required if "extra ==" not in line}
    assert always == {"boto3", "click", "grpcio", "msgpack", "pydantic", "rich"}
    assert set(metadata.get_all("Provides-Extra") or []) == {"aws", "local", "dask"}
    assert {"cdktf", "constructs"} <= {line.split("=")[0].split("<")[0].split(">")[0] for line in required}


def test_the_metadata_is_complete_and_no_link_in_it_leads_nowhere(metadata: Message) -> None:
    text = metadata.get_payload()

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Author"]
    assert metadata["Keywords"]
    assert "Typing :: Typed" in (metadata.get_all("Classifier") or [])
    assert isinstance(text, str)
    assert "holdfast init" in text
    assert not [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("https://")]


class Fresh:
    """A virtual environment with the wheel and what it needs, and a folder for a project."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder, self._wheel = folder, wheel
        self.bin, self.shop = folder / "venv" / "bin", folder / "shop"

    def pip(self, *words: str) -> None:
        self.run(str(self.bin / "python"), "-m", "pip", "--quiet", *words)

    def collect(self) -> None:
        """Fetch everything that is to be installed, as an earlier installation would have left it."""
        locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
        pins = [line.rstrip(" \\") for line in locked.splitlines() if re.match(r"[a-z0-9]", line)]
        (self.folder / "constraints.txt").write_text("\n".join(pins), encoding="utf-8")
        self.run(sys.executable, "-m", "venv", str(self.folder / "venv"))
        wanted = (f"holdfast[aws,local] @ {self._wheel.as_uri()}", "pytest>=8", "syrupy>=5")
        constraints = str(self.folder / "constraints.txt")
        self.pip("wheel", "--wheel-dir", str(self.folder / "wheels"), "-c", constraints, *wanted)

    def install(self, *requirements: str) -> None:
        self.pip(
            "install",
            "--no-compile",
            "--no-index",
            "--find-links",
            str(self.folder / "wheels"),
            *requirements,
        )

    def holdfast(self, *words: str) -> str:
        return self.run(str(self.bin / "holdfast"), *words)

    def run(self, *argv: str, accept: int = 0) -> str:
        inherited = {
            name: os.environ[name] for name in os.environ if not name.startswith(("HOLDFAST_", "PYTHON"))
        }
        inherited["PATH"] = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        cwd = self.shop if self.shop.is_dir() else self.folder
        done = subprocess.run(argv, cwd=cwd, env=inherited, capture_output=True, text=True, check=False)
        assert done.returncode == accept, f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[Fresh]:
    fresh = Fresh(tmp_path_factory.mktemp("fresh"), wheel)
    fresh.collect()
    yield fresh
    if fresh.shop.is_dir():
        fresh.holdfast("local", "down")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_project_is_made_and_deployed_from_the_wheel(fresh: Fresh) -> None:
    """The order is that of a user: install alone, init, install the rest, test, deploy, add a service."""
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    began = time.monotonic()
    fresh.install("holdfast")
    assert "building blocks" in fresh.run(str(fresh.bin / "holdfast"), "doctor", accept=1)
    fresh.holdfast("init", "shop")
    fresh.install("-r", "requirements.txt")
    fresh.holdfast("local", "up")
    deployed = json.loads(fresh.holdfast("deploy", "--env", "local", "--yes", "--json"))
    seconds = time.monotonic() - began
    (fresh.folder / "seconds.txt").write_text(f"{seconds:.0f}\n", encoding="utf-8")

    assert {shard["outcome"] for shard in deployed["shards"]} == {"committed"}
    assert len(deployed["shards"]) == 5
    fresh.run(str(fresh.bin / "python"), "-m", "pytest", "-q")
    fresh.holdfast("new", "service", "payments")
    fresh.holdfast("new", "env", "qa", "--like", "local")
    assert "qa-eu-west-1" in fresh.run(str(fresh.bin / "python"), "-m", "pytest", "-q", "-rs")
    planned = json.loads(fresh.holdfast("plan", "--env", "local", "--json"))
    added = {shard["name"] for shard in planned["shards"] if shard["added"] or shard["changed"]}
    assert added == {"payments-local-eu-west-1"}
    assert busy or seconds < SECONDS
