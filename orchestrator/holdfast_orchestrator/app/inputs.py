"""The inputs of a stack as values."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

Form = Literal["environment", "literal", "expression", "file"]
"""How a variable is given: as TF_VAR_<name>, as text, as an expression, or `name` is a file of values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file.

    `path` is relative to the stack's folder (`../../../templates/x`), or absolute for one outside the app.
    `sha256` is of its bytes, `identity` what it is compared by. `part_of` is the path in the configuration
    that led to it; `source` is where it lies on this machine, None where only its bytes are kept.
    """

    path: str
    sha256: str
    identity: str
    size: int
    part_of: str
    executable: bool = False
    kept: bool = True
    source: Path | None = field(default=None, compare=False, repr=False)

    @property
    def in_place(self) -> bool:
        """Whether it is read where it lies, outside the app."""
        return self.path.startswith("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A value somebody gave; the later of two counts."""

    name: str
    value: str = field(repr=False)
    form: Form = "environment"

    @property
    def label(self) -> str:
        """What a person knows it by."""
        return f"--var-file {self.name}" if self.form == "file" else f"var.{self.name}"

    @property
    def sha256(self) -> str:
        """The digest of its value."""
        return hashlib.sha256(f"{self.form == 'file'}:{self.value}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All that a stack reads. `doubts` say what it may read beside that, in words.

    `absent` are paths it names where nothing lies. `moving` are reasons never to skip it: what it reads may
    be another thing tomorrow. With `provider_reads`, the provider itself opens files. `known` is false for
    what was recorded before inputs were.
    """

    files: tuple[InputFile, ...] = ()
    variables: tuple[Variable, ...] = ()
    absent: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()
    provider_reads: bool = False
    known: bool = True

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """A digest of each input, by the name a person knows it by."""
        parts: dict[str, list[str]] = defaultdict(list)
        for file in sorted(self.files, key=lambda file: file.path):
            parts[file.part_of].append(f"{file.path}\0{file.identity}\0{file.executable}")
        for variable in self.variables:
            parts[variable.label] = [*parts[variable.label][-1:], variable.sha256][-1:]
        for path in self.absent:
            parts[path].append("absent")
        return {name: hashlib.sha256("\n".join(each).encode()).hexdigest() for name, each in parts.items()}

    @property
    def is_empty(self) -> bool:
        """Whether it reads nothing."""
        return not (self.files or self.variables or self.doubts or self.absent)


NOTHING = Inputs()
UNKNOWN = Inputs(known=False)


def differing(one: Inputs, other: Inputs) -> tuple[str, ...]:
    """Return the names of the inputs that are not the same in both, sorted."""
    first, second = one.digests, other.digests
    return tuple(sorted(name for name in {*first, *second} if first.get(name) != second.get(name)))


def both(first: Inputs, second: Inputs) -> Inputs:
    """Return the inputs of two together; where both have one, it is the first's."""
    paths = {file.path for file in first.files}
    names = {variable.name for variable in first.variables}
    return replace(
        first,
        files=(*first.files, *(file for file in second.files if file.path not in paths)),
        # The later counts.
        variables=(*(each for each in second.variables if each.name not in names), *first.variables),
        provider_reads=first.provider_reads or second.provider_reads,
    )
