"""The outputs that cdktf makes for references between stacks: ids and names of things are no secrets.

cdktf marks every one of them sensitive, so that no plan shows which network a service is in. An output stays
sensitive where it is anything but one attribute of a resource of AWS; where the provider's schema says that
the attribute is sensitive, or its name does; and where its value comes from elsewhere, since Terraform
refuses to show what it was told is sensitive.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from holdfast_constructs._secrets import sounds_secret
from holdfast_constructs.app._configurations import Configuration

# `terraform providers schema -json` of the provider, version 5.100.0: attributes that are `sensitive`.
_TABLE = Path(__file__).parent / "sensitive_attributes.csv"
_PREFIX = "cross-stack-output-"
_REFERENCE = re.compile(
    r"\$\{(?P<kind>(?:data\.)?aws_[a-z0-9_]+)\.(?P<name>[A-Za-z0-9_-]+)\.(?P<path>[a-z0-9_.\[\]]+)\}"
)
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


def show_identities(configuration: Configuration) -> None:
    """Take the mark off the outputs in a configuration that hold no secret; all else stays, byte for byte."""
    text, document = configuration.text, configuration.document
    for name, output in document.get("output", {}).items():
        if _is_shown(name, output, document):
            begin = f"    {json.dumps(name, ensure_ascii=False)}: {{\n"
            text = text.replace(f'{begin}      "sensitive": true,\n', begin, 1)
    if text != configuration.text:
        configuration.file.write_text(text, encoding="utf-8")


def _is_shown(name: str, output: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    match = _REFERENCE.fullmatch(str(output.get("value")))
    if not name.startswith(_PREFIX) or not output.get("sensitive") or match is None:
        return False
    attributes = _WORD.findall(match["path"])
    hidden = _sensitive_attributes().get(match["kind"], frozenset())
    if any(attribute in hidden or sounds_secret(attribute) for attribute in attributes):
        return False
    return "${" not in json.dumps(_block(document, match["kind"], match["name"]).get(attributes[0]))


def _block(document: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    section = "data" if kind.startswith("data.") else "resource"
    block: Mapping[str, Any] = document.get(section, {}).get(kind.removeprefix("data."), {}).get(name, {})
    return block


@cache
def _sensitive_attributes() -> Mapping[str, frozenset[str]]:
    _, *rows = _TABLE.read_text(encoding="utf-8").splitlines()
    pairs = (row.split(",") for row in rows)
    return {kind: frozenset(names.split()) for kind, names in pairs}
