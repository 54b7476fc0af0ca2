"""The how-to pages, word by word: each in a folder of its own, against a cloud of its own.

Where a page comes from another tool, a stand-in (tests/fixtures/peers) leaves what that tool leaves,
with real Terraform.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.written_pages import Shell, fresh_environ, steps

from holdfast_orchestrator.engine.mirrors import find_mirrors
from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.system.runtime import real_runtime

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))
PEERS = ROOT / "tests" / "fixtures" / "peers"
# The tool that a page comes from.
PEER_OF = {
    "from-cdktf-cli": "cdktf-cli",
    "from-hcp-terraform": "hcp",
    "from-terragrunt": "terragrunt",
}
BUCKETS = ("acme-state", "acme-terragrunt")


@pytest.fixture(scope="module")
def terraform_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration for the Terraform of a stand-in: it takes providers from where Holdfast takes them."""
    mirrors = find_mirrors(real_runtime(), find_engine(real_runtime(), project=ROOT).registry)
    blocks = "".join(f'  filesystem_mirror {{ path = "{mirror.path}" }}\n' for mirror in mirrors)
    file = tmp_path_factory.mktemp("config") / "terraformrc"
    file.write_text(f"provider_installation {{\n{blocks or '  direct {}'}\n}}\n", encoding="utf-8")
    return file


@pytest.fixture
def account(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What leads to an account of AWS, as far as a page needs one: a local cloud that plays it."""
    if "holdfast local up" in page.read_text(encoding="utf-8"):
        yield {}
        return
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), real_runtime())
    endpoint = cloud.up(buckets=BUCKETS).endpoint
    assert endpoint is not None
    yield {**local_environ(endpoint), "AWS_REGION": "eu-west-1"}
    cloud.down()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "work"
    folder.mkdir()
    yield folder
    for project in folder.rglob("cdktf.json"):
        LocalCloud(project.parent, real_runtime()).down()


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_is_what_happens(
    page: Path, folder: Path, account: dict[str, str], warm_cache: Path, terraform_config: Path
) -> None:
    environ = fresh_environ(
        PEERS / PEER_OF.get(page.stem, "none"),
        Path(sys.executable).parent,
        find_engine(real_runtime(), project=ROOT).path.parent,
        **account,
        HOLDFAST_CACHE_DIR=str(warm_cache),
        TF_CLI_CONFIG_FILE=str(terraform_config),
    )
    shell = Shell(folder, environ, {str(folder): "/home/jane/shop"})
    try:
        for step in steps(page):
            shell.take(step)
        shell.finish()
    finally:
        shell.close()
