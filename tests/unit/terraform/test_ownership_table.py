"""The table of ownership situations in docs/ownership.md is of tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| .* \| `(?P<file>[\w./]+)::(?P<test>\w+)(?: \((?P<row>\w+)\))?` \|$", re.MULTILINE)
KINDS = ("foreign", "sibling", "other app", "moved", "renamed", "split", "retired", "imported", "re-based")


def test_every_situation_has_its_test_and_every_row_of_the_table_test_is_listed() -> None:
    text = (ROOT / "docs" / "ownership.md").read_text(encoding="utf-8")
    found = [match.groupdict() for match in ROW.finditer(text)]

    for one in found:
        source = (ROOT / "tests" / "terraform" / str(one["file"])).read_text(encoding="utf-8")
        assert f"def {one['test']}(" in source, one
    table = (ROOT / "tests" / "terraform" / "test_ownership.py").read_text(encoding="utf-8")
    named = re.findall(r'Situation\(\s*name="(\w+)"', table)
    assert sorted(named) == sorted(str(one["row"]) for one in found if one["row"])
    assert len(found) >= 40
    assert all(f"| {kind}" in text for kind in KINDS)
