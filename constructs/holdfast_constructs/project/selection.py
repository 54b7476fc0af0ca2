"""Leaves out of a synthesized app what was not asked for.

Every stack is synthesized in any case, and the rest taken away afterwards: a stack has an output for
each stack that refers to it, so a network synthesized without one of its services would look different,
and a deploy would change it back and forth. Leaving a stack out saves nothing worth having: it costs
about 20 ms.
"""

import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

MANIFESTS = {"manifest.json": "stacks", "holdfast.json": "shards"}


def keep_only(outdir: Path, names: Iterable[str]) -> None:
    """Take every stack but those named and what they refer to out of `outdir`, where an app was synthesized.

    What stays is as it was, byte for byte.
    """
    stacks = json.loads((outdir / "manifest.json").read_bytes())["stacks"]
    _keep(outdir, _with_references(names, stacks))


def _with_references(names: Iterable[str], stacks: Mapping[str, Any]) -> frozenset[str]:
    found = frozenset(names)
    return found.union(*(_with_references(stacks[name]["dependencies"], stacks) for name in found))


def _keep(outdir: Path, names: Collection[str]) -> None:
    for file_name, key in MANIFESTS.items():
        file = outdir / file_name
        text = file.read_text(encoding="utf-8")
        document = json.loads(text)
        document[key] = {name: entry for name, entry in document[key].items() if name in names}
        end = "\n" if text.endswith("\n") else ""
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + end, encoding="utf-8")
    for folder in (outdir / "stacks").iterdir():
        if folder.name not in names:
            shutil.rmtree(folder)
