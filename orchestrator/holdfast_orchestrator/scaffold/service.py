"""`holdfast new service`, `worker`, `job` and `consumer`: a stack in a file of its own, and its settings."""

import keyword
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.scaffold.database import user_of
from holdfast_orchestrator.scaffold.layout import Layout, check_name, settings_path
from holdfast_orchestrator.scaffold.template import EXAMPLE_PACKAGE, Example, template_text
from holdfast_orchestrator.scaffold.writing import Draft, Written

_DOCSTRING = re.compile(r'"""(?:[^"]|"(?!""))*"""')


class Kind(StrEnum):
    """What is written: a web service, one with a database, or what works without requests."""

    SERVICE = "service"
    DATABASE_SERVICE = "service with a database"
    WORKER = "worker"
    JOB = "job"
    CONSUMER = "consumer"


# The services of the example that are copied.
_OF_THE_EXAMPLE = {Kind.SERVICE: "storefront", Kind.DATABASE_SERVICE: "orders"}


def write_service(
    folder: Path, name: str, *, environments: Sequence[str] = (), kind: Kind = Kind.SERVICE
) -> Written:
    """Write a service into the project in `folder`, and its settings into `environments` (none: all).

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
        settings_path(environment): _table(layout.settings(environment), environment, name, kind=kind)
        for environment in layout.chosen(environments)
    }
    draft = Draft(folder, {path: _stack(layout.package, name, kind)}, added)
    return draft.write(
        (
            f"write your image into {', '.join(sorted(added))}",
            "pytest --snapshot-update, and read what it wrote"
            + (", in `data` too" if kind is Kind.DATABASE_SERVICE else ""),
            f"holdfast deploy --env {layout.chosen(environments)[0]} --service {name}",
        )
    )


def _stack(package: str, name: str, kind: Kind) -> str:
    """Return the stack of the example under another name, or that of a template."""
    class_name = "".join(part.capitalize() for part in name.split("-"))
    if kind not in _OF_THE_EXAMPLE:
        text = template_text(f"{kind}.py.txt")
        return text.replace("@name@", name).replace("@class@", class_name).replace("@package@", package)
    model = _OF_THE_EXAMPLE[kind]
    text = (Example.find().stacks / f"{model}.py").read_text(encoding="utf-8")
    docstrings = iter([f'"""The service {name}."""', f'"""What {name} runs."""'])
    text = _DOCSTRING.sub(lambda _: next(docstrings), text)
    for old, new in (
        (f"class {model.capitalize()}(", f"class {class_name}("),
        (f'user="{model}"', f'user="{user_of(name)}"'),
        (f'"{model}"', f'"{name}"'),
        (f"'{model}'", f"'{name}'"),
        (EXAMPLE_PACKAGE, package),
    ):
        text = text.replace(old, new)
    return text


def _table(settings: Mapping[str, Any], environment: str, name: str, *, kind: Kind) -> str:
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
    ]
    if kind is Kind.JOB:
        lines += ["# Each night at three.", 'schedule = "cron(0 3 * * ? *)"']
    else:
        lines += [f"min_tasks = {2 if production else 1}", f"max_tasks = {4 if production else 2}"]
    if kind is Kind.DATABASE_SERVICE:
        lines += ["", f"[services.{name}.database]", 'class = "db.t4g.medium"', "storage_gib = 20"]
    return "\n".join(lines) + "\n"
