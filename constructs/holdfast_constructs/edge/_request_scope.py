"""Some of the requests: those of one host, below one path, or both, as a statement of AWS WAF.

A host is compared without its case and its port. A path is decoded and normalized before it is compared:
neither `/upload/../admin` nor `/%75pload` is taken for what it is not.
"""

import re
from typing import Any

from holdfast_constructs.errors import ConstructError

# AWS WAF, ByteMatchStatement: SearchString has at most 200 bytes.
LONGEST_PATH = 200
LONGEST_HOST = 253

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
_PATH = re.compile(r"/[A-Za-z0-9/._~!$&'()+,;=:@-]*\*?")
_NEVER_NORMAL = re.compile(r"//|/\.{1,2}(?:/|$)")


def check_scope(what: str, host: str | None, path: str | None, *, next_step: str) -> None:
    """Raise ConstructError unless `what` names a host or a path, each in a form that a request can have."""
    if host is None and path is None:
        raise ConstructError(
            f"{what} names no host and no path", allowed="host, path or both", next_step=next_step
        )
    if host is not None and (_HOST.fullmatch(host) is None or len(host) > LONGEST_HOST):
        raise ConstructError(
            f"host of {what}", got=host, allowed="one lower-case name without port, such as api.example.com"
        )
    if path is not None and not _is_path(path):
        raise ConstructError(
            f"path of {what}",
            got=path,
            allowed=f"a path of 1-{LONGEST_PATH} characters as it is after decoding, such as /upload, or its"
            " beginning with a last *, such as /upload/*",
            next_step="leave the query, // and /../ out",
        )


def scope_statement(host: str | None, path: str | None) -> dict[str, Any]:
    """Return the statement that the requests of `host` below `path` match."""
    parts = [each for each in (_host_statement(host), _path_statement(path)) if each is not None]
    return parts[0] if len(parts) == 1 else {"and_statement": {"statement": parts}}


def _is_path(path: str) -> bool:
    fits = _PATH.fullmatch(path) is not None and len(path) <= LONGEST_PATH
    return fits and _NEVER_NORMAL.search(path.removesuffix("*")) is None


def _host_statement(host: str | None) -> dict[str, Any] | None:
    if host is None:
        return None
    return {
        "regex_match_statement": {
            "regex_string": f"^{re.escape(host)}(:[0-9]{{1,5}})?$".replace(r"\-", "-"),
            "field_to_match": {"single_header": {"name": "host"}},
            "text_transformation": _transformed("LOWERCASE"),
        }
    }


def _path_statement(path: str | None) -> dict[str, Any] | None:
    if path is None:
        return None
    return {
        "byte_match_statement": {
            "search_string": path.removesuffix("*"),
            "positional_constraint": "STARTS_WITH" if path.endswith("*") else "EXACTLY",
            "field_to_match": {"uri_path": {}},
            "text_transformation": _transformed("URL_DECODE", "NORMALIZE_PATH"),
        }
    }


def _transformed(*kinds: str) -> list[dict[str, Any]]:
    return [{"priority": place, "type": kind} for place, kind in enumerate(kinds)]
