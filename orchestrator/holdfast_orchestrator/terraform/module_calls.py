"""Calls of modules: where a module comes from, and whether it is the same one tomorrow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs

from holdfast_orchestrator.terraform.json_values import Document, mapping_of, named, text_of

_LOCAL = ("./", "../", "/")
_NUMBERS = r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?"
_EXACT = re.compile(rf"\s*=?\s*{_NUMBERS}\s*")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TAG = re.compile(_NUMBERS)
_CHECKSUM = re.compile(r"(?:sha256|sha512):[0-9a-fA-F]+")
# `namespace/name/provider`, with a host before it and a folder of the package behind it.
_REGISTRY = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+(?::\d+)?/)?[\w-]+/[\w-]+/[\w-]+(?://[^?]*)?")
_FORGES = ("github.com/", "bitbucket.org/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCall:
    """A call of a module.

    `source` is empty where it is not written out, `version` where none is asked for.
    """

    source: str
    version: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the module is a folder of this machine."""
        return is_local(self.source)

    @property
    def is_pinned(self) -> bool:
        """Whether what is fetched is the same as long as the call is.

        A registry's module with an exact version, a git repository at a commit or at a tag that is a whole
        version, an archive with its checksum.
        """
        if _REGISTRY.fullmatch(self.source) and not self.source.startswith(_FORGES):
            return _EXACT.fullmatch(self.version) is not None
        query = parse_qs(self.source.partition("?")[2])
        return any(map(_CHECKSUM.fullmatch, query.get("checksum", ()))) or any(
            _COMMIT.fullmatch(ref) or _TAG.fullmatch(ref) for ref in query.get("ref", ())
        )

    @property
    def unpinned(self) -> str:
        """What is to be said of a fetched module that is not pinned, empty where it is."""
        if not self.source:
            return "calls a module whose source is not written out"
        if self.is_local or self.is_pinned:
            return ""
        asked = f" {self.version}" if self.version else ""
        return f"uses {self.source}{asked}, which is not pinned to one version, tag or commit"


def is_local(source: str) -> bool:
    """Whether a module's source is a folder of this machine."""
    return source.startswith(_LOCAL)


def module_calls(document: Document) -> Iterator[tuple[str, ModuleCall]]:
    """Yield the name and the call of each module of a JSON configuration."""
    for name, body in named(document.get("module")):
        yield name, module_call(mapping_of(body))


def module_call(body: Document) -> ModuleCall:
    """Return the call that the body of a `module` block is."""
    source = text_of(body.get("source"))
    return ModuleCall(source="" if "${" in source else source, version=text_of(body.get("version")))
