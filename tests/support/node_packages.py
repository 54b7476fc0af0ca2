"""cdktf for apps in TypeScript, without a download: its Python packages hold the JavaScript."""

import tarfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path


def unpack(package: str, target: Path, keep: Callable[[str], bool] = lambda name: name != ".jsii") -> None:
    """Unpack the JavaScript that a Python package of jsii's holds, without importing it."""
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    (archive,) = (Path(found.origin).parent / "_jsii").glob("*.tgz")
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.removeprefix("package/")
            content = tar.extractfile(member) if member.isfile() and keep(name) else None
            if content is not None:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(content.read())


def node_modules(folder: Path, *used: str) -> None:
    """Write cdktf, and the submodules in use of the AWS bindings, where any are."""
    unpack("constructs", folder / "constructs")
    unpack("cdktf", folder / "cdktf")
    if used:
        unpack(
            "cdktf_cdktf_provider_aws",
            folder / "@cdktf" / "provider-aws",
            lambda name: name == "package.json" or name.startswith(tuple(f"lib/{each}/" for each in used)),
        )
