"""The documented command line is the real one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.documented_commands import faults

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")))
WRITTEN = re.compile(r"(?:^ {4}|^\$ |`|&& |run: )holdfast ([a-z][^`#|&]*)", re.MULTILINE)


def test_the_page_of_commands_says_what_help_says() -> None:
    done = subprocess.run(
        [sys.executable, "tools/cli_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8").partition("<!-- commands -->")[0]

    assert [fault for written in WRITTEN.findall(text) for fault in faults(written.splitlines()[0])] == []
