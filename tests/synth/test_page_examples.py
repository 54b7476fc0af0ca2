"""The examples of docs/constructs.md that can be run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.written_pages import blocks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "constructs.md"


def test_the_test_on_the_page_passes(synthesize: Callable[..., Any]) -> None:
    (text,) = (block.text for block in blocks(PAGE) if "synthesize(" in block.text)
    names: dict[str, Any] = {}
    exec(text, names)

    names["test_the_key_rotates"](synthesize)
