"""Reads what Node prints of an uncaught error: its text, and the frames that are the user's own.

cdktf adds to an error where the value was made that cannot be resolved (`Object creation stack`), with frames
of a smaller indentation; Node's own stack ends after ten frames, often before the first of the user's.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from holdfast_orchestrator.app.python_error import Failure, Frame, relative

_FRAME = re.compile(
    r"^(?P<indent> +)at (?:.*[( ])?(?:file://)?(?P<file>/[^():]+):(?P<line>\d+):\d+\)?\.?$|^ +at .*$",
    re.MULTILINE,
)
_ERROR = re.compile(r"^(?:Uncaught )?(?P<text>[A-Z]\w*(?: \[\w+\])?: .*)$", re.MULTILINE)
_NOT_THE_USERS = ("/node_modules/", "node:")
_OF_NODE = 4  # spaces before a frame


def javascript_error(text: str, folder: Path) -> Failure | None:
    """Return the error that a program in `folder` ended with; None where no frame is the user's."""
    first = _FRAME.search(text)
    errors = [] if first is None else list(_ERROR.finditer(text, 0, first.start()))
    if first is None or not errors:
        return None
    frames = [
        frame
        for frame in _FRAME.finditer(text, first.start())
        if frame["file"] and not any(part in frame["file"] for part in _NOT_THE_USERS)
    ]
    thrown = [frame for frame in frames if len(frame["indent"]) >= _OF_NODE]
    made = [frame for frame in frames if len(frame["indent"]) < _OF_NODE]
    words = text[errors[-1].start("text") : first.start()].split("\n\n", maxsplit=1)[0].strip()
    if not frames:
        return None
    return Failure(words, _places(thrown or made[:1], folder), made_at=_places(made[-1:], folder))


def _places(frames: Sequence[re.Match[str]], folder: Path) -> tuple[Frame, ...]:
    return tuple(Frame(f"{relative(frame['file'], folder)}:{frame['line']}") for frame in frames)
