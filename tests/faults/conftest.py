"""The worlds of the fault tests: a project and a cloud for each test, and nothing left running."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.lab.world import Lab, World


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab.open(tmp_path_factory.mktemp("lab"))
    try:
        yield lab
    finally:
        lab.close()


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> Iterator[World]:
    world = lab.world(tmp_path / "world")
    try:
        yield world
    finally:
        world.end()


@pytest.fixture
def cold_world(lab: Lab, tmp_path: Path) -> Iterator[World]:
    """A world with a gateway and a provider of its own, which can be killed."""
    world = lab.world(tmp_path / "world", cold=True)
    try:
        yield world
    finally:
        world.end()
