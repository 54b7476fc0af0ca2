import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import holdfast_orchestrator


def test_everything_in_the_public_list_is_there() -> None:
    missing = [
        name for name in holdfast_orchestrator.__all__ if getattr(holdfast_orchestrator, name, None) is None
    ]

    assert missing == []


def test_the_public_list_is_sorted_and_has_a_home_for_each_name() -> None:
    assert list(holdfast_orchestrator.__all__) == sorted(holdfast_orchestrator.__all__)
    assert set(holdfast_orchestrator._HOMES) == set(holdfast_orchestrator.__all__)


def test_importing_the_leaf_imports_nothing_else_of_the_package() -> None:
    program = (
        "import sys, holdfast_orchestrator.state_key; "
        "print(sorted(m for m in sys.modules if m.startswith('holdfast_orchestrator.')))"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "['holdfast_orchestrator.state_key']"


def test_a_project_is_there_before_what_plans_deploys_or_writes_states_is_loaded() -> None:
    program = (
        "import sys, holdfast_orchestrator.api.project; "
        "print(sorted({m.split('.')[1] for m in sys.modules if m.startswith('holdfast_orchestrator.')}))"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    late = {"change_detection", "deploy", "engine", "gate", "plan", "preview", "record", "state_admin"}
    assert late.isdisjoint(ast.literal_eval(ran.stdout))


def test_what_the_page_on_python_imports_is_there() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "python.md").read_text(encoding="utf-8")

    imports = re.findall(r"^ {4}from (holdfast_orchestrator\S*) import (.+)$", page, re.MULTILINE)

    assert len(imports) == 6
    for module, names in imports:
        public = importlib.import_module(module).__all__
        assert set(names.split(", ")) <= set(public)
