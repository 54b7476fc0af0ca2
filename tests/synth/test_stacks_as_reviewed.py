"""The stacks of environments `local` and `prod`, as somebody has reviewed them.

After a change that is meant: `pytest tests/synth/test_stacks_as_reviewed.py --snapshot-update`, and read
the difference before committing it. Lines of source and other remarks of cdktf are not in it.
"""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from tests.support.example_settings import ENVIRONMENTS, example, parse_environment

from holdfast_constructs.testing import Synthesis, synthesize_into

ADDRESSES = Path(__file__).parent / "golden" / "addresses.txt"
REVIEWED = [
    f"{service}-{environment}-eu-west-1"
    for service in ("data", "edge", "network", "orders", "storefront")
    for environment in ("local", "prod")
]
MEANING = """\
A resource that changes its address is destroyed and another one created, even where nothing else of it
changed: for a database that is the loss of its data. Where it is meant, tell users, and run
  pytest tests/synth/test_stacks_as_reviewed.py --snapshot-update
"""


@pytest.fixture(scope="module")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    from holdfast_constructs.project.main import build  # noqa: PLC0415 - loads jsii
    from holdfast_constructs.project.registry import registrations  # noqa: PLC0415 - the same

    stacks = registrations("holdfast_stacks")
    environments = [
        parse_environment(example(name), ENVIRONMENTS / f"{name}.toml") for name in ("local", "prod")
    ]
    return synthesize_into(tmp_path_factory.mktemp("reviewed"), lambda app: build(app, stacks, environments))


def test_local_and_prod_have_the_stacks_reviewed_here(synthesis: Synthesis) -> None:
    assert sorted(synthesis.templates) == REVIEWED


@pytest.mark.parametrize("stack", REVIEWED)
def test_the_stack_is_as_reviewed(synthesis: Synthesis, stack: str, snapshot: SnapshotAssertion) -> None:
    configuration = synthesis[stack].readable()

    assert configuration == snapshot(extension_class=JSONSnapshotExtension)


def test_every_resource_keeps_its_address(synthesis: Synthesis, request: pytest.FixtureRequest) -> None:
    found = "".join(
        f"{stack}\n" + "".join(f"  {address}\n" for address in synthesis[stack].addresses()) + "\n"
        for stack in REVIEWED
    )

    if request.config.option.update_snapshots:
        ADDRESSES.write_text(found, encoding="utf-8")
    reviewed = ADDRESSES.read_text(encoding="utf-8")

    assert found.splitlines() == reviewed.splitlines(), MEANING


def test_no_stack_knows_where_it_was_made(synthesis: Synthesis) -> None:
    here = str(Path(__file__).resolve().parents[2])

    knowing = [name for name in REVIEWED if here in str(synthesis[name].configuration)]

    assert knowing == []
