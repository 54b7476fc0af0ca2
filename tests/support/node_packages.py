"""cdktf for apps in TypeScript, without a download: its Python packages hold the JavaScript."""

import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cdktf
import constructs


def unpack(package: Any, target: Path, keep: Callable[[str], bool] = lambda name: name != ".jsii") -> None:
    """Unpack the JavaScript that a Python package of jsii's holds."""
    (archive,) = (Path(package.__file__).parent / "_jsii").glob("*.tgz")
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.removeprefix("package/")
            content = tar.extractfile(member) if member.isfile() and keep(name) else None
            if content is not None:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(content.read())


def node_modules(folder: Path, *used: str) -> None:
    """Write cdktf, and the submodules in use of the AWS bindings, where any are."""
    unpack(constructs, folder / "constructs")
    unpack(cdktf, folder / "cdktf")
    if used:
        unpack(
            sys.modules["cdktf_cdktf_provider_aws"],
            folder / "@cdktf" / "provider-aws",
            lambda name: name == "package.json" or name.startswith(tuple(f"lib/{each}/" for each in used)),
        )
