"""Addresses of resource instances: `module.m["a"].aws_eip.e[0]` and its parts."""

import re
from dataclasses import dataclass

from holdfast_orchestrator.errors import HoldfastError

Key = str | int | None

_KEY = r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]'
_ANY_KEY = re.compile(_KEY)
_PART = re.compile(rf"([^\W\d][\w-]*)({_KEY})?(?:\.|\Z)")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_TEMPLATE = re.compile(r"([$%])\1\{")


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address. `module` is None at the root, `key` None without count or for_each."""

    module: str | None
    kind: str
    name: str
    key: Key = None

    def __str__(self) -> str:
        return format_address(self.module, self.kind, self.name, self.key)


def format_address(module: str | None, kind: str, name: str, key: Key) -> str:
    """An instance's address as Terraform prints it, for example `module.m.aws_eip.e["a"]`."""
    prefix = f"{module}." if module else ""
    return f"{prefix}{kind}.{name}{_format_key(key)}"


def parse_address(address: str) -> Address:
    """Return the parts of a managed instance's address, as Terraform prints it. Raises HoldfastError."""
    parts, end = list[tuple[str, str]](), 0
    while end < len(address) and (match := _PART.match(address, end)):
        parts.append((match[1], match[2] or ""))
        end = match.end()
    if end != len(address) or address.endswith(".") or len(parts) < 2 or parts[-2][1]:  # noqa: PLR2004
        raise HoldfastError(f"{address!r} is not the address of a resource instance.")
    module = ".".join(name + key for name, key in parts[:-2])
    return Address(module or None, parts[-2][0], parts[-1][0], _parse_key(parts[-1][1]))


def configuration_address(address: str) -> str:
    """The address of the block an instance comes from: no instance keys, not of modules either."""
    return _ANY_KEY.sub("", address)


def module_name(module: str) -> str:
    """The name of the outermost module of a path: `m` of `module.m["a"].module.n`."""
    return module.removeprefix("module.").partition(".")[0].partition("[")[0]


def object_type(address: str) -> str:
    """The Terraform type in an address: `aws_eip` of `module.m["a.b"].aws_eip.e[0]`."""
    return parse_address(address).kind


def escape_template(text: str) -> str:
    """`text` as a literal for a JSON configuration, where `${` and `%{` start a template."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _format_key(key: Key) -> str:
    match key:
        case None:
            return ""
        case int():
            return f"[{key}]"
        case _:
            quoted = "".join(_ESCAPES.get(letter, letter) for letter in escape_template(key))
            return f'["{quoted}"]'


def _parse_key(text: str) -> Key:
    if not text:
        return None
    if not text.startswith('["'):
        return int(text[1:-1])
    plain = _ESCAPED.sub(lambda found: _UNESCAPES.get(found[1], found[1]), text[2:-2])
    return _TEMPLATE.sub(r"\1{", plain)
