"""Called by MkDocs (`hooks` in mkdocs.yml): lists the blocks and the decisions in the navigation."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"


def on_config(config: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the blocks to the reference, and the decisions to the last section of the navigation."""
    sections = {name: pages for section in config["nav"] for name, pages in section.items()}
    sections["Reference"].append({"Building blocks": _pages("blocks")})
    sections["Explanation"].append({"Decisions": _pages("adr")})
    return config


def _pages(folder: str) -> list[str]:
    return [f"{folder}/{page.name}" for page in sorted((DOCS / folder).glob("*.md"))]
