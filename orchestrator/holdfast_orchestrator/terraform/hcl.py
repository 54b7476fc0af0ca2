"""What a `.tf` file says without being evaluated: its text without comments, its blocks, its strings.

Nothing is resolved. A block is found by its header on a line of its own, at any depth; a heredoc is text and
holds no blocks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from holdfast_orchestrator.terraform.templates import block_end, string_end

_SIGN = re.compile(r'"|#|//|/\*|<<-?([A-Za-z_][\w-]*)[ \t]*\r?$', re.MULTILINE)
_LABELS = r'((?:[ \t]*"[^"\n]*"|[ \t]+[A-Za-z_][\w-]*)*)[ \t]*\{'
_LABEL = re.compile(r'"([^"\n]*)"|([A-Za-z_][\w-]*)')


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its labels, and the text between its braces."""

    labels: tuple[str, ...]
    body: str

    @property
    def label(self) -> str:
        """The first label: the type of a resource, the name of a module or of a provider."""
        return self.labels[0] if self.labels else ""

    def text(self, argument: str) -> str | None:
        """Return the value of an argument where it is one plain string, else None."""
        written = re.search(rf'(?m)^[ \t]*{argument}[ \t]*=[ \t]*"((?:[^"\\\n$%]|\$(?!\{{))*)"', self.body)
        return written[1] if written else None

    def has(self, argument: str) -> bool:
        """Whether an argument is set to anything."""
        return re.search(rf"(?m)^[ \t]*{argument}[ \t]*=", self.body) is not None


@dataclass(frozen=True)
class HclText:
    """The text of a file in Terraform's own language."""

    source: str

    @cached_property
    def code(self) -> str:
        """The text without comments; each heredoc is an empty string."""
        return "".join('""' if kind == "heredoc" else text for kind, text in self._pieces)

    @cached_property
    def text(self) -> str:
        """The text without comments."""
        return "".join(text for _, text in self._pieces)

    @property
    def strings(self) -> Iterator[str]:
        """The content of every quoted string, templates in it as they are written."""
        return (text[1:-1] for kind, text in self._pieces if kind == "string")

    @property
    def unquoted(self) -> str:
        """The text without comments and without what is in quotes."""
        return "".join('""' if kind == "string" else text for kind, text in self._pieces)

    def blocks(self, kind: str) -> Iterator[Block]:
        """Yield the blocks of a kind."""
        for header in re.finditer(rf"(?m)^[ \t]*{kind}{_LABELS}", self.code):
            labels = tuple(quoted or bare for quoted, bare in _LABEL.findall(header[1]))
            yield Block(labels, self.code[header.end() : block_end(self.code, header.end())])

    @cached_property
    def _pieces(self) -> tuple[tuple[str, str], ...]:
        return tuple(_pieces(self.source.removeprefix("\ufeff")))


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield code, strings and heredocs one after another; a comment is a blank."""
    at = 0
    while sign := _SIGN.search(text, at):
        yield "code", text[at : sign.start()]
        match sign[0]:
            case '"':
                at = string_end(text, sign.start())
                yield "string", text[sign.start() : at]
            case "#" | "//":
                at = _found(text, "\n", sign.end())
            case "/*":
                at = _found(text, "*/", sign.end()) + len("*/")
                yield "code", " "
            case _:
                at = _heredoc_end(text, sign.end(), sign[1])
                yield "heredoc", text[sign.start() : at]
    yield "code", text[at:]


def _found(text: str, sign: str, start: int) -> int:
    at = text.find(sign, start)
    return len(text) if at < 0 else at


def _heredoc_end(text: str, start: int, marker: str) -> int:
    end = re.compile(rf"^[ \t]*{re.escape(marker)}[ \t]*\r?$", re.MULTILINE).search(text, start)
    return end.end() if end else len(text)
