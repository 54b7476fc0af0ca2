"""What a configuration requires of which provider, and whether a version will do."""

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.terraform.json_values import text_of
from holdfast_orchestrator.terraform.provider_blocks import required_providers

_BUILTIN = "terraform.io/"
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_TERM = re.compile(r"^\s*(=|!=|>=|<=|>|<|~>)?\s*v?(\d+(?:\.\d+)*)\s*$")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A provider, as `host/namespace/name`, and the versions allowed ("" for any)."""

    source: str
    constraint: str

    def allows(self, version: str) -> bool:
        """Say whether a version fits; a constraint of a form not known here fits none."""
        return all(_term_allows(term, version) for term in self.constraint.split(",") if term.strip())


def requirements(configuration: bytes, registry: str) -> tuple[Requirement, ...]:
    """Return what a `cdk.tf.json` requires, by source; `registry` completes sources without a host."""
    by_source = {
        source: Requirement(source, text_of(entry.get("version")))
        for name, entry in required_providers(json.loads(configuration)).items()
        if not (source := full_source(text_of(entry.get("source")) or name, registry)).startswith(_BUILTIN)
    }
    return tuple(required for _, required in sorted(by_source.items()))


def full_source(source: str, registry: str) -> str:
    """Return `host/namespace/name` for `aws`, `hashicorp/aws` or the full form."""
    match source.lower().split("/"):
        case [name]:
            return f"{registry}/hashicorp/{name}"
        case [namespace, name]:
            return f"{registry}/{namespace}/{name}"
        case _:
            return source.lower()


def _term_allows(term: str, version: str) -> bool:
    match = _TERM.match(term)
    if match is None or re.fullmatch(r"\d+(\.\d+)*", version) is None:
        return False
    given = _numbers(match[2])
    width = max(len(given), version.count(".") + 1)
    bound, actual = (numbers + (0,) * (width - len(numbers)) for numbers in (given, _numbers(version)))
    if match[1] == "~>":  # only the last part given may grow
        fixed = max(len(given) - 1, 1)
        return actual >= bound and actual[:fixed] == bound[:fixed]
    return _COMPARE[match[1] or "="](actual, bound)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
