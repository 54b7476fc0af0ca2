"""Called by MkDocs (`hooks` in mkdocs.yml): lists the decisions of docs/adr in the navigation."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

ADR = Path(__file__).resolve().parent.parent / "docs" / "adr"


def on_config(config: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the section of decisions to the last section of the navigation."""
    (last_section,) = config["nav"][-1].values()
    last_section.append({"Decisions": [f"adr/{page.name}" for page in sorted(ADR.glob("*.md"))]})
    return config
