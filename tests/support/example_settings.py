"""The repository's settings as the tests know them: a service that was added to them changes no test."""

import re
from functools import cache
from pathlib import Path

from holdfast_constructs.settings import Environment, Settings
from holdfast_constructs.settings import load_environment as _load
from holdfast_constructs.settings import parse_environment as _parse

ENVIRONMENTS = Path(__file__).resolve().parents[2] / "environments"
SERVICES = ("orders", "storefront")


@cache
def tables() -> dict[str, type[Settings]]:
    """The type of the table of each service that is registered; loads jsii."""
    from holdfast_constructs.project.main import service_tables  # noqa: PLC0415
    from holdfast_constructs.project.registry import registrations  # noqa: PLC0415

    return service_tables(registrations("holdfast_stacks"))


def example(name: str) -> str:
    """The text of an environment with the services of the tests and no others."""
    text = (ENVIRONMENTS / f"{name}.toml").read_text(encoding="utf-8")
    blocks = re.split(r"(?m)^(?=\[)", text)
    others = [
        block
        for block in blocks
        if (table := re.match(r"\[services\.([a-z0-9-]+)", block)) is not None and table[1] not in SERVICES
    ]
    return "".join(block for block in blocks if block not in others)


def parse_environment(text: str, file: Path) -> Environment:
    return _parse(text, file, services=tables())


def load_environment(file: Path) -> Environment:
    return _load(file, services=tables())
