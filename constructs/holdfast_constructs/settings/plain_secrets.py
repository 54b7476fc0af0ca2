"""Finds secrets written down in plain text: what is committed is known to everybody who can read.

Two ways: values that look like a secret of a known kind, anywhere, comments included; and
literal values under names that sound like one. A message never repeats the value.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_constructs._secrets import ASSIGNMENT, SOMETIMES_PLAIN, is_called_secret, known_secrets
from holdfast_constructs.security.plain import never_plain
from holdfast_constructs.settings.problems import Fault

Path = tuple[str | int, ...]
# A reference is the place of a secret, not the secret.
_REFERENCE = re.compile(r"arn:aws[a-z-]*:[a-z-]+:[a-z0-9-]*:[0-9]*:.+")
_ALLOWED = "the ARN of a Secrets Manager secret or SSM parameter, below [services.<name>.secrets]"
_NEXT = "store it there, put the ARN here, and replace the secret: it has been written down"
_NEXT_PLAIN = f'{_NEXT}; a text that is no secret is {{ plain = "…", because = "…" }}'
_NEXT_ARN = (
    "put the ARN here; if this is the secret itself, store it and replace it: it has been written down"
)


def plain_secrets(document: Mapping[str, Any], text: str) -> Iterator[Fault]:
    """Yield a fault for each secret in a parsed settings file, then for each in its comments.

    `text` is the file as it was written; `document` what TOML makes of it, empty when it is no TOML.
    """
    values = list(_strings(document))
    yield from filter(None, (_fault(path, value) for path, value in values))
    for number, line in enumerate(text.splitlines(), start=1):
        for kind, found in known_secrets(line):
            if kind != ASSIGNMENT and not any(found in value for _, value in values):
                yield Fault((), f"has {kind} in plain text", _masked(found), _ALLOWED, _NEXT, line=number)


def _fault(path: Path, value: str) -> Fault | None:
    if path[-3:-2] == ("environment",) and path[-1] == "plain":
        kind = never_plain(value)
        return None if kind is None else _known(path, kind, value)
    for kind, _ in known_secrets(value):
        return _known(path, kind, value)
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if not value or _REFERENCE.fullmatch(value):
        return None
    if "secrets" in path:
        return Fault(path, "is not an ARN", _masked(value), _ALLOWED, _NEXT_ARN)
    if is_called_secret(name, value):
        next_step = _next_step(path, says_otherwise=True)
        return Fault(path, "is a secret by its name, and written out", _masked(value), _ALLOWED, next_step)
    return None


def _known(path: Path, kind: str, value: str) -> Fault:
    next_step = _next_step(path, says_otherwise=kind in SOMETIMES_PLAIN)
    return Fault(path, f"is {kind} in plain text", _masked(value), _ALLOWED, next_step)


def _next_step(path: Path, *, says_otherwise: bool) -> str:
    return _NEXT_PLAIN if says_otherwise and "environment" in path else _NEXT


def _strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case Mapping():
            for key, item in value.items():
                yield from _strings(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from _strings(item, (*path, index))


def _masked(value: str) -> str:
    return f"a text of {len(value)} characters, not repeated here"
