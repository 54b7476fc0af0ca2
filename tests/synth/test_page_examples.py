"""The examples of the pages of the blocks that can be run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.written_pages import blocks

from holdfast_constructs import Key, Network, ServiceStack
from holdfast_constructs.testing import sample_target

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "constructs.md"


def test_the_test_on_the_page_passes(synthesize: Callable[..., Any]) -> None:
    (text,) = (block.text for block in blocks(PAGE) if "synthesize(" in block.text)
    names: dict[str, Any] = {}
    exec(text, names)

    names["test_the_key_rotates"](synthesize)


def test_the_parts_on_their_page_are_built_together(synthesize: Callable[..., Any]) -> None:
    (text,) = (block.text for block in blocks(DOCS / "parts.md") if "def build(" in block.text)
    names: dict[str, Any] = {}
    exec(text, names)

    def build(app: Any) -> None:
        base = ServiceStack(app, "base", sample_target())
        logs_key = Key(base, "logs", purpose="logs")
        names["build"](
            app, Network(base, "main", cidr="10.40.0.0/16", nat="none", logs_key=logs_key), logs_key
        )

    shop = synthesize(build)["shop"]

    assert len(shop.resources("aws_sqs_queue")) == 2
    shop.has_resource("aws_secretsmanager_secret_version", secret_string_wo_version=1)
