"""What each property of a block is for: its default in each profile, the reason, the controls it satisfies.

A block has a module here, named as its class, with `PROPERTIES` (its parameters), `ALWAYS` (what cannot be
chosen, but can be overridden with cdktf's own means) and `DIAGRAM`. `holdfast explain` and the pages of the
blocks show them. Ids of controls are Checkov's (CKV…), those of AWS Foundational Security Best Practices
(FSBP …), of the CIS AWS Foundations Benchmark 5.0 (CIS …) and of cdk-nag (AwsSolutions-…). A theme stands for
the criterion of SOC 2 (AICPA's Trust Services Criteria of 2017) that auditors ask it for.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from holdfast_constructs.profiles import PerProfile, Profile


class Theme(StrEnum):
    """What a control is about; the value is the criterion of SOC 2."""

    ACCESS = "CC6.3"
    ENCRYPTED = "CC6.1"
    BOUNDARY = "CC6.6"
    IN_TRANSIT = "CC6.7"
    PATCHED = "CC7.1"
    OBSERVED = "CC7.2"
    CHANGED_WITH_CARE = "CC8.1"
    RECOVERABLE = "A1.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A parameter of a block.

    `why` says what it is for, or why the default is what it is. `controls` hold as long as `satisfied`, given
    the value and the profile, says so; without it they always do.
    """

    why: str
    per_profile: PerProfile[Any] | None = None
    controls: tuple[str, ...] = ()
    theme: Theme | None = None
    satisfied: Callable[[Any, Profile], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Always:
    """An argument of a resource that a block writes as `value` unless something makes it weaker.

    `resource` is its Terraform type and `argument` the way to it, with dots between nested blocks (of a list,
    the first). `part` is the last piece of the construct's path, where the block has several of the type.
    `follows` names what the argument goes by, where that may give it another value.
    """

    resource: str
    argument: str
    value: Any
    why: str
    part: str | None = None
    follows: str | None = None
    controls: tuple[str, ...] = ()
    theme: Theme | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All that is known of a block: its properties, and what it is made of as a drawing in text."""

    properties: Mapping[str, Property]
    always: tuple[Always, ...]
    diagram: str = ""


def criteria(entry: Property | Always) -> tuple[str, ...]:
    """Return the controls of an entry, SOC 2's criterion last."""
    return entry.controls if entry.theme is None else (*entry.controls, f"SOC 2 {entry.theme}")


@cache
def table_of(block: str) -> Table:
    """Return the table of a block by its class's name; an empty one for a block that has none."""
    name = f"{__name__}.{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', block).lower()}"
    if find_spec(name) is None:
        return Table(properties={}, always=())
    module = import_module(name)
    return Table(properties=module.PROPERTIES, always=module.ALWAYS, diagram=module.DIAGRAM)
