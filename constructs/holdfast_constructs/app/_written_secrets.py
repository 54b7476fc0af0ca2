"""Refuses the text of a secret in a configuration.

Terraform keeps a write-only argument (`secret_string_wo`, `password_wo`) out of state and plans. The
synthesized configuration is kept all the same: with each deploy, so that it can be applied again. So the
value must be a reference: to an ephemeral resource, a variable without a default, or an object in AWS.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from holdfast_constructs.app._configurations import Configuration
from holdfast_constructs.app._provenance import origin_of
from holdfast_constructs.errors import ConstructError

# The provider names its write-only arguments so.
_WRITE_ONLY = "_wo"
_EXPRESSION = re.compile(r"(?<!\$)\$\{")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
# `ephemeral.type.name`, `var.name`: a name with a point in it, where a function has a bracket.
_REFERENCE = re.compile(r"\b[A-Za-z_][\w-]*\.[A-Za-z_][\w-]*")


def refuse_written_secrets(configurations: Mapping[str, Configuration], stacks: Any) -> None:
    """Raise ConstructError for a write-only argument that is written out, and delete the stack's file."""
    by_name = {stack.name: stack for stack in stacks}
    for name, configuration in configurations.items():
        if f'{_WRITE_ONLY}"' not in configuration.text:
            continue
        for address, path, argument in _written(configuration.document):
            configuration.file.unlink()
            raise _error(by_name.get(name), address, path, argument)


def _error(stack: Any, address: str, path: str, argument: str) -> ConstructError:
    origin = None if stack is None else origin_of(stack)
    created = None if origin is None else origin.resources.get(path)
    where = f" ({created.file}:{created.line})" if created is not None and created.file else ""
    return ConstructError(
        f"{argument} of {address}{where}",
        got="a text, which is not shown",
        allowed="a reference to what is known only while Terraform applies, since the configuration is kept",
        next_step="use Secret(…, generate=Generated(…)), or an ephemeral variable without a default",
    )


def _written(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield address, path and argument of every write-only argument whose value is in the document."""
    for kind, blocks in document.get("resource", {}).items():
        for name, block in blocks.items():
            path = block.get("//", {}).get("metadata", {}).get("path", "")
            for argument, value in _write_only(block):
                if _is_written(value, lambda text: _defined(document, text)):
                    yield f"{kind}.{name}", path, argument


def _write_only(block: Any) -> Iterator[tuple[str, Any]]:
    match block:
        case Mapping():
            for name, value in block.items():
                if name.endswith(_WRITE_ONLY):
                    yield name, value
                else:
                    yield from _write_only(value)
        case list():
            for each in block:
                yield from _write_only(each)


def _is_written(value: Any, defined: Callable[[str], bool]) -> bool:
    if value is None or isinstance(value, bool):
        return False
    if not isinstance(value, str):
        return True
    if _EXPRESSION.search(value) is None:
        return True
    references = _REFERENCE.findall(_QUOTED.sub(_inside, value))
    return all(defined(each) for each in references)


def _inside(quoted: re.Match[str]) -> str:
    """Of a quoted text in an expression only the expressions in it count."""
    text = quoted.group()
    return text if _EXPRESSION.search(text) else ""


def _defined(document: Mapping[str, Any], reference: str) -> bool:
    """Whether the document itself says what a reference is: a variable with a default, a local text."""
    section, _, name = reference.partition(".")
    match section:
        case "var":
            return document.get("variable", {}).get(name, {}).get("default") is not None
        case "local":
            value = document.get("locals", {}).get(name)
            return not isinstance(value, str) or _EXPRESSION.search(value) is None
        case _:
            return False
