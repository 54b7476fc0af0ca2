"""Bindings of AWS that are made of a few submodules: laid out as the real ones, and loaded in a second."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from holdfast_bindings import pruning

PACKAGE = "cdktf_cdktf_provider_aws"
Files = dict[str, bytes]


def write_bindings(
    target: Path,
    submodules: Mapping[str, str],
    *,
    version: str = "20.99.0",
    indent: int | None = 2,
    root: str = "",
    change: Callable[[Files], Files] = dict,
) -> None:
    """Write the package into the folder `target`.

    `submodules` are Python's and jsii's names of what it is made of. `indent` is that of its `.jsii`; None
    makes it one that cannot be pruned. `root` is the code of its root; `change` gets the files of its
    tarball, by name, and returns those to write.
    """
    spec = find_spec(f"{PACKAGE}._jsii")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).parent
    (tarball,) = source.glob("*.tgz")
    (target / "_jsii").mkdir(parents=True)
    (target / "__init__.py").write_text(root)
    jsii_module = (source / "__init__.py").read_text()
    (target / "_jsii" / "__init__.py").write_text(jsii_module.replace("20.1.0", version))
    for submodule in submodules:
        (target / submodule).symlink_to(source.parent / submodule)
    files = dict(_pruned(tarball, frozenset(submodules.values())))
    for name in ("package/.jsii", "package/package.json"):
        files[name] = _json(files[name], indent, version=version)
    _write(target / "_jsii" / f"provider-aws@{version}.jsii.tgz", change(files))


def as_cdktf_get_writes_them(files: Files) -> Files:
    """Move what `lib/` holds to `providers/aws/`, with the entry point that `cdktf get` names."""
    moved = {name.replace("package/lib/", "package/providers/aws/"): data for name, data in files.items()}
    description = {"main": "providers/aws/index.js", "exports": {".": "./lazy-index.js"}}
    moved["package/package.json"] = _json(files["package/package.json"], 2, **description)
    moved["package/.jsii"] = files["package/.jsii"].replace(b'"src/', b'"providers/aws/')
    entry = files["package/lib/index.js"].replace(b'["..",', b'["..", "..",')
    moved["package/providers/aws/index.js"] = entry
    moved["package/lazy-index.js"] = b"module.exports = require('./providers/aws');"
    return moved


def _json(content: bytes, indent: int | None, **fields: Any) -> bytes:
    return json.dumps(json.loads(content) | fields, indent=indent).encode()


@cache
def _pruned(tarball: Path, submodules: frozenset[str]) -> Mapping[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(pruning.pruned(tarball, submodules))) as members:
        files = {member.name: members.extractfile(member) for member in members}
        return {name: file.read() for name, file in files.items() if file is not None}


def _write(target: Path, files: Files) -> None:
    with tarfile.open(target, "w:gz") as tarball:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tarball.addfile(member, io.BytesIO(data))
