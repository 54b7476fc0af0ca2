"""From a synthesized stack to what it reads, and a configuration that reads it on any machine.

Absolute paths into the app are written relative to the stack's folder; everything else stays as it is, byte
for byte. A path that leads out of the app is written as an absolute one: there is nothing else to read.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.inputs import NOTHING, Inputs
from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.inputs.expressions import FileCall, file_calls
from holdfast_orchestrator.inputs.modules import ModuleText, read_module, unknown_files
from holdfast_orchestrator.inputs.reach import Collected, Reach
from holdfast_orchestrator.inputs.variables import Given, variables_of
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.module_calls import module_call

_ASSET = re.compile(r"\bassets/[^\s\"'${}/]+/[^\s\"'${}/]+")
_PATH = re.compile(r"[^\x00-\x1f\"'<>|*?;,()\[\]{}$`]{2,1000}")
_WORD = re.compile(r"[^\s\"'`;&|<>()=]+")
_INTERPRETERS = frozenset({".", "bash", "node", "perl", "python", "python3", "ruby", "sh", "source"})
_TFVARS = ("terraform.tfvars", "terraform.tfvars.json")
_AUTO = (".auto.tfvars", ".auto.tfvars.json")
_CONFIGURATION = "cdk.tf.json"
# Arguments that are paths and nothing else: only there may an absolute path be written as another one.
_PATH_ARGUMENTS = frozenset({
    ("aws_lambda_function", "filename"),
    ("aws_lambda_layer_version", "filename"),
    ("aws_s3_bucket_object", "source"),
    ("aws_s3_object", "source"),
    ("archive_file", "source_dir"),
    ("archive_file", "source_file"),
    ("local_file", "source"),
    ("file", "source"),
    ("local-exec", "working_dir"),
})  # fmt: skip
_PLACE = re.compile(r"\$\{\s*path\.(?:module|root|cwd)\s*\}/")
_BUILDS_PATH = re.compile(r"\bpath\.(?:module|root|cwd)\b")
# What such a call reads is looked at by itself.
_WITHOUT_CALLS = re.compile(r"\b(?:file\w*|templatefile)\s*\([^()]*\)")
_SHOWN = 80
_OUTSIDE = re.compile(r"\b(?:var|local|each|count)\.")
_CANNOT_BE_WRITTEN = re.compile(r'["\\]|\$\{|%\{')


def capture(manifest: Manifest, project: Path, given: Given) -> Manifest:
    """Return the manifest with the inputs of each shard. Raises UsageError for a variable nobody declares."""
    shards = tuple(_captured(shard, Reach.of(project, shard.directory), given) for shard in manifest.shards)
    given.refuse_undeclared(shard.configuration for shard in shards)
    return Manifest(shards)


def _captured(shard: Shard, reach: Reach, given: Given) -> Shard:
    try:
        document = json.loads(shard.configuration)
    except ValueError:
        return shard
    if not isinstance(document, dict):
        return shard
    collected = Collected(reach)
    search = _Search(collected)
    written = search.value(document, ())
    search.assets(shard.configuration.decode(errors="replace"))
    if document.get("variable") and reach.stack.is_dir():
        search.variable_files()
    inputs = Inputs(
        files=tuple(file for _, file in sorted(collected.files.items())),
        variables=variables_of(document, given),
        absent=tuple(sorted(collected.absent)),
        doubts=tuple(sorted(collected.doubts)),
        moving=tuple(sorted(collected.moving)),
        provider_reads=collected.provider_reads,
    )
    configuration = shard.configuration
    if written != document:
        configuration = _rewritten(configuration, document, written)
    return replace(shard, configuration=configuration, inputs=NOTHING if inputs == NOTHING else inputs)


def _rewritten(configuration: bytes, before: Any, after: Any) -> bytes:
    """The configuration with other strings and, where that can be had, every other byte as it was."""
    text = configuration.decode()
    for old, new in dict(_changed(before, after)).items():
        text = text.replace(json.dumps(old, ensure_ascii=False), json.dumps(new, ensure_ascii=False))
    if json.loads(text) == after:
        return text.encode()
    return json.dumps(after, indent=2, ensure_ascii=False).encode()


def _changed(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    match before, after:
        case dict(), dict():
            for name in before:
                yield from _changed(before[name], after[name])
        case list(), list():
            for one, other in zip(before, after, strict=True):
                yield from _changed(one, other)
        case str(), str() if before != after:
            yield before, after


@dataclass
class _Search:
    """A walk over a configuration; `modules` were read already."""

    found: Collected
    modules: dict[Path, ModuleText] = field(default_factory=dict)

    def value(self, value: Any, at: tuple[str, ...]) -> Any:
        """Look into a value, and return it as it is to be written."""
        match value:
            case dict():
                if len(at) == 2 and at[0] == "module":  # noqa: PLR2004 - "module" and its name
                    return self._module_block(value, at)
                return {name: self._member(value, name, at) for name in value}
            case list():
                return [self.value(each, at) for each in value]
            case str():
                return self._text(value, at)
            case _:
                return value

    def _member(self, body: Mapping[str, Any], name: str, at: tuple[str, ...]) -> Any:
        # A comment of cdktf's.
        return body[name] if name == "//" else self.value(body[name], (*at, name))

    def _module_block(self, body: Mapping[str, Any], at: tuple[str, ...]) -> Mapping[str, Any]:
        call = module_call(body)
        if call.unpinned:
            self.found.moving.add(f"it {call.unpinned}")
        return {
            name: self._module(call.source, self.found.reach.stack, body)
            if name == "source" and call.is_local
            else self._member(body, name, at)
            for name in body
        }

    def _text(self, text: str, at: tuple[str, ...]) -> str:
        if at[-2:] == ("local-exec", "command"):
            self._command(text)
        is_path = at[-2:] in _PATH_ARGUMENTS or _argument(at) in _PATH_ARGUMENTS
        if "${" in text or "%{" in text:
            return self._template(text, is_path=is_path)
        if ("/" in text or "." in text) and _PATH.fullmatch(text):
            return self._path(text, is_path=is_path)
        return text

    def _path(self, text: str, *, is_path: bool) -> str:
        """A text that may be a path, or, where `is_path`, is nothing else."""
        reach = self.found.reach
        place = reach.resolved(text)
        if not place.exists() or place == reach.stack or place.name == _CONFIGURATION or not text.strip("/."):
            if is_path:
                self.found.absent.add(text)
            return text
        path = reach.relative(place)
        if path is None and not is_path:
            self.found.moving.add(f"it names {text}, which lies on this machine")
            return text
        if text.startswith(("/", "~")) and not is_path:
            self._take_in_place(place)
            return text
        self.found.provider_reads = True
        return self._taken(text, place)

    def _take_in_place(self, place: Path) -> None:
        """Take the fingerprint of what an absolute path names: how it is used is not known."""
        own = Collected(self.found.reach)
        if not own.take(place, str(place)):
            self.found.moving.add(f"it names {place}, which lies on this machine")
        for file in own.files.values():
            absolute = str(file.source)
            self.found.files[absolute] = replace(file, path=absolute, kept=False)

    def _taken(self, text: str, place: Path) -> str:
        """Take what lies at a place, and return the path by which it is read."""
        relative = self.found.reach.relative(place)
        path = str(place) if relative is None else relative
        if not self.found.take(place, path) and place.is_dir():
            self.found.doubts.add(f"{text} is a folder that holds the app itself")
            path = str(place)
        if path.startswith("/"):
            return path
        return text if _leads_to(text, path) else _dotted(text, path)

    def _template(self, text: str, *, is_path: bool) -> str:
        calls = [*file_calls(text)]
        place = _PLACE.match(text)
        rest = text[place.end() :] if place else text
        if place and _PATH.fullmatch(rest):
            self._path(rest, is_path=True)
        elif _BUILDS_PATH.search(_WITHOUT_CALLS.sub("", text)):
            self.found.moving.add(f"it builds a path: {text[:_SHOWN]}")
        elif is_path and not calls and _OUTSIDE.search(rest):
            self.found.doubts.add(f"it reads a file by a computed path: {text}")
        for call in reversed(calls):
            new = self._call(call, self.found.reach.stack)
            if new is not None and text[call.start : call.end] != new and call.end > call.start:
                text = text[: call.start] + new + text[call.end :]
        return text

    def _call(self, call: FileCall, module: Path) -> str | None:
        """Take what a function reads; return its path as it is to be written, None where it stays."""
        reach = self.found.reach
        if call.path is None:
            self.found.doubts.add(f"it reads a file by a computed path: {call.text}")
            return None
        place = reach.resolved(call.path, base=module if call.from_module else None)
        if not call.whole:
            self._computed(call, place)
            return None
        if call.function == "fileset" and place == reach.stack:
            self.found.doubts.add(f"it reads the stack's own folder: {call.text}")
            return None
        if not place.exists():
            self.found.absent.add(call.path)
            return None
        return self._read(call, call.path, place)

    def _read(self, call: FileCall, given: str, place: Path) -> str | None:
        path = self._taken(given, place)
        if call.function == "templatefile" and place.is_file():
            self._templates_own(place)
        if (call.from_module and not path.startswith("/")) or _leads_to(given, path):
            return None
        if _CANNOT_BE_WRITTEN.search(path):
            self.found.doubts.add(f"it reads a file whose path cannot be written: {call.text}")
            return None
        return path

    def _computed(self, call: FileCall, folder: Path) -> None:
        """Of a computed path the folder is known: all of it is taken, if it is the app's and not too much."""
        reach = self.found.reach
        inside = folder.is_dir() and reach.relative(folder) is not None and not reach.holds_the_app(folder)
        if inside and call.path is not None and not call.path.startswith("/"):
            self.found.take(folder, reach.relative(folder) or "")
        else:
            self.found.doubts.add(f"it reads a file by a computed path: {call.text}")

    def _templates_own(self, place: Path) -> None:
        for call in file_calls(read_source(place).decode(errors="replace")):
            if self._call(call, self.found.reach.stack) not in (None, call.path):
                self.found.doubts.add(f"{place.name} names a file by its place on this machine: {call.text}")

    def _module(self, source: str, base: Path, arguments: Document | None) -> str:
        """Take a module, all of its folder; `arguments` are those the stack itself calls it with."""
        place = self.found.reach.resolved(source.split("?", maxsplit=1)[0].replace("//", "/"), base=base)
        if not place.is_dir():
            self.found.absent.add(source)
            return source
        path = self._taken(source, place)
        if place not in self.modules:
            self.modules[place] = self._opened(place, path)
            self._inside(place, path)
        for name in unknown_files(self.modules[place], arguments):
            self.found.doubts.add(f"its module {path} reads a file by a computed path: var.{name}")
        return path

    def _opened(self, place: Path, path: str) -> ModuleText:
        try:
            return read_module(place)
        except OSError:
            self.found.doubts.add(f"its module {path} cannot be read")
            return ModuleText()

    def _inside(self, place: Path, path: str) -> None:
        module = self.modules[place]
        for call in module.modules:
            if call.is_local:
                self._module(call.source, place, None)
            elif call.unpinned:
                self.found.moving.add(f"its module {path} {call.unpinned}")
        self.found.moving |= {f"its module {path} {sentence}" for sentence in module.moving}
        self.found.doubts |= {f"its module {path} {sentence}" for sentence in _unsure(module)}
        for name in module.names:
            self._path(name, is_path=False)
        for name in module.beside:
            self._beside(name, place)
        for each in module.calls:
            new = self._call(each, place)
            if new not in (None, each.path):
                self.found.doubts.add(
                    f"its module {path} names a file by its place on this machine: {each.text}"
                )

    def _beside(self, name: str, module: Path) -> None:
        """Take what a module reaches by a path from its own folder to another one."""
        place = self.found.reach.resolved(name, base=module)
        if place.exists():
            self._taken(name, place)
        else:
            self.found.absent.add(name)

    def _command(self, command: str) -> None:
        """Take the files that the words of a command name, but for what it writes to."""
        before = ""
        for match in _WORD.finditer(command):
            word, between = match[0], command[: match.start()].rstrip()
            if "/" in word and not between.endswith(">"):
                self._word(word, is_run=_is_run(before, between))
            before = word

    def _word(self, word: str, *, is_run: bool) -> None:
        if "$" in word:
            if word.startswith(("./", "../")):
                self.found.doubts.add(f"a command names a computed path: {word}")
            return
        place = self.found.reach.resolved(word)
        path = self.found.reach.relative(place) if place.is_file() else None
        if path is None:
            # Nothing, or a program of this machine, as `sh` is one.
            return
        if not word.startswith(("/", "~")):
            self.found.take(place, path)
        elif is_run:
            self._take_in_place(place)
        else:
            self.found.doubts.add(f"a command names {word}, which it may read or write")

    def assets(self, configuration: str) -> None:
        """Take the assets that the configuration names, whole."""
        for name in sorted(set(_ASSET.findall(configuration))):
            place = self.found.reach.stack / name
            if place.exists() and self.found.take(place, name):
                self.found.provider_reads = True

    def variable_files(self) -> None:
        """Take the files of values that Terraform reads by itself."""
        for file in sorted(self.found.reach.stack.iterdir()):
            if file.name in _TFVARS or file.name.endswith(_AUTO):
                self.found.take(file, file.name)


def _unsure(module: ModuleText) -> Iterator[str]:
    """Yield what a module may read that is in no folder of it."""
    if module.runs_commands:
        yield "runs commands, which may read anything"
    yield from (f"reads a file by a computed path: {path}" for path in module.computed)
    yield from (f"has a file that cannot be read: {name}" for name in module.unread)


def _is_run(before: str, between: str) -> bool:
    """Whether a word of a command is a program or a script, by the word before it."""
    return not between or between.endswith((";", "&", "|", "(", "`")) or Path(before).name in _INTERPRETERS


def _argument(at: tuple[str, ...]) -> tuple[str, str]:
    """The type and the argument that a value is in: `resource.TYPE.NAME.ARGUMENT`."""
    return (at[1], at[3]) if len(at) == 4 and at[0] in ("resource", "data") else ("", "")  # noqa: PLR2004


def _leads_to(given: str, path: str) -> bool:
    """Whether a relative path is `path` already, whatever its dots."""
    return not given.startswith(("/", "~")) and os.path.normpath(given) == os.path.normpath(path)


def _dotted(text: str, path: str) -> str:
    """A module's source must begin with a dot, and what began with one goes on doing so."""
    return path if path.startswith("../") or not text.startswith(("./", "/")) else f"./{path}"
