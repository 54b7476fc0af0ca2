"""How this Holdfast was installed, which decides what a message says about installing something."""

from pathlib import Path

# orchestrator/holdfast_orchestrator/system/installation.py in a checkout.
_MAKEFILE = Path(__file__).resolve().parents[3] / "Makefile"


def install_command(extra: str) -> str:
    """Return the command that installs what an extra of the package holds."""
    return "make install" if _MAKEFILE.is_file() else f"pip install 'holdfast[{extra}]'"


def engine_advice() -> str:
    """Return how to get Terraform."""
    return "make install" if _MAKEFILE.is_file() else "install Terraform or OpenTofu"
