"""The examples of docs/examples, as their pages tell them: deployed, planned empty, taken down.

Before a page stops its local cloud, the cloud is asked what is left.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.written_pages import Command, Shell, fresh_environ, steps

from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.local.inventory import inventory
from holdfast_orchestrator.system.runtime import real_runtime

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*/README.md"))
LAST = "holdfast local down"


@pytest.fixture
def folder(page: Path, tmp_path: Path) -> Iterator[Path]:
    folder = Path(shutil.copytree(page.parent, tmp_path / page.parent.name))
    yield folder
    LocalCloud(folder, real_runtime()).down()


@pytest.fixture
def shell(folder: Path, tmp_path: Path) -> Iterator[Shell]:
    runtime = real_runtime()
    programs = Path(sys.executable).parent, find_engine(runtime, project=ROOT).path.parent
    environ = fresh_environ(*programs, HOLDFAST_CACHE_DIR=str(tmp_path / "cache"))
    shell = Shell(folder, environ, {str(folder): f"/home/jane/{folder.name}"})
    yield shell
    shell.close()


def left(folder: Path) -> dict[str, list[str]]:
    runtime = real_runtime()
    endpoint = LocalCloud(folder, runtime).status().endpoint
    assert endpoint is not None
    environ = local_environ(endpoint)
    return inventory(lambda service: runtime.aws.client(service, region="eu-west-1", environ=environ))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.parent.name)
def test_the_page_is_what_happens_and_nothing_is_left(page: Path, folder: Path, shell: Shell) -> None:
    for step in steps(page):
        if isinstance(step, Command) and step.words == LAST:
            assert left(folder) == {}
        shell.take(step)

    shell.finish()
    assert LAST in page.read_text(encoding="utf-8")
