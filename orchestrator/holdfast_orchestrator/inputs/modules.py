"""What a module reads: other modules, files, and what keeps its plan from being foretold.

The same rules as for a stack's configuration, read from the text of the module's files. Of a module that is
a folder of this machine, `capture.py` takes the files; of one that was fetched, `fetched_doubts` says what in
it may be another thing tomorrow though its version is the same.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from holdfast_orchestrator.engine.modules import module_files
from holdfast_orchestrator.inputs.expressions import FileCall, file_calls
from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_source
from holdfast_orchestrator.terraform.hcl import HclText
from holdfast_orchestrator.terraform.json_values import (
    Document,
    kinds_used,
    mapping_of,
    named,
    objects,
    texts,
)
from holdfast_orchestrator.terraform.module_calls import ModuleCall, module_calls
from holdfast_orchestrator.terraform.provider_files import FILE_ARGUMENTS, is_known
from holdfast_orchestrator.terraform.settled_data import SETTLED

# Of other states only those that the stack itself reads are compared.
_SETTLED = SETTLED - {"terraform_remote_state"}
# What runs elsewhere; any other provisioner runs or reads something on this machine.
_ELSEWHERE = frozenset({"remote-exec"})
_TYPED = ("resource", "data", "ephemeral")
_FILE_ARGUMENT = re.compile(rf"(?m)^[ \t]*(?:{'|'.join(FILE_ARGUMENTS)})[ \t]*=[ \t]*(.+)$")
_VARIABLE = re.compile(r"\bvar\.([\w-]+)")
_OTHERS = re.compile(r"\b(?:local|each|count)\.")
_CALL = re.compile(r"\b(?:file\w*|templatefile)\s*\([^()]*\)")
_INSIDE = re.compile(r'"?\$\{\s*path\.module\s*\}/?')
_BUILDS_PATH = re.compile(r"\bpath\.(?:module|root|cwd)\b|\b(?:abspath|pathexpand)\s*\(")
_TEMPLATE = re.compile(r"[$%]\{")
_PLAIN = re.compile(r"[^\x00-\x1f\"'<>|*?;,()\[\]{}$`\\]{2,1000}")
_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleText:
    """What is in a module's files.

    `calls` are those of functions that read files, `modules` those of modules. `moving` says in words what
    may be another thing tomorrow. `names` are plain texts that may be paths, `beside` paths that lead out of
    its folder. `files_from` are the variables, and `computed` the expressions, that name files which a
    provider opens. `unread` are files that cannot be read.
    """

    calls: tuple[FileCall, ...] = ()
    modules: tuple[ModuleCall, ...] = ()
    moving: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    files_from: frozenset[str] = frozenset()
    computed: tuple[str, ...] = ()
    runs_commands: bool = False
    unread: tuple[str, ...] = ()


@dataclass
class _Reader:
    """Reads the files of one module."""

    calls: list[FileCall] = field(default_factory=list)
    modules: list[ModuleCall] = field(default_factory=list)
    moving: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    literals: set[str] = field(default_factory=set)
    arguments: set[str] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)
    files_from: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)

    def file(self, file: Path) -> None:
        """Read a file; one that cannot be read is named."""
        try:
            content = read_source(file)
            if file.name.endswith(".json"):
                self._document(mapping_of(json.loads(content)))
            else:
                self._text(HclText(content.decode(errors="replace")))
        except (OSError, UnsafePlaceError, ValueError):
            self.unread.add(file.name)

    @property
    def names(self) -> set[str]:
        """The plain texts that a provider may open: those of its arguments for files, or any."""
        is_certain = all(map(is_known, self.kinds)) and not self.files_from and not self.computed
        return self.arguments & self.literals if is_certain else self.literals

    def _text(self, hcl: HclText) -> None:
        self.kinds |= {block.label for kind in _TYPED for block in hcl.blocks(kind)}
        self._data(block.label for block in hcl.blocks("data"))
        for block in hcl.blocks("provider"):
            self._provider(block.label, says_region=block.has("region"))
        calls = [
            ModuleCall(source=block.text("source") or "", version=block.text("version") or "")
            for block in hcl.blocks("module")
        ]
        self.modules += calls
        self.commands |= {block.label for block in hcl.blocks("provisioner")}
        self.calls += file_calls(hcl.text, template=False)
        without = HclText(_CALL.sub("", hcl.text))
        for text in (*without.strings, without.unquoted):
            self._paths(text)
        self._plain({*hcl.strings} - {call.source for call in calls})
        for value in _FILE_ARGUMENT.findall(hcl.code):
            self._file_argument(value)

    def _document(self, document: Document) -> None:
        self.kinds |= kinds_used(document)
        checks = (mapping_of(body) for _, body in named(document.get("check")))
        for holder in (document, *checks):
            self._data(kind for kind, _ in named(holder.get("data")))
        for name, body in named(document.get("provider")):
            self._provider(name, says_region="region" in mapping_of(body))
        calls = [call for _, call in module_calls(document)]
        self.modules += calls
        self._plain({*texts(document)} - {call.source for call in calls})
        for text in texts(document):
            self.calls += file_calls(text)
            if _TEMPLATE.search(text):
                self._paths(_CALL.sub("", text))
        self._members(document)

    def _members(self, value: object) -> None:
        """Look for provisioners and arguments that name files, wherever they are in a document."""
        if isinstance(value, list):
            for each in value:
                self._members(each)
        for body in objects(value) if isinstance(value, dict) else ():
            for name, inner in body.items():
                if name == "provisioner":
                    self.commands |= {kind for kind, _ in named(inner)}
                if name in FILE_ARGUMENTS and isinstance(inner, str):
                    self._file_argument(inner)
                self._members(inner)

    def _data(self, kinds: Iterator[str]) -> None:
        self.moving |= {f"reads {kind}, which may say something else by now" for kind in {*kinds} - _SETTLED}

    def _provider(self, name: str, *, says_region: bool) -> None:
        if not says_region:
            self.moving.add(f"configures provider {name} without a region")

    def _plain(self, strings: set[str]) -> None:
        self.literals |= {text for text in strings if ("/" in text or "." in text) and _PLAIN.fullmatch(text)}

    def _paths(self, text: str) -> None:
        """Look for paths that are built by anything but a function that reads files."""
        inside = _INSIDE.match(text)
        rest = text[inside.end() :] if inside else text
        if built := _BUILDS_PATH.search(rest):
            self.moving.add(f"builds a path with {built[0].rstrip('( ')}")
        elif inside and ".." in rest:
            self._beside(rest)

    def _beside(self, path: str) -> None:
        if _TEMPLATE.search(path):
            self.moving.add(f"builds a path: ${{path.module}}/{path[:_SHOWN]}")
        else:
            self.beside.add(path)

    def _file_argument(self, value: str) -> None:
        """Look at what a provider takes for the path of a file."""
        if _INSIDE.match(value):
            return
        self.arguments.add(value.strip().strip('"'))
        if _OTHERS.search(value) or "\\" in value:
            self.computed.add(value.strip()[:_SHOWN])
        self.files_from |= {*_VARIABLE.findall(value)}


def read_module(folder: Path) -> ModuleText:
    """Read the Terraform files of a folder. Raises OSError where it cannot be listed."""
    reader = _Reader()
    for file in module_files(folder):
        reader.file(file)
    return ModuleText(
        calls=tuple(reader.calls),
        modules=tuple(reader.modules),
        moving=tuple(sorted(reader.moving)),
        names=tuple(sorted(reader.names)),
        beside=tuple(sorted(reader.beside)),
        files_from=frozenset(reader.files_from),
        computed=tuple(sorted(reader.computed)),
        runs_commands=bool(reader.commands - _ELSEWHERE),
        unread=tuple(sorted(reader.unread)),
    )


def fetched_doubts(module: ModuleText, workdir: Path, arguments: Document | None) -> Iterator[str]:
    """Yield what a fetched module may read that its version does not decide.

    `arguments` are those it is called with; None where another module calls it.
    """
    yield from module.moving
    yield from (call.unpinned for call in module.modules if call.unpinned)
    yield from (f"has a file that cannot be read: {name}" for name in module.unread)
    if module.runs_commands:
        yield "runs commands, which may read anything"
    for call in module.calls:
        if call.path is None or not call.from_module or ".." in call.path:
            yield f"reads a file that is no part of it: {call.text}"
    yield from (f"names {path}, which is no part of it" for path in module.beside)
    yield from (f"names {name}, which is on this machine" for name in module.names if _exists(workdir, name))
    yield from (f"reads a file by a computed path: {path}" for path in module.computed)
    for name in unknown_files(module, arguments):
        yield f"reads a file by a computed path: var.{name}"


def unknown_files(module: ModuleText, arguments: Document | None) -> Iterator[str]:
    """Yield the variables that name files and are given something other than a plain text."""
    for name in sorted(module.files_from):
        given = None if arguments is None else arguments.get(name, "")
        if not isinstance(given, str) or _TEMPLATE.search(given):
            yield name


def _exists(workdir: Path, name: str) -> bool:
    try:
        return bool(name.strip("/.")) and (workdir / Path(name).expanduser()).exists()
    except (OSError, RuntimeError):
        return False
