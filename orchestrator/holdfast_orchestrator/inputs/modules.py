"""What a local module reads: other modules, files, and what keeps its plan from being foretold."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.inputs.expressions import FileCall, file_calls
from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_source
from holdfast_orchestrator.terraform.settled_data import SETTLED
from holdfast_orchestrator.terraform.templates import block_end

_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|(?:#|//)[^\n]*|/\*.*?\*/', re.DOTALL)
_MODULE = re.compile(r'(?m)^\s*module\s+"?([\w-]+)"?\s*\{')
_SOURCE = re.compile(r'(?m)^\s*source\s*=\s*"([^"\n]+)"')
_DATA = re.compile(r'(?m)^\s*data\s+"?([\w-]+)"?\s+"')
_RUNS = re.compile(r'(?m)^\s*provisioner\s+"?(?:local-exec|file)"?\s*\{')
_LOCAL = ("./", "../", "/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleText:
    """What is in a module's files. `calls` are those of functions that read files."""

    calls: tuple[FileCall, ...]
    local: tuple[str, ...]
    remote: tuple[str, ...]
    data: tuple[str, ...]
    runs_commands: bool


def is_local(source: str) -> bool:
    """Whether a module's source is a folder of this machine."""
    return source.startswith(_LOCAL)


def read_module(folder: Path) -> ModuleText:
    """Read the Terraform files of a folder."""
    texts = [_text(file) for file in sorted(folder.iterdir()) if file.name.endswith((".tf", ".tf.json"))]
    sources = [source for text in texts for source in _sources(text)]
    return ModuleText(
        calls=tuple(call for text in texts for call in file_calls(text, template=False)),
        local=tuple(source for source in sources if is_local(source)),
        remote=tuple(source for source in sources if not is_local(source)),
        data=tuple(sorted({kind for text in texts for kind in _DATA.findall(text)} - SETTLED)),
        runs_commands=any(_RUNS.search(text) for text in texts),
    )


def _text(file: Path) -> str:
    try:
        text = read_source(file).decode(errors="replace")
    except (OSError, UnsafePlaceError):
        return ""
    if file.name.endswith(".json"):
        # Its blocks are looked for as if they were written the other way.
        return text.replace('\\"', '"')
    return _COMMENT.sub(lambda match: match[1] or "", text)


def _sources(text: str) -> Iterator[str]:
    """The sources of the module blocks: `source` is also an argument of other things."""
    if text.lstrip().startswith("{"):
        yield from re.findall(r'"source"\s*:\s*"(\.{1,2}/[^"]*)"', text)
        return
    for block in _MODULE.finditer(text):
        body = text[block.end() : block_end(text, block.end())]
        if source := _SOURCE.search(body):
            yield source[1]
