"""The runbooks of the ready sets of alarms, to be written into a project and completed there.

    python -m holdfast_constructs.observability.runbooks docs/runbooks --owner "payments" --deputy "platform"

A file that is there already is left alone.
"""

from collections.abc import Sequence
from pathlib import Path

_FOLDER = Path(__file__).parent
# What every runbook has, in this order.
HEADINGS: tuple[str, ...] = (
    "## Meaning and owner",
    "## Metric and baseline",
    "## Severity, and how to verify",
    "## Recent changes and rollback",
    "## Escalation, and proof of recovery",
)


def shipped() -> tuple[str, ...]:
    """Return the names of the runbooks, such as `web-service.md`."""
    return tuple(sorted(path.name for path in _FOLDER.glob("*.md")))


def text_of(name: str, *, owner: str, deputy: str) -> str:
    """Return a runbook with its owner and deputy."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return text.replace("{owner}", owner).replace("{deputy}", deputy)


def write_runbooks(folder: Path, *, owner: str, deputy: str) -> Sequence[Path]:
    """Write each runbook that is not in `folder` yet, and return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [folder / name for name in shipped() if not (folder / name).exists()]
    for path in missing:
        path.write_text(text_of(path.name, owner=owner, deputy=deputy), encoding="utf-8")
    return missing
