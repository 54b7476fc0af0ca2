"""`holdfast new service`: a stack in a file of its own, and a table in each environment."""

import keyword
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.scaffold.layout import Layout, check_name, settings_path
from holdfast_orchestrator.scaffold.template import EXAMPLE_PACKAGE, Example
from holdfast_orchestrator.scaffold.writing import Draft, Written

# The services of the example that are copied.
_WITHOUT_DATABASE, _WITH_DATABASE = "storefront", "orders"
_DOCSTRING = re.compile(r'"""(?:[^"]|"(?!""))*"""')


def write_service(
    folder: Path, name: str, *, environments: Sequence[str] = (), database: bool = False
) -> Written:
    """Write a web service into the project in `folder`, and its settings into `environments` (none: all).

    Raises UsageError for a name that cannot be used, a file or a table that exists already, and an
    environment that does not; SettingsError for a project of another kind.
    """
    check_name("a service", name)
    layout = Layout.read(folder)
    module = name.replace("-", "_")
    if keyword.iskeyword(module):
        raise UsageError(f"{name!r} is a word of Python's own", next_step="choose another name")
    path = (layout.stacks / f"{module}.py").as_posix()
    added = {
        settings_path(environment): _table(layout.settings(environment), environment, name, database=database)
        for environment in layout.chosen(environments)
    }
    draft = Draft(folder, {path: _stack(layout.package, name, database=database)}, added)
    return draft.write(
        (
            f"write your image into {', '.join(sorted(added))}",
            "pytest --snapshot-update, and read what it wrote" + (", in `data` too" if database else ""),
            f"holdfast deploy --env {layout.chosen(environments)[0]} --service {name}",
        )
    )


def _stack(package: str, name: str, *, database: bool) -> str:
    """Return the stack of the example under another name."""
    model = _WITH_DATABASE if database else _WITHOUT_DATABASE
    text = (Example.find().stacks / f"{model}.py").read_text(encoding="utf-8")
    docstrings = iter([f'"""The service {name}."""', f'"""What {name} runs."""'])
    text = _DOCSTRING.sub(lambda _: next(docstrings), text)
    class_name = "".join(part.capitalize() for part in name.split("-"))
    for old, new in (
        (f"class {model.capitalize()}(", f"class {class_name}("),
        (f'"{model}"', f'"{name}"'),
        (f"'{model}'", f"'{name}'"),
        (EXAMPLE_PACKAGE, package),
    ):
        text = text.replace(old, new)
    return text


def _table(settings: Mapping[str, Any], environment: str, name: str, *, database: bool) -> str:
    if name in settings.get("services", {}):
        raise UsageError(
            f"nothing was written, because {settings_path(environment)} has [services.{name}] already",
            next_step="choose another name, or write the stack by hand",
        )
    production = bool(settings.get("production"))
    account, region = settings.get("account", "0" * 12), settings.get("regions", ["eu-west-1"])[0]
    image = f"{account}.dkr.ecr.{region}.amazonaws.com/{name}@sha256:{'0' * 64}"
    lines = [
        "",
        f"[services.{name}]",
        "# Put the digest here that your registry shows for the image.",
        f'image = "{image}"',
        f"min_tasks = {2 if production else 1}",
        f"max_tasks = {4 if production else 2}",
    ]
    if database:
        lines += ["", f"[services.{name}.database]", 'class = "db.t4g.medium"', "storage_gib = 20"]
    return "\n".join(lines) + "\n"
