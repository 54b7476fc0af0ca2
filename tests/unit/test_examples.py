"""The examples stay small, need the building blocks alone, and are held to the same rules as all code."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(page.parent for page in (ROOT / "docs" / "examples").glob("*/README.md"))
MOST_LINES = 240
RUFF = str(Path(sys.executable).with_name("ruff"))

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda folder: folder.name)


def imported(file: Path) -> Iterator[str]:
    """The name of every module that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@each_example
def test_an_example_is_short(example: Path) -> None:
    lines = [
        line
        for file in example.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]

    assert 0 < len(lines) <= MOST_LINES


@each_example
def test_an_example_is_made_of_building_blocks_and_its_own_files(example: Path) -> None:
    own = {path.stem for path in example.iterdir()}
    foreign = {name for file in example.rglob("*.py") for name in imported(file)}

    assert {name.split(".")[0] for name in foreign} <= own | {"holdfast_constructs", "dataclasses"}


@each_example
@pytest.mark.parametrize("command", [("format", "--check"), ("check",)], ids=" ".join)
def test_an_example_is_formatted_and_clean(example: Path, command: tuple[str, ...]) -> None:
    ran = subprocess.run([RUFF, *command, example], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr


@each_example
def test_make_check_reads_an_example_with_the_types_of_a_strict_mypy(example: Path) -> None:
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    name = example.relative_to(ROOT).as_posix()

    assert mypy["strict"] is True
    assert name in mypy["files"]
    assert name in mypy["mypy_path"]
    assert not [each for each in mypy["overrides"] if any(m.startswith(example.name) for m in each["module"])]
