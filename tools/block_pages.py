"""Writes docs/blocks/: a page for each building block; `--check` only reports which pages are stale.

What a block is comes from its docstring, its properties from its signature, and the reasons, defaults and
controls from `holdfast_constructs.properties`.
"""

import argparse
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import holdfast_constructs
from holdfast_constructs.profiles import PROFILES
from holdfast_constructs.properties import Always, Property, Table, criteria, table_of

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "blocks"
_NOT_PROPERTIES = ("self", "scope", "id_")


def blocks() -> Iterator[str]:
    """Return the names of the public blocks that have a table, sorted."""
    return (name for name in sorted(holdfast_constructs.__all__) if table_of(name).properties)


def pages() -> Mapping[Path, str]:
    """Return the text of every page by its file."""
    return {FOLDER / f"{_file_name(name)}.md": page(name) for name in blocks()}


def page(name: str) -> str:
    """Return the page of the block `name`."""
    block, table = getattr(holdfast_constructs, name), table_of(name)
    paragraphs = [f"# {name}", inspect.getdoc(block) or "", f"```text\n{table.diagram.strip()}\n```"]
    paragraphs += ["## Properties", "\n".join(_properties(block, table))]
    if table.always:
        words = (
            "The block writes these itself. An override by cdktf's own means is named by `holdfast explain`."
        )
        paragraphs += ["## What it always writes", words, "\n".join(_always(table.always))]
    methods = "\n\n".join(_methods(block))
    paragraphs += ["## Methods", methods] if methods else []
    note = f"<!-- written by tools/block_pages.py from the code of {name}: `make schema` -->"
    return "\n\n".join([note, *paragraphs]) + "\n"


def _properties(block: type, table: Table) -> Iterator[str]:
    yield "| property | type | default | why | controls |"
    yield "|---|---|---|---|---|"
    for each in _parameters(block):
        entry = table.properties[each.name]
        shown = (f"`{each.name}`", _type(each), _default(each, entry), entry.why, ", ".join(criteria(entry)))
        yield "| " + " | ".join(_cell(text) for text in shown) + " |"


def _always(entries: tuple[Always, ...]) -> Iterator[str]:
    yield "| argument | value | why | controls |"
    yield "|---|---|---|---|"
    for each in entries:
        value = f"`{_shown(each.value)}`" + (f" (goes by {each.follows})" if each.follows else "")
        shown = (f"`{each.resource}.{each.argument}`", value, each.why, ", ".join(criteria(each)))
        yield "| " + " | ".join(_cell(text) for text in shown) + " |"


def _methods(block: type) -> Iterator[str]:
    for name, member in vars(block).items():
        function = getattr(member, "__func__", member)
        if not name.startswith("_") and inspect.isfunction(function):
            signature = re.sub(r"\b(self|cls)(, )?", "", f"{name}{inspect.signature(function)}", count=1)
            yield f"### `{_plain(signature)}`\n\n{inspect.getdoc(function)}"


def _parameters(block: type) -> Iterator[inspect.Parameter]:
    signature = inspect.signature(vars(block)["__init__"])
    return (each for each in signature.parameters.values() if each.name not in _NOT_PROPERTIES)


def _default(parameter: inspect.Parameter, entry: Property) -> str:
    if entry.per_profile is not None:
        values = {profile: _shown(entry.per_profile.of(profile)) for profile in PROFILES}
        return ", ".join(f"{profile} `{value}`" for profile, value in values.items())
    if parameter.default is parameter.empty:
        return "*required*"
    return f"`{_shown(parameter.default)}`"


def _type(parameter: inspect.Parameter) -> str:
    return f"`{_plain(inspect.formatannotation(parameter.annotation))}`"


def _plain(text: str) -> str:
    """Leave the modules out of the names of classes."""
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])", "", text).replace("'", "")


def _shown(value: Any) -> str:
    return _plain(repr(value))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _file_name(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def stale() -> list[Path]:
    """Return the pages that are not what they would be now, and those of no block."""
    wanted = pages()
    changed = [file for file, text in wanted.items() if not file.is_file() or file.read_text() != text]
    return sorted([*changed, *(set(FOLDER.glob("*.md")) - wanted.keys())])


def main() -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    if parser.parse_args().check:
        for file in stale():
            print(f"{file.name} is stale; run `make schema`", file=sys.stderr)
        return 1 if stale() else 0
    FOLDER.mkdir(exist_ok=True)
    for file in set(FOLDER.glob("*.md")) - pages().keys():
        file.unlink()
    for file, text in pages().items():
        file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
