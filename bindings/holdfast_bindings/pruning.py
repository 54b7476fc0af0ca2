"""A copy of a jsii package with some of its submodules: the same files, minus what belongs to the others.

A package is a gzipped tar file. Its `.jsii` describes the types: JSON of 120 MB for the AWS bindings, four
million lines. It is read as a stream and cut at the lines that end a type, so that only the types that are
wanted are ever parsed; JSON strings hold no raw line breaks, which makes the cut safe. The JavaScript of a
submodule lies in a directory of its own below `lib/`, or below `providers/<name>/` where `cdktf get` made it.

Where a package is not laid out like this, `Unprunable` is raised and the whole package has to do.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import posixpath
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

FORMAT = 2
"""Part of every cache key: to be raised when the copies that are written change."""

_BLOCK = 1 << 20
_TYPES = b'\n  "types": {\n'
_END_OF_TYPE = b"\n    },\n"
_END_OF_LAST_TYPE = b"\n    }\n  }"
_NOT_NEEDED = frozenset({"docs", "locationInModule", "readme"})  # jsii's own index leaves them out, too
_REQUIRE = re.compile(rb'\brequire\("(\.[^"]*)"\)')
_SOURCE_MAP = re.compile(rb"\n//# sourceMappingURL=[^\n]*")
_ENTRY_POINT = Path(__file__).parent / "index.js"


class Unprunable(Exception):  # noqa: N818 - no failure: the whole package is used instead
    """The package is not laid out as expected."""


@dataclass(frozen=True)
class _Assembly:
    content: dict[str, Any]
    base: str  # the directory that all its submodules lie in
    directories: dict[str, str]  # of every submodule of the package, below the base
    references: frozenset[str]  # the submodules that the wanted types refer to


def pruned(tarball: Path, submodules: frozenset[str]) -> bytes:
    """The package with these submodules and all that they refer to, as a gzipped tar file.

    The same arguments give the same bytes.

    Args:
        tarball: the whole package.
        submodules: their jsii names, such as `dataAwsCallerIdentity`.

    Raises:
        Unprunable: the package is not laid out as expected, or lacks one of the submodules.
        OSError: the package cannot be read.
    """
    try:
        while True:
            files, references = _read(tarball, submodules)
            if references <= submodules:
                return _pack(files)
            submodules |= references
    except (tarfile.TarError, zlib.error, EOFError, ValueError, KeyError) as error:
        raise Unprunable(f"{tarball.name}: {error!r}") from error


def _read(tarball: Path, wanted: frozenset[str]) -> tuple[dict[str, bytes], frozenset[str]]:
    files: dict[str, bytes] = {}
    with gzip.open(tarball) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
        assembly = _read_assembly(tar, wanted)
        kept = {assembly.directories[submodule] for submodule in wanted}
        for member in tar:
            if _is_kept(member.name, f"package/{assembly.base}/", kept):
                content = tar.extractfile(member)
                files[member.name] = b"" if content is None else content.read()
    files = {name: _SOURCE_MAP.sub(b"", content) for name, content in files.items()}
    files["package/package.json"] = _description(files["package/package.json"], assembly.base)
    _check(files, assembly.base, kept)
    references = assembly.references | _required_submodules(files, assembly)
    files["package/.jsii"] = json.dumps(assembly.content, separators=(",", ":")).encode()
    files[f"package/{assembly.base}/index.js"] = _entry_point(assembly, wanted)
    return files, references


def _is_kept(name: str, base: str, directories: set[str]) -> bool:
    if not name.startswith(base):
        return name != "package/.jsii"
    return name.endswith(".js") and name[len(base) :].partition("/")[0] in directories


def _description(content: bytes, base: str) -> bytes:
    """package.json without `exports`, which may name an entry point that the copy does not have."""
    description = json.loads(content)
    if description.get("main") != f"{base}/index.js":
        raise Unprunable(f"its entry point is not {base}/index.js")
    if description.pop("exports", None) is None:
        return content
    return json.dumps(description, indent=2).encode()


def _check(files: Mapping[str, bytes], base: str, directories: Iterable[str]) -> None:
    for directory in directories:
        if f"package/{base}/{directory}/index.js" not in files:
            raise Unprunable(f"{base}/{directory}/index.js is missing")


def _read_assembly(tar: tarfile.TarFile, wanted: frozenset[str]) -> _Assembly:
    for member in tar:
        content = tar.extractfile(member)
        if content is not None and member.name == "package/.jsii":
            return _parse_assembly(_sections(content), wanted)
    raise Unprunable("it has no .jsii")


def _parse_assembly(sections: Iterable[tuple[str, bytes]], wanted: frozenset[str]) -> _Assembly:
    types: dict[str, Any] = {}
    references: set[str] = set()
    frame = b""
    for kind, text in sections:
        if kind == "frame":
            frame += text
            continue
        fqn = text[text.index(b'"') + 1 : text.index(b'": {')].decode()
        package, submodule, _ = fqn.split(".", 2)  # a type of the package's root fails here: unprunable
        if submodule in wanted:
            types[fqn] = json.loads(text[text.index(b"{") :] + b"}", object_pairs_hook=_slim)
            references.update(re.findall(rf'"{re.escape(package)}\.(\w+)\.', text.decode()))
    content = json.loads(frame, object_pairs_hook=_slim)
    submodules = {name.partition(".")[2]: about for name, about in content["submodules"].items()}
    places = {name: _place(about["symbolId"]) for name, about in submodules.items()}
    bases = sorted({base for base, _ in places.values()})
    if len(bases) != 1:
        raise Unprunable(f"its submodules lie in {bases}")
    content["submodules"] = {
        name: about for name, about in content["submodules"].items() if name.partition(".")[2] in wanted
    }
    content["types"] = types
    directories = {name: directory for name, (_, directory) in places.items()}
    return _Assembly(content, bases[0], directories, frozenset(references))


def _sections(content: IO[bytes]) -> Iterator[tuple[Literal["frame", "type"], bytes]]:
    """The JSON around the types in two pieces, and between them each type without its closing brace."""
    text = _read_until(_TYPES, content, b"")
    head, _, text = text.partition(_TYPES)
    yield "frame", head + b'\n  "types": {}'
    while _END_OF_LAST_TYPE not in text:
        *types, text = text.split(_END_OF_TYPE)
        yield from (("type", each) for each in types)
        text = _more(content, text)
    last, _, tail = text.partition(_END_OF_LAST_TYPE)
    yield from (("type", each) for each in last.split(_END_OF_TYPE))
    yield "frame", tail + content.read()


def _read_until(mark: bytes, content: IO[bytes], text: bytes) -> bytes:
    while mark not in text:
        text = _more(content, text)
    return text


def _more(content: IO[bytes], text: bytes) -> bytes:
    block = content.read(_BLOCK)
    if not block:
        raise Unprunable("its .jsii is not indented as expected")
    return text + block


def _slim(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if name not in _NOT_NEEDED}


def _place(symbol_id: str) -> tuple[str, str]:
    """`lib`, `vpc` for `src/vpc/index:`: the sources are laid out as the JavaScript is."""
    match = re.fullmatch(r"(src|lib|providers/[\w-]+)/([\w-]+)/index:", symbol_id)
    if match is None:
        raise Unprunable(f"a submodule lies at {symbol_id}")
    return "lib" if match[1] == "src" else match[1], match[2]


def _required_submodules(files: Mapping[str, bytes], assembly: _Assembly) -> set[str]:
    owners = {directory: submodule for submodule, directory in assembly.directories.items()}
    base = f"package/{assembly.base}/"
    required = set()
    for name, content in files.items():
        for target in _REQUIRE.findall(content) if name.startswith(base) else ():
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target.decode()))
            if not path.startswith(base):
                raise Unprunable(f"{name} requires {path}")
            required.add(owners[path[len(base) :].partition("/")[0]])
    return required


def later_copies(package: str) -> str:
    """What the names of the later copies of a package begin with, and of no other package's."""
    return f"late-{hashlib.sha256(package.encode()).hexdigest()[:12]}-"


def _entry_point(assembly: _Assembly, wanted: Iterable[str]) -> bytes:
    """index.js with this copy's submodules, and the way from its directory up to node_modules."""
    package = assembly.content["name"]
    upwards = [".." for _ in (*assembly.base.split("/"), *package.split("/"))]
    paths = {submodule: f"./{assembly.directories[submodule]}" for submodule in sorted(wanted)}
    return (
        _ENTRY_POINT.read_text(encoding="utf-8")
        .replace("/* submodule: its directory */ {}", json.dumps(paths))
        .replace('/* what their names begin with */ ""', json.dumps(later_copies(package)))
        .replace("...PACKAGE_DEPTH", json.dumps(upwards).strip("[]"))
        .encode()
    )


def _pack(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            tar.addfile(member, io.BytesIO(files[name]))
    return packed.getvalue()
