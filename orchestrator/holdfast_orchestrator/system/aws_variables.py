"""Variables of the environment that would lead Terraform to one place and boto3 to another: refused.

The table is `aws_variables.toml`. Everything else that leads somewhere (`AWS_ENDPOINT_URL*`, a profile's
`endpoint_url` and `services`, FIPS, dual stack, the metadata service, files of profiles) both obey alike, or
`runtime.Boto3Aws` makes boto3 obey as Terraform does.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from holdfast_orchestrator.errors import SettingsError

_IGNORED = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
_ENDPOINT = "AWS_ENDPOINT_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A row of the table."""

    name: str
    reader: str
    instead: str
    source: str
    why: str = ""
    unless: tuple[str, ...] = ()

    def counts(self, environ: Mapping[str, str]) -> bool:
        """Say whether it is set and would be obeyed."""
        return bool(environ.get(self.name)) and not any(environ.get(other) for other in self.unless)


@cache
def variables() -> tuple[Variable, ...]:
    """Return the table."""
    text = files(__package__).joinpath("aws_variables.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["variable"]
    return tuple(Variable(**{**row, "unless": tuple(row.get("unless", ()))}) for row in rows)


def refuse_divided(environ: Mapping[str, str]) -> None:
    """Return where Terraform and boto3 go the same way. Raises SettingsError that names each variable."""
    problems = dict(_problems(environ))
    if problems:
        raise SettingsError(
            f"{'; '.join(problems.values())}: nothing was begun", next_step=f"unset {' '.join(problems)}"
        )


def without_divided(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables of the table: for a cloud that needs none of them."""
    names = {variable.name for variable in variables()}
    return {name: value for name, value in environ.items() if name not in names}


def _problems(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for variable in variables():
        if variable.counts(environ):
            name, why = variable.name, variable.why or f"only {variable.reader} obeys it"
            yield name, f"{name} is set, and {why} (use {variable.instead})"
    if environ.get(_IGNORED, "").lower() == "true" and any(name.startswith(_ENDPOINT) for name in environ):
        yield _IGNORED, f"{_IGNORED} is set beside {_ENDPOINT}*, and Terraform's backend does not obey it"
