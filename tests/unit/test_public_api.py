import subprocess
import sys

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
