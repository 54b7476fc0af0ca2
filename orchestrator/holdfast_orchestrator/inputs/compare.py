"""Whether a deployment can be gone back to with what is kept of its inputs.

Of what is not kept there is a fingerprint: the same bytes must lie where they lay. Where they do not, nothing
is re-applied.
"""

import json
from dataclasses import replace
from pathlib import Path

from holdfast_orchestrator.app.inputs import InputFile, Inputs
from holdfast_orchestrator.inputs.expressions import file_calls
from holdfast_orchestrator.system.private_files import sha256_of
from holdfast_orchestrator.terraform.json_values import texts


def found_here(inputs: Inputs, stack: Path | None) -> tuple[Inputs, tuple[str, ...]]:
    """Return inputs that name where the files lie that are not kept, and the names of those that changed.

    `stack` is the stack's folder on this machine, None where the app is not here.
    """
    files, changed = [], []
    for file in inputs.files:
        source = None if file.kept else _here(file, stack)
        if not file.kept and source is None:
            changed.append(file.part_of)
        files.append(replace(file, source=source))
    return replace(inputs, files=tuple(files)), tuple(dict.fromkeys(changed))


def _here(file: InputFile, stack: Path | None) -> Path | None:
    if stack is None and not file.in_place:
        return None
    place = (stack or Path()) / file.path
    try:
        return place if sha256_of(place) == file.sha256 else None
    except OSError:
        return None


def reads_something(configuration: bytes) -> bool:
    """Whether a configuration has variables or modules, or calls functions that read files."""
    document = json.loads(configuration)
    if document.get("variable") or document.get("module"):
        return True
    return any(True for text in texts(document) for _ in file_calls(text))


def uncertain(inputs: Inputs, *, reads: bool) -> tuple[str, ...]:
    """Return the reasons for which these may not be all the inputs there were; none where they are all.

    `reads` is whether the configuration reads anything at all.
    """
    if inputs.known or not reads:
        return inputs.doubts
    return ("that deploy was recorded without the files and variables it read", *inputs.doubts)
