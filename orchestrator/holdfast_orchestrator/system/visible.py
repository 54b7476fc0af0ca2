r"""Characters that a reader cannot see, or that a terminal obeys, made visible.

Provider errors, values that somebody else set in AWS, an app's own errors: all may hold an escape sequence
that rewrites the screen, or a direction mark that makes `allow` read as something else. Text on its way out
shows each of them as an escape in the style of Python (`\x1b`, `\u202e`). Line feed and tab stay. JSON
documents keep their data: there they are written as `\uXXXX`, which a JSON parser reads back.
"""

import json
import re
from typing import Any

# C0 and DEL, C1 (with NEL), marks of direction, separators of lines and paragraphs, invisible operators,
# byte order mark, interlinear marks, half surrogates (no stream can encode them), and tags.
_RANGES = (
    r"\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U000e0000-\U000e007f"
)
_IN_TEXT = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_RANGES}]")
# What json.dumps leaves as it is.
_IN_JSON = re.compile(rf"[\x7f-\x9f{_RANGES}]")
_ONE_BYTE, _TWO_BYTES = 0xFF, 0xFFFF


def visible(text: str) -> str:
    """Return `text` with every invisible or obeyed character as an escape; applied twice it does no more."""
    return _IN_TEXT.sub(_escape, text.replace("\r\n", "\n"))


def json_text(document: Any, *, indent: int | None = None) -> str:
    """Return a document as JSON that is safe to look at, and is the same data to a parser."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    # json.dumps leaves DEL as it is, whatever it is asked for.
    return _IN_JSON.sub(lambda sign: json.dumps(sign[0])[1:-1] if sign[0] != "\x7f" else "\\u007f", text)


def _escape(sign: re.Match[str]) -> str:
    number = ord(sign[0])
    if number <= _ONE_BYTE:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= _TWO_BYTES else f"\\U{number:08x}"
