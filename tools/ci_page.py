"""Writes the files of docs/ci/ into docs/ci.md, each below its `<!-- ci/NAME -->`; `--check` only looks."""

import argparse
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "ci.md"
BLOCK = re.compile(r"<!-- (ci/[\w.-]+) -->\n```(\w+)\n.*?\n```\n", re.DOTALL)


def page(text: str) -> str:
    """Return the page with each file as it is now."""
    return BLOCK.sub(_block, text)


def _block(match: re.Match[str]) -> str:
    name, language = match.groups()
    content = (DOCS / name).read_text(encoding="utf-8")
    return f"<!-- {name} -->\n```{language}\n{content}```\n"


def main() -> int:
    """Write or check the page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is stale")
    now = PAGE.read_text(encoding="utf-8")
    if parser.parse_args().check:
        if page(now) == now:
            return 0
        print("docs/ci.md is stale; run `make schema`", file=sys.stderr)
        return 1
    PAGE.write_text(page(now), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
