"""Every argument that a block always writes is there, with its secure value; turned round, a test fails."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.every_block import build_every_block

import holdfast_constructs
from holdfast_constructs.properties import Always, table_of
from holdfast_constructs.testing import sample_target, synthesize_into

BLOCKS = [name for name in sorted(holdfast_constructs.__all__) if table_of(name).properties]
# A load balancer writes its access logs with S3's own key only.
MEANT = {"Bucket": [("key", None)]}
ALWAYS = [(block, entry) for block in BLOCKS for entry in table_of(block).always]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], list[dict[str, Any]]]:
    """The rows of explained.json of one of each block, by block and property."""
    synthesis = synthesize_into(
        tmp_path_factory.mktemp("out"), lambda app: build_every_block(app, sample_target())
    )
    stacks = json.loads((synthesis.outdir / "explained.json").read_bytes())["stacks"].values()
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for block in (block for stack in stacks for block in stack["blocks"]):
        for row in block["properties"]:
            found.setdefault((block["block"], row["name"]), []).append(row)
    return found


@pytest.mark.parametrize(
    ("block", "entry"), ALWAYS, ids=[f"{block}-{entry.resource}.{entry.argument}" for block, entry in ALWAYS]
)
def test_a_secure_default_holds_in_production(
    rows: Mapping[tuple[str, str], list[dict[str, Any]]], block: str, entry: Always
) -> None:
    written = rows.get((block, f"{entry.resource}.{entry.argument}"), [])

    assert written, f"build_every_block makes no {block} that writes it"
    assert [row["value"] for row in written if row["weakened"]] == []


@pytest.mark.parametrize("block", BLOCKS)
def test_no_choice_of_production_weakens_a_control(
    rows: Mapping[tuple[str, str], list[dict[str, Any]]], block: str
) -> None:
    of_block = {name: found for (of, name), found in rows.items() if of == block}

    assert of_block, f"build_every_block makes no {block}"
    weakened = [(name, row["value"]) for name, found in of_block.items() for row in found if row["weakened"]]
    assert weakened == MEANT.get(block, [])
