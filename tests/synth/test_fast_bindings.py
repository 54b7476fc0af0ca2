"""The fast way into the AWS bindings against the stock one, in processes of their own.

One stock run of 12 seconds is what all others are compared with.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.small_bindings import PACKAGE, write_bindings

APP = Path(__file__).parent.parent / "fixtures" / "bindings_app" / "app.py"


@dataclass(frozen=True, slots=True)
class Run:
    files: dict[str, bytes]
    stderr: str


@dataclass(frozen=True, slots=True)
class Started:
    process: subprocess.Popen[str]
    outdir: Path

    def finish(self) -> Run:
        _, stderr = self.process.communicate()
        assert self.process.returncode == 0, stderr
        files = (file for file in self.outdir.rglob("*") if file.is_file())
        return Run({str(file.relative_to(self.outdir)): file.read_bytes() for file in files}, stderr)


def _start(outdir: Path, home: Path, *mode: str, **environ: str) -> Started:
    process = subprocess.Popen(
        [sys.executable, str(APP), str(outdir), *mode],
        env=_clean_environ() | {"HOME": str(home)} | environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Started(process, outdir)


def _clean_environ() -> dict[str, str]:
    ours = ("JSII_", "XDG_CACHE_HOME", "HOLDFAST_", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _copies(home: Path) -> list[Path]:
    return sorted((home / ".cache" / "holdfast" / "bindings").glob("*.tgz"))


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the stock bindings write, with nothing of ours left behind."""
    home = tmp_path_factory.mktemp("stock-home")
    run = _start(home / "out", home, HOLDFAST_FAST_BINDINGS="0").finish()
    assert sorted(run.files) == [
        "manifest.json",
        "stacks/network/cdk.tf.json",
        "stacks/service/cdk.tf.json",
    ]
    assert not (home / ".cache" / "holdfast").exists(), "the switch must switch everything off"
    return run.files


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose cache was filled by a first run."""
    home = tmp_path_factory.mktemp("home")
    _start(home / "out", home).finish()
    return home


def test_the_output_is_the_same_byte_for_byte_on_the_first_run_and_on_the_next(
    stock: dict[str, bytes], tmp_path: Path
) -> None:
    first = _start(tmp_path / "first", tmp_path).finish()
    second = _start(tmp_path / "second", tmp_path).finish()

    assert first.files == stock
    assert second.files == stock
    assert len(_copies(tmp_path)) == 1


def test_nothing_is_printed(home: Path, tmp_path: Path) -> None:
    run = _start(tmp_path / "out", home).finish()

    assert run.stderr == ""


def test_no_node_is_needed_on_the_path(stock: dict[str, bytes], home: Path, tmp_path: Path) -> None:
    run = _start(tmp_path / "out", home, PATH=str(tmp_path)).finish()

    assert run.files == stock


def test_submodules_imported_after_the_first_resource_are_loaded_then(
    stock: dict[str, bytes], tmp_path: Path
) -> None:
    run = _start(tmp_path / "out", tmp_path, "late").finish()

    assert run.files == stock
    assert len(_copies(tmp_path)) > 1, "nothing was late: the test does not test"


def test_two_processes_that_find_an_empty_cache_at_once_both_end_right(
    stock: dict[str, bytes], tmp_path: Path
) -> None:
    both = [_start(tmp_path / name, tmp_path) for name in ("one", "two")]

    assert [started.finish().files for started in both] == [stock, stock]
    assert len(_copies(tmp_path)) == 1


def test_a_cache_that_cannot_be_written_is_done_without(stock: dict[str, bytes], tmp_path: Path) -> None:
    no_home = tmp_path / "file"
    no_home.write_text("not a folder")

    run = _start(tmp_path / "out", no_home).finish()

    assert run.files == stock


@pytest.mark.parametrize(
    "damage", [b"", b"no gzip", b"\x1f\x8b\x08\x00cut"], ids=["empty", "other", "cut off"]
)
def test_a_damaged_copy_is_built_again(
    stock: dict[str, bytes], home: Path, tmp_path: Path, damage: bytes
) -> None:
    (copy,) = _copies(home)
    before = copy.read_bytes()
    copy.write_bytes(damage)

    run = _start(tmp_path / "out", home).finish()

    assert run.files == stock
    assert copy.read_bytes() == before


@pytest.fixture(scope="module")
def used_submodules() -> dict[str, str]:
    """Python's and jsii's name of each submodule the app imports."""
    words = re.findall(
        rf'{PACKAGE}\.(\w+)|^    "(\w+)",$|import (route53_record)', APP.read_text(), re.MULTILINE
    )
    modules = {module for match in words for module in match if module}
    return {module: re.sub(r"_(\w)", lambda match: match[1].upper(), module) for module in modules}


@pytest.mark.parametrize("indent", [2, None], ids=["laid out as known", "laid out otherwise"])
def test_another_version_of_the_bindings_gives_the_same_output(
    stock: dict[str, bytes], tmp_path: Path, used_submodules: dict[str, str], indent: int | None
) -> None:
    """20.99.0 is made of the submodules in use; written without line breaks it cannot be pruned."""
    site = tmp_path / "site"
    root = "raise AssertionError('the root must not be run')\n"
    write_bindings(site / PACKAGE, used_submodules, version="20.99.0", indent=indent, root=root)

    run = _start(tmp_path / "out", tmp_path, PYTHONPATH=str(site)).finish()

    assert run.files == stock
    assert [copy.name.startswith("20.99.0-") for copy in _copies(tmp_path)] == ([True] if indent else [])
