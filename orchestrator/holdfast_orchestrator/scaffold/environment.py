"""`holdfast new env`: one more environment, like one that is there."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import SettingsError, UsageError
from holdfast_orchestrator.scaffold.layout import Layout, check_name, settings_path
from holdfast_orchestrator.scaffold.writing import Draft, Written
from holdfast_orchestrator.system.private_files import read_source

_ACCOUNT = re.compile(r"[0-9]{12}")


def write_environment(
    folder: Path, name: str, *, like: str | None = None, account: str | None = None
) -> Written:
    """Write the settings of an environment `name` into the project in `folder`.

    They are those of the environment `like` (left out: the one that is not local, else the first), with a
    state bucket, a domain and networks of its own; `account` replaces the account. Raises UsageError for a
    name that cannot be used, an environment that exists already, and a model that does not; SettingsError for
    a project of another kind.
    """
    check_name("an environment", name)
    if account is not None and _ACCOUNT.fullmatch(account) is None:
        raise UsageError(f"{account!r} is no AWS account", next_step="give its 12 digits")
    layout = Layout.read(folder)
    (model,) = layout.chosen([like] if like else [_usual_model(layout)])
    settings = layout.settings(model)
    try:
        replacements = dict(_replacements(layout, model, settings, name, account))
    except (KeyError, TypeError, ValueError):
        raise SettingsError(
            f"the settings of {model} or of another environment are not valid",
            next_step="holdfast synth, which says what is wrong with them",
        ) from None
    text = read_source(folder / settings_path(model)).decode()
    for old, new in replacements.items():
        if old not in text:
            raise UsageError(
                f"{settings_path(model)} does not have {old} in this form", next_step="copy the file by hand"
            )
        text = text.replace(old, new)
    steps = [f"read {settings_path(name)}: it is a copy of {model}'s, with names and networks of its own"]
    if settings.get("local"):
        steps.append(f"holdfast local up --bucket {_bucket(settings, model, name)}")
    steps += ["pytest --snapshot-update, and read what it wrote", f"holdfast plan --env {name}"]
    return Draft(folder, {settings_path(name): text}).write(steps)


def _usual_model(layout: Layout) -> str:
    if not layout.environments:
        raise UsageError(
            f"{layout.folder / 'environments'} has no environment to take as a model",
            next_step="write the first by hand, or begin with: holdfast init",
        )
    return next((each for each in layout.environments if each != "local"), layout.environments[0])


def _replacements(
    layout: Layout, model: str, settings: Mapping[str, Any], name: str, account: str | None
) -> Iterator[tuple[str, str]]:
    bucket, domain = settings["state"]["bucket"], settings["domain"]
    yield f'"{bucket}"', f'"{_bucket(settings, model, name)}"'
    yield f'"{domain}"', f'"{name}.{domain.removeprefix(f"{model}.")}"'
    if account is not None:
        yield settings["account"], account
    used = [network for each in layout.environments for network in _networks(layout.settings(each))]
    for network in _networks(settings):
        free = next(
            other for other in _sixteens(network.prefixlen) if not any(other.overlaps(each) for each in used)
        )
        used.append(free)
        yield f'"{network}"', f'"{free}"'


def _bucket(settings: Mapping[str, Any], model: str, name: str) -> str:
    bucket = str(settings["state"]["bucket"])
    return f"{bucket.removesuffix(f'-{model}')}-{name}"


def _networks(settings: Mapping[str, Any]) -> list[IPv4Network]:
    network = settings.get("network", {})
    return [
        IPv4Network(table["cidr"])
        for table in (network, *network.get("regions", {}).values())
        if "cidr" in table
    ]


def _sixteens(prefix: int) -> Iterator[IPv4Network]:
    """Yield networks of 10.0.0.0/8 of this size, each at the beginning of a /16."""
    for second in range(10, 256):
        yield IPv4Network(f"10.{second}.0.0/{max(prefix, 16)}")
