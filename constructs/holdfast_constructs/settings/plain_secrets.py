"""Finds secrets written down in plain text: what is committed is known to everybody who can read.

Two ways: values that look like a secret of a known kind, anywhere, comments included; and
literal values under names that sound like one. A message never repeats the value.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_constructs.settings.problems import Fault

# A line of TOML reads `password = …` too; there the name tells, not the pattern.
_ASSIGNMENT = "a connection string with a password"

KNOWN: Mapping[str, re.Pattern[str]] = {
    "an AWS access key id": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/[A-Za-z0-9/]+"),
    "a Stripe key": re.compile(r"\b[rs]k_(live|test)_[A-Za-z0-9]{16,}"),
    "a Google API key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}"),
    "an npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}"),
    "a PyPI token": re.compile(r"\bpypi-[A-Za-z0-9_-]{40,}"),
    "a SendGrid key": re.compile(r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    "an OpenAI or Anthropic key": re.compile(r"\bsk-[A-Za-z0-9_-]{32,}"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."),
    "a URL with a password": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@", re.IGNORECASE),
    _ASSIGNMENT: re.compile(r"\b(password|pwd|accountkey|sharedaccesskey)\s*=\s*[^\s;]{3,}", re.IGNORECASE),
    # 40 of base64 with capitals, small letters and digits: a commit's hash has no capitals.
    "an AWS secret access key": re.compile(
        r"(?<![A-Za-z0-9/+=])(?=\S{0,39}[A-Z])(?=\S{0,39}[a-z])(?=\S{0,39}[0-9])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
    ),
}

_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|token|credential|api_?key|access_?key|private_?key|encryption_?key"
    r"|signing_?key|conn(ection)?_?str(ing)?|(^|_)(auth|pwd|pass|dsn)$",
    re.IGNORECASE,
)
# Not the secret but something about it.
_ABOUT = re.compile(
    r"_(url|uri|ttl|seconds|minutes|days|name|file|path|id|issuer|audience|algorithm|type|mode|enabled|header)$",
    re.IGNORECASE,
)
_SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off"})
# A reference is the place of a secret, not the secret.
_REFERENCE = re.compile(r"arn:aws[a-z-]*:[a-z-]+:[a-z0-9-]*:[0-9]*:.+")
_ALLOWED = "the ARN of a Secrets Manager secret or SSM parameter, below [services.<name>.secrets]"
_NEXT = "store it there, put the ARN here, and replace the secret: it has been written down"


def plain_secrets(document: Mapping[str, Any], text: str) -> Iterator[Fault]:
    """Yield a fault for each secret in a parsed settings file, then for each in its comments.

    `text` is the file as it was written; `document` what TOML makes of it, empty when it is no TOML.
    """
    values = list(_strings(document))
    yield from filter(None, (_fault(path, value) for path, value in values))
    for number, line in enumerate(text.splitlines(), start=1):
        for kind, found in known_secrets(line):
            if kind != _ASSIGNMENT and not any(found in value for _, value in values):
                yield Fault((), f"has {kind} in plain text", _masked(found), _ALLOWED, _NEXT, line=number)


def _fault(path: tuple[str | int, ...], value: str) -> Fault | None:
    for kind, _ in known_secrets(value):
        return Fault(path, f"is {kind} in plain text", _masked(value), _ALLOWED, _NEXT)
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    named = sounds_secret(name) or "secrets" in path
    if named and value.lower() not in _SWITCHES and not _REFERENCE.fullmatch(value):
        return Fault(path, "is a secret by its name, and written out", _masked(value), _ALLOWED, _NEXT)
    return None


def known_secrets(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each secret of a known kind in `text`."""
    for kind, pattern in KNOWN.items():
        for match in pattern.finditer(text):
            yield kind, match.group()


def sounds_secret(name: str) -> bool:
    """Whether a value of this name usually is a secret."""
    return _NAME.search(name) is not None and _ABOUT.search(name) is None


def _strings(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
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
