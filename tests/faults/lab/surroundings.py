"""Disks that are full and programs in the place of Terraform."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.lab.world import World


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                return


def wrap(world: World, text: str) -> None:
    """Put another `terraform` before the one the world has."""
    folder = world.folder / "wrapped"
    folder.mkdir()
    inner = world.search[0] / "terraform"
    (folder / "terraform").write_text(text % inner if "%s" in text else text)
    (folder / "terraform").chmod(0o755)
    world.search.insert(0, folder)
