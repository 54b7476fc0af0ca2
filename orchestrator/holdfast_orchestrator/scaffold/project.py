"""`holdfast init`: a new project in a folder."""

from importlib.metadata import version
from pathlib import Path

from holdfast_orchestrator.scaffold.template import template_files
from holdfast_orchestrator.scaffold.writing import Draft, Written
from holdfast_orchestrator.state_key import key_name

# With `-state-<environment>` behind it, it is the name of a bucket, of 63 characters at most.
_LONGEST_NAME = 40


def write_project(folder: Path) -> Written:
    """Write a project into `folder`, which is made where it is missing, and gives the project its name.

    Raises UsageError where one of its files exists already.
    """
    name = key_name(folder.name)[:_LONGEST_NAME].strip("-")
    draft = Draft(folder, dict(template_files(name, version("holdfast"))))
    return draft.write(
        (
            f"cd {folder}",
            "python3 -m venv .venv && . .venv/bin/activate && pip install --no-compile -r requirements.txt",
            "pytest",
            "holdfast local up && holdfast deploy --env local",
            "write your account, domain and images into environments/prod.toml",
        )
    )
