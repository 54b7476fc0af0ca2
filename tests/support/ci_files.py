"""Reads the CI files of docs/ci/."""

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "ci"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads YAML as CIs do: `on` is a key, not a truth value."""


_Loader.yaml_implicit_resolvers = {
    letter: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:bool"]
    for letter, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read(name: str) -> dict[str, Any]:
    """Return the content of a YAML file of docs/ci/."""
    document: dict[str, Any] = yaml.load((FOLDER / name).read_text(encoding="utf-8"), _Loader)
    return document


def steps_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of all jobs of a workflow, or those of an action."""
    jobs = document.get("jobs") or {"install": document["runs"]}
    return [step for job in jobs.values() for step in job.get("steps", [])]


def step_with(name: str, text: str) -> str:
    """Return the script of the one step of a workflow that has a text in it."""
    (script,) = [step["run"] for step in steps_of(read(name)) if text in step.get("run", "")]
    return str(script)
