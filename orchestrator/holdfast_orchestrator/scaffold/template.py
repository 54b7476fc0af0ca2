"""The files of a new project.

Stacks, environments and snapshots are those of the example that Holdfast is developed and tested with: a
wheel holds copies of them (pyproject.toml, `force-include`), and a checkout has them at its root. What a
project needs besides is in `files/`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.scaffold.project_name import project_name, snapshot_of, with_project

EXAMPLE_PACKAGE, PACKAGE = "holdfast_stacks", "stacks"
ENVIRONMENTS = ("local", "prod")

_HERE = Path(__file__).resolve().parent
_FILES = {
    "cdktf.json": "cdktf.json",
    "requirements.txt": "requirements.txt",
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".github/workflows/holdfast.yml": "workflow.yml",
    "tests/test_stacks.py": "test_stacks.py.txt",
}


@dataclass(frozen=True, slots=True)
class Example:
    """Where the files of the example are."""

    stacks: Path
    environments: Path
    snapshots: Path
    lock: Path

    @classmethod
    def find(cls) -> "Example":
        """Return those in the wheel, or in a checkout those at its root."""
        inside = _HERE / "example"
        if inside.is_dir():
            return cls(
                inside / "stacks", inside / "environments", inside / "snapshots", inside / "providers.lock"
            )
        root = _HERE.parents[2]
        snapshots = root / "tests" / "synth" / "__snapshots__" / "test_stacks_as_reviewed"
        return cls(
            root / "stacks" / EXAMPLE_PACKAGE, root / "environments", snapshots, root / ".terraform.lock.hcl"
        )


def template_text(source: str) -> str:
    """Return the text of a file of this package's `files`."""
    return (_HERE / "files" / source).read_text(encoding="utf-8")


def template_files(name: str, version: str) -> Iterator[tuple[str, str]]:
    """Yield each file of a new project called `name`, by its path, as `version` of Holdfast writes it."""
    example = Example.find()
    for path, source in _FILES.items():
        text = template_text(source)
        yield path, text.replace("@name@", name).replace("@version@", version)
    yield ".terraform.lock.hcl", example.lock.read_text(encoding="utf-8")
    for file in sorted(example.stacks.glob("*.py")):
        yield f"{PACKAGE}/{file.name}", stack_text(file)
    yield "environments/schema.json", (example.environments / "schema.json").read_text(encoding="utf-8")
    for environment in ENVIRONMENTS:
        text = (example.environments / f"{environment}.toml").read_text(encoding="utf-8")
        yield f"environments/{environment}.toml", with_project(_named(text, name), name)
    for file in sorted(example.snapshots.glob("*.json")):
        text = _named(file.read_text(encoding="utf-8"), name)
        yield f"tests/__snapshots__/test_stacks/{file.name}", snapshot_of(project_name(name), text)


def stack_text(file: Path) -> str:
    """Return a module of the example's stacks as a module of a project's own."""
    return file.read_text(encoding="utf-8").replace(EXAMPLE_PACKAGE, PACKAGE)


def _named(text: str, name: str) -> str:
    """Put the project's name where the example has its own: in the name of the state bucket."""
    return text.replace("example-holdfast-state", f"{name}-state")
