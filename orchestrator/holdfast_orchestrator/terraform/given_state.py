"""A state that somebody hands over: is it one, is it whole, does it belong to this stack? Pure.

Nothing is guessed: what is not a state that Terraform would honour as it is, is refused in one sentence that
says what it is instead.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.terraform.addresses import module_name
from holdfast_orchestrator.terraform.json_values import as_list, blocks, managed, objects
from holdfast_orchestrator.terraform.state_file import STATE_FORMAT, Condition, StateObject, read_state

_PULL = "pull it anew: terraform state pull > state.tfstate"
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_HIGHEST_SERIAL = 2**64 - 1
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"


def given_state(source: str, content: bytes) -> StateObject:
    """Return the bytes as a state that manages something. Raises UsageError with what they are instead."""
    _refuse_encoding(source, content)
    state = read_state(source, content)
    if state.condition is not Condition.WHOLE or state.document is None:
        what, next_step = _instead(content)
        raise UsageError(f"{source} is no state that can be adopted: {what}", next_step=next_step)
    if "/" in state.lineage or not 0 <= state.serial <= _HIGHEST_SERIAL:
        raise UsageError(
            f"{source} is no state that can be adopted: its lineage is {state.lineage!r}, its serial "
            f"{state.serial}",
            next_step=_PULL,
        )
    if next(managed(state.document), None) is None:
        raise UsageError(
            f"{source} manages nothing (serial {state.serial}), so there is nothing to adopt",
            next_step="holdfast plan: what the app has is made by the next deploy",
        )
    _refuse_twice(source, state.document)
    return state


def _refuse_encoding(source: str, content: bytes) -> None:
    """Raise UsageError for JSON that Python reads and Terraform does not: PowerShell's `>` writes such."""
    if content.startswith(_BYTE_ORDER_MARKS) or b"\0" in content[:4]:
        raise UsageError(
            f"{source} is no state that can be adopted: it is not UTF-8 without a byte order mark, which is "
            "all that Terraform reads",
            next_step='pull it anew; in PowerShell: cmd /c "terraform state pull > state.tfstate"',
        )


def _refuse_twice(source: str, document: Mapping[str, Any]) -> None:
    """Raise UsageError where one object is in the state twice: Terraform would refuse it from then on."""
    count = Counter((address, instance.get("deposed")) for address, _, instance in managed(document))
    (address, _), times = count.most_common(1)[0]
    if times > 1:
        raise UsageError(f"{source} is no state that can be adopted: it has {address} twice", next_step=_PULL)


def fitting(state: Mapping[str, Any], configuration: Mapping[str, Any]) -> int:
    """Return how many objects of a state have an address that a configuration declares or moves."""
    declared = {f"{kind}.{name}" for kind, name, _ in blocks(configuration, "resource")}
    modules = {name for group in as_list(configuration.get("module")) for name in group}
    moved = tuple(_moved_from(configuration))
    return sum(
        _root(resource) in declared | modules or address.startswith(moved)
        for address, resource, _ in managed(state)
    )


def _root(resource: Mapping[str, Any]) -> str:
    """The address in the root module: of the resource, or the name of the module that it lies in."""
    module = resource.get("module")
    if isinstance(module, str) and module:
        return module_name(module)
    return f"{resource['type']}.{resource['name']}"


def _moved_from(configuration: Mapping[str, Any]) -> Iterator[str]:
    for block in objects(configuration.get("moved")):
        if isinstance(block.get("from"), str):
            yield block["from"]


def _instead(content: bytes) -> tuple[str, str]:
    """What bytes are that are no whole state of format 4, and what to do."""
    if not content.strip():
        return "it is empty", f"the place it was pulled from may have no state; otherwise {_PULL}"
    if content.startswith((_ZIP, _GZIP)):
        return "it is an archive", f"unpack it, or {_PULL}"
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        begun = content.lstrip()[:1] == b"{"
        why = f"it is cut off or damaged ({error})" if begun else "it is not JSON"
        return why, _PULL
    if not isinstance(document, dict):
        return "it is JSON, but not an object", _PULL
    return _other_document(document)


def _other_document(document: Mapping[str, Any]) -> tuple[str, str]:
    version = document.get("version")
    if "encrypted_data" in document:
        return "OpenTofu encrypted it", "pull it where its key is at hand: tofu state pull > state.tfstate"
    if "format_version" in document:
        return "it is what `terraform show -json` prints, of a plan or a state", _PULL
    if isinstance(version, int) and version != STATE_FORMAT:
        return (
            f"its format is {version}, not {STATE_FORMAT}",
            "let a newer Terraform write it: terraform apply -refresh-only, then terraform state pull",
        )
    if version != STATE_FORMAT:
        return "it is JSON, but no state", _PULL
    missing = [name for name in ("lineage", "serial", "resources") if document.get(name) in (None, "")]
    return (f"it lacks {', '.join(missing)}" if missing else "its resources are damaged"), _PULL
