"""The page on the architecture names files that exist, and each rule of imports fails where it is broken."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "orchestrator" / "holdfast_orchestrator"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_file_and_room_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:\.py|\.csv|/))`", PAGE))

    places = [PACKAGE, ROOT]
    assert len(named) > 50
    assert not {name for name in named if not any((place / name).exists() for place in places)}


def test_every_file_that_a_package_says_it_has_is_there() -> None:
    packages = [*PACKAGE.rglob("__init__.py"), *(ROOT / "constructs").rglob("__init__.py")]
    named = [
        (package, name)
        for package in packages
        for name in re.findall(
            r"(?<![\w/])[a-z_]+\.py\b", ast.get_docstring(ast.parse(package.read_text("utf-8"))) or ""
        )
    ]

    assert len(named) > 100
    assert not [
        f"{package.parent.name} has no {name}"
        for package, name in named
        if not any(package.parent.rglob(name))
    ]


def test_the_page_has_the_rooms_in_the_order_that_is_checked() -> None:
    told = re.findall(r"^\| \d+ \| (.+) \|$", PAGE, re.MULTILINE)
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (layers,) = re.findall(r"^layers = \[(.*?)\]$", config, re.MULTILINE | re.DOTALL)
    checked = re.findall(r'"([^"]+)"', layers)

    assert [line.replace("`", "").split(", ") for line in told] == [
        line.split(" : ") for line in checked if line != "__main__"
    ]


def test_no_test_file_imports_another_one() -> None:
    importing = re.compile(
        r"^\s*(?:from|import) tests\.(?:.*\.)?test_|^\s*from tests\..* import test_", re.MULTILINE
    )
    files = sorted((ROOT / "tests").rglob("test_*.py"))

    assert len(files) > 200
    assert not [file.name for file in files if importing.search(file.read_text(encoding="utf-8"))]


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("state/lease.py", "import holdfast_orchestrator.deploy.run", "no import runs back up"),
        (
            "terraform/plan.py",
            "def read():\n    import holdfast_orchestrator.system.runtime",
            "Decisions have no effect",
        ),
        (
            "deploy/work/attempt.py",
            (
                "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
                "    import holdfast_orchestrator.deploy.phases.rollback"
            ),
            "in a circle",
        ),
        ("cli/runs.py", "import holdfast_orchestrator.record.runs", "The command line is a skin"),
        ("newroom/__init__.py", "", "no import runs back up"),
        ("app/graph.py", "import cdktf", "knows neither cdktf"),
    ],
)
def test_a_breach_is_told(file: str, line: str, contract: str, tmp_path: Path) -> None:
    for name in ("orchestrator", "constructs", "stacks", "bindings"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    target = tmp_path / "orchestrator" / "holdfast_orchestrator" / file
    target.parent.mkdir(exist_ok=True)
    target.write_text((target.read_text() if target.exists() else "") + f"\n\n{line}\n")
    paths = os.pathsep.join(
        str(tmp_path / name) for name in ("orchestrator", "constructs", "stacks", "bindings")
    )

    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )

    broken = [one for one in ran.stdout.splitlines() if one.endswith(" BROKEN")]
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert any(contract in one for one in broken), ran.stdout
