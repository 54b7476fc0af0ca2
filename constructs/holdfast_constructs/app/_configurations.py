"""The configurations that cdktf has just written: each is read once, and handed to whatever looks at it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE_NAME = "cdk.tf.json"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A stack's cdk.tf.json: where it is, its text, and what the text says."""

    file: Path
    text: str
    document: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> "Configuration":
        """Return what is in `file`."""
        text = file.read_text(encoding="utf-8")
        return cls(file, text, json.loads(text))


def read_configurations(outdir: Path) -> dict[str, Configuration]:
    """Return the configuration of every stack synthesized into `outdir`, by the stack's name, sorted."""
    files = sorted(outdir.glob(f"stacks/*/{FILE_NAME}"))
    return {file.parent.name: Configuration.read(file) for file in files}
