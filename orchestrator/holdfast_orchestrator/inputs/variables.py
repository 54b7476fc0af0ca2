"""The values that are given to a stack's variables from outside."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.app.inputs import Variable
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.terraform.json_values import named

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import Shard

ENVIRONMENT = "TF_VAR_"
_PRIMITIVE = frozenset({"", "string", "number", "bool", "${string}", "${number}", "${bool}"})
_NAME = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a caller gave: the environment, and `variables` in the order of the command line."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: tuple[Variable, ...] = ()

    def refuse_undeclared(self, configurations: Iterable[bytes]) -> None:
        """Raise UsageError for a variable that no stack declares."""
        named = {variable.name for variable in self.variables if variable.form != "file"}
        if not named:
            return
        declared = {name for each in configurations for name in declarations(json.loads(each))}
        if unknown := sorted(named - declared):
            raise UsageError(
                f"--var {unknown[0]}: no stack declares a variable of that name",
                next_step=f"declared are: {', '.join(sorted(declared)) or 'none'}",
            )


def declarations(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the variables that a configuration declares, by name."""
    return {name: body for name, body in named(document.get("variable")) if isinstance(body, Mapping)}


def variables_of(document: Mapping[str, Any], given: Given) -> tuple[Variable, ...]:
    """Return what is given of the variables a configuration declares."""
    declared = declarations(document)
    if not declared:
        return ()
    environment = (
        Variable(name=name, value=given.environ[ENVIRONMENT + name])
        for name in sorted(declared)
        if ENVIRONMENT + name in given.environ
    )
    others = (_formed(each, declared) for each in given.variables if _concerns(each, declared))
    return (*environment, *others)


def _concerns(given: Variable, declared: Mapping[str, Any]) -> bool:
    if given.form != "file":
        return given.name in declared
    return bool(set(_NAME.findall(given.value)) & set(declared))


def _formed(given: Variable, declared: Mapping[str, Mapping[str, Any]]) -> Variable:
    """A value of a primitive type is text, of any other an expression, as Terraform takes it."""
    if given.form == "file":
        return given
    is_text = str(declared[given.name].get("type", "")) in _PRIMITIVE
    return Variable(name=given.name, value=given.value, form="literal" if is_text else "expression")


def secret_variables(shard: "Shard") -> Iterable[str]:
    """Yield the values given of a shard's variables that are declared sensitive."""
    if not shard.inputs.variables:
        return
    declared = declarations(json.loads(shard.configuration))
    sensitive = {name for name, body in declared.items() if body.get("sensitive")}
    for variable in shard.inputs.variables:
        if variable.form == "file":
            yield from _in_file(variable.value, sensitive)
        elif variable.name in sensitive:
            yield variable.value


def _in_file(text: str, names: set[str]) -> Iterable[str]:
    for name in names:
        yield from re.findall(rf'(?m)^\s*"?{re.escape(name)}"?\s*[=:]\s*"((?:[^"\\]|\\.)*)"', text)
