"""Each public block has a page: every property with its default in each profile and the reason."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import holdfast_constructs
from holdfast_constructs.properties import table_of

ROOT = Path(__file__).parents[2]
# Stacks and apps are what blocks are put in.
NO_BLOCKS = {"HoldfastApp", "ServiceStack"}


def blocks() -> list[str]:
    from constructs import Construct  # noqa: PLC0415 - loads jsii

    found = []
    for name in sorted(set(holdfast_constructs.__all__) - NO_BLOCKS):
        value: Any = getattr(holdfast_constructs, name)
        # What is imported has the page of what it stands for.
        if isinstance(value, type) and issubclass(value, Construct) and not name.startswith("Imported"):
            found.append(name)
    return found


@pytest.mark.parametrize("block", blocks())
def test_every_property_has_a_reason_and_no_reason_is_of_a_property_that_is_gone(block: str) -> None:
    table = table_of(block)
    signature = inspect.signature(vars(getattr(holdfast_constructs, block))["__init__"])
    names = set(signature.parameters) - {"self", "scope", "id_"}

    assert set(table.properties) == names
    assert all(entry.why and not entry.why.endswith(".") for entry in table.properties.values())
    assert table.diagram.strip()


def test_the_pages_are_what_the_code_says() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/block_pages.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
