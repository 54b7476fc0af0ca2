import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from holdfast_constructs._bindings import pruning

PACKAGE = "@acme/provider-cloud"
MODULE = b'"use strict";\nconst cdktf = require("cdktf");\nexports.it = 1;\n//# sourceMappingURL=data:abc'


def _type(submodule: str, name: str, **more: Any) -> dict[str, Any]:
    fqn = f"{PACKAGE}.{submodule}.{name}"
    docs = {"summary": 'Tricky: "}\n    },\n  }," and\n  "types": {\n.'}
    return {fqn: {"fqn": fqn, "kind": "class", "docs": docs, **more}}


def _assembly() -> dict[str, Any]:
    refers = {"properties": [{"name": "peer", "type": {"fqn": f"{PACKAGE}.peer.Peer"}}]}
    return {
        "author": {"name": "Acme"},
        "name": PACKAGE,
        "submodules": {
            f"{PACKAGE}.{name}": {"symbolId": f"src/{directory}/index:", "readme": {"markdown": "long"}}
            for name, directory in (
                ("bigNet", "big-net"),
                ("peer", "peer"),
                ("other", "other"),
                ("user", "user"),
            )
        },
        "types": _type("bigNet", "BigNet")
        | _type("bigNet", "BigNetConfig")
        | _type("peer", "Peer")
        | _type("other", "Other")
        | _type("user", "User", **refers),
        "version": "1.2.3",
    }


def _files() -> dict[str, bytes]:
    return {
        "package/.jsii": json.dumps(_assembly(), indent=2).encode(),
        "package/LICENSE": b"Do what you like.",
        "package/lib/big-net/index.d.ts": b"export class BigNet {}",
        "package/lib/big-net/index.js": MODULE,
        "package/lib/index.js": b'exports.bigNet = require("./big-net");',
        "package/lib/other/index.js": MODULE,
        "package/lib/peer/index.js": MODULE,
        "package/lib/user/index.js": b'const structs = require("./index-structs");',
        "package/lib/user/index-structs/index.js": MODULE,
        "package/package.json": json.dumps({"name": PACKAGE, "main": "lib/index.js"}).encode(),
    }


def _packed(folder: Path, files: dict[str, bytes]) -> Path:
    tarball = folder / "package.tgz"
    with tarfile.open(tarball, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return tarball


def _unpacked(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def test_a_copy_has_the_types_and_the_javascript_of_the_wanted_submodules_only(tmp_path: Path) -> None:
    tarball = _packed(tmp_path, _files())

    copy = _unpacked(pruning.pruned(tarball, frozenset({"bigNet"})))

    assembly = json.loads(copy["package/.jsii"])
    assert list(assembly["types"]) == [f"{PACKAGE}.bigNet.BigNet", f"{PACKAGE}.bigNet.BigNetConfig"]
    assert list(assembly["submodules"]) == [f"{PACKAGE}.bigNet"]
    assert sorted(copy) == [
        "package/.jsii",
        "package/LICENSE",
        "package/lib/big-net/index.js",
        "package/lib/index.js",
        "package/package.json",
    ]


def test_a_copy_keeps_everything_but_prose_and_source_maps(tmp_path: Path) -> None:
    tarball = _packed(tmp_path, _files())

    copy = _unpacked(pruning.pruned(tarball, frozenset({"peer"})))

    assembly = json.loads(copy["package/.jsii"])
    fqn = f"{PACKAGE}.peer.Peer"
    assert assembly["types"] == {fqn: {"fqn": fqn, "kind": "class"}}
    assert (assembly["author"], assembly["name"], assembly["version"]) == ({"name": "Acme"}, PACKAGE, "1.2.3")
    assert copy["package/lib/peer/index.js"] == MODULE.rpartition(b"\n")[0]
    assert copy["package/LICENSE"] == b"Do what you like."


def test_the_entry_point_knows_the_directory_of_each_submodule(tmp_path: Path) -> None:
    tarball = _packed(tmp_path, _files())

    copy = _unpacked(pruning.pruned(tarball, frozenset({"bigNet"})))

    entry_point = copy["package/lib/index.js"].decode()
    assert 'directories = {"bigNet": "./big-net"};' in entry_point
    assert 'path.resolve(__dirname, "..", "..", "..", "@holdfast")' in entry_point


def test_a_type_of_another_submodule_brings_that_submodule_along(tmp_path: Path) -> None:
    tarball = _packed(tmp_path, _files())

    copy = _unpacked(pruning.pruned(tarball, frozenset({"user"})))

    assert f"{PACKAGE}.peer.Peer" in json.loads(copy["package/.jsii"])["types"]
    assert "package/lib/peer/index.js" in copy
    assert "package/lib/user/index-structs/index.js" in copy
    assert "package/lib/other/index.js" not in copy


def test_a_module_that_javascript_requires_brings_its_submodule_along(tmp_path: Path) -> None:
    files = _files() | {"package/lib/peer/index.js": b'const other = require("../other");'}
    tarball = _packed(tmp_path, files)

    copy = _unpacked(pruning.pruned(tarball, frozenset({"peer"})))

    assert "package/lib/other/index.js" in copy


def test_it_makes_no_difference_where_the_types_stand(tmp_path: Path) -> None:
    assembly = _assembly()
    last = {name: value for name, value in assembly.items() if name != "types"} | {"types": assembly["types"]}
    files = _files() | {"package/.jsii": json.dumps(last, indent=2).encode()}

    copy = _unpacked(pruning.pruned(_packed(tmp_path, files), frozenset({"peer"})))

    assert list(json.loads(copy["package/.jsii"])["types"]) == [f"{PACKAGE}.peer.Peer"]


def test_where_the_stream_is_cut_into_blocks_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = _packed(tmp_path, _files())
    at_once = pruning.pruned(tarball, frozenset({"bigNet", "user"}))

    monkeypatch.setattr(pruning, "_BLOCK", 5)
    in_blocks = pruning.pruned(tarball, frozenset({"bigNet", "user"}))

    assert in_blocks == at_once


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package/.jsii", json.dumps(_assembly()).encode()),
        ("package/.jsii", json.dumps(_assembly(), indent=2).encode()[:-400]),
        ("package/.jsii", json.dumps(_assembly() | {"submodules": {}}, indent=2).encode()),
        ("package/.jsii", json.dumps(_assembly() | {"types": {f"{PACKAGE}.Root": {}}}, indent=2).encode()),
        ("package/package.json", b'{"main": "dist/main.js"}'),
        ("package/lib/user/index-structs/index.js", b'require("../../shared");'),
    ],
    ids=[
        "not indented",
        "cut off",
        "no submodules",
        "types at the root",
        "another entry point",
        "shared code",
    ],
)
def test_a_package_with_another_layout_is_said_to_be_unprunable(
    tmp_path: Path, name: str, content: bytes
) -> None:
    tarball = _packed(tmp_path, _files() | {name: content})

    with pytest.raises(pruning.Unprunable):
        pruning.pruned(tarball, frozenset({"user"}))


def test_a_submodule_that_the_package_lacks_makes_it_unprunable(tmp_path: Path) -> None:
    tarball = _packed(tmp_path, _files())

    with pytest.raises(pruning.Unprunable, match="fromTheFuture"):
        pruning.pruned(tarball, frozenset({"fromTheFuture"}))


def test_a_damaged_package_is_unprunable(tmp_path: Path) -> None:
    tarball = _packed(tmp_path, _files())
    tarball.write_bytes(gzip.compress(b"no tar file at all"))

    with pytest.raises(pruning.Unprunable):
        pruning.pruned(tarball, frozenset({"peer"}))
