"""The one point that everything visible passes on its way out of the process.

Three nets, one behind the other: values Terraform marks as sensitive are replaced by their marks
when a plan is read (`masked`); the same values, those in places known for secrets (`secret_places`), those
of the caller's environment and those the user names (HOLDFAST_REDACT, one a line; `redact` in cdktf.json)
are learned and replaced wherever else they turn up, in a diagnostic or a log line (`Redactor.learn`); and
text that looks like a credential is always replaced. Terminal, JSON documents, event files and
reports all go through one `Redactor`, that of the runtime. Text also gets its control characters made
visible there (`visible`).
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_orchestrator.system.visible import visible

SENSITIVE = "(sensitive)"
VARIABLE = "HOLDFAST_REDACT"

# Shorter values ("true", "8080") would blot out text that has nothing to do with them.
_SHORTEST_SECRET = 6
# Words that Terraform, providers and their errors are written in. A secret that is one of them is hidden in
# its own place (`masked`), and replaced elsewhere only where the user names it.
_ORDINARY = frozenset({
    "action", "argument", "attribute", "backend", "changes", "computed", "configuration", "create",
    "default", "delete", "description", "destroy", "development", "disabled", "enabled", "environment",
    "ephemeral", "example", "expected", "failed", "invalid", "lifecycle", "locals", "module", "number",
    "object", "optional", "output", "parameter", "password", "policy", "production", "provider",
    "reference", "region", "replace", "required", "resource", "secret", "secrets", "sensitive",
    "service", "source", "staging", "status", "string", "terraform", "testing", "timeout", "unknown",
    "unsupported", "update", "username", "validation", "values", "variable", "version", "warning",
})  # fmt: skip
# Dummy credentials of emulators ("testing") are words; real ones are longer.
_SHORTEST_VARIABLE = 12

_NAMES = (
    r"aws_secret_access_key|aws_session_token|secret_?access_?key|secret_?key|session_?token|passw(?:or)?d|pwd"
    r"|passphrase|api_?key|auth_?token|access_?token|refresh_?token|client_?secret|secret_?string|account_?key"
    r"|x-amz-security-token|x-amz-signature"
)
_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    # The name of a secret and its value, as in environment dumps, HCL, JSON (in JSON, too) and query strings.
    re.compile(
        rf"(?i)(?<=[\w\"'])?((?:{_NAMES})\\*[\"']?\s*[=:]\s*\\*[\"']?)(?!\(sensitive\))[^\s\"'&,;\\]{{4,}}"
    ),
    # A word that names other things, too: only with a value that is long and has digits.
    re.compile(r"(?i)(\b(?:token|secret)=[\"']?)(?=[^\s\"'&,;]*\d)[^\s\"'&,;\\]{8,}"),
    # The same as an option of a command line.
    re.compile(
        r"(?i)(--?(?:password|passwd|secret|token|api-?key|auth-?token|client-?secret)\s+)[^\s-]\S{3,}"
    ),
    re.compile(r"(?i)(\bauthorization\\*[\"']?\s*[=:]\s*\\*[\"']?(?:bearer|basic)\s+)[^\s\"',;\\]+"),
    re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)"),
    # A container's environment, as JSON and as JSON inside JSON.
    re.compile(r"(\{\s*\\*\"name\\*\"\s*:\s*\\*\"[^\"\\]*\\*\"\s*,\s*\\*\"value\\*\"\s*:\s*\\*\")[^\"\\]+"),
    re.compile(r"(\{\s*\\*\"value\\*\"\s*:\s*\\*\")[^\"\\]+(?=\\*\"\s*,\s*\\*\"name\\*\"\s*:)"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}\b"),
    re.compile(r"\bgithub_pat_\w{30,}"),
    re.compile(r"\bglpat-[\w-]{20,}"),
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"),
)
_SECRET_VARIABLES = re.compile(r"(?i)(SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE_KEY|API_KEY)")


class Redactor:
    """Replaces what must not be seen; learns values as they become known. Safe between threads."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._secrets: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        # Many values are learned one after another before the first text is seen.
        self._stale = False
        self.learn_environ(environ or {})

    def learn_environ(self, environ: Mapping[str, str]) -> None:
        """Remember the secrets of an environment, and every line of its HOLDFAST_REDACT."""
        self.learn(environ.get(VARIABLE, "").splitlines(), named=True)
        named = (value for name, value in environ.items() if _SECRET_VARIABLES.search(name))
        self.learn([value for value in named if not _is_no_secret(value)])

    def learn(self, value: object, *, named: bool = False) -> None:
        """Remember every string and number inside `value` as a secret.

        Ordinary words are remembered only where the user has `named` them.
        """
        secrets = {text for leaf in leaves(value) for text in _spellings(leaf)}
        if not named:
            secrets = {text for text in secrets if text.strip().lower() not in _ORDINARY}
        with self._lock:
            if not secrets <= self._secrets:
                self._secrets |= secrets
                self._stale = True

    def text(self, text: str) -> str:
        """Return `text` without secrets, and with its control characters made visible: for people."""
        return visible(self._redacted(text))

    def _redacted(self, text: str) -> str:
        """Return `text` without anything that is, or looks like, a secret."""
        if (secrets := self._secrets_pattern()) is not None:
            text = secrets.sub(SENSITIVE, text)
        for pattern in _PATTERNS:
            text = pattern.sub(_keeping_the_name, text)
        return text

    def _secrets_pattern(self) -> re.Pattern[str] | None:
        if self._stale:
            with self._lock:
                longest_first = sorted(self._secrets, key=lambda text: (-len(text), text))
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
                self._stale = False
        return self._pattern

    def value(self, value: Any) -> Any:
        """Return a JSON value with every string in it redacted, keys too. It is data, and else unchanged."""
        match value:
            case str():
                return self._redacted(value)
            case Mapping():
                return {self._redacted(str(key)): self.value(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self.value(inner) for inner in value]
            case _:
                return value


def masked(value: Any, marks: Any) -> Any:
    """Return `value` with `(sensitive)` wherever Terraform's `marks` of the same shape say true."""
    match value, marks:
        case _, True:
            return SENSITIVE
        case Mapping(), Mapping():
            return {key: masked(inner, marks.get(key)) for key, inner in value.items()}
        case list(), list():
            padded = [*marks, *[None] * len(value)]
            return [masked(inner, mark) for inner, mark in zip(value, padded, strict=False)]
        case _:
            return value


def marked(value: Any, marks: Any) -> Iterator[Any]:
    """Yield the parts of `value` that `marks` say are sensitive."""
    match value, marks:
        case _, True:
            yield value
        case Mapping(), Mapping():
            for key, inner in value.items():
                yield from marked(inner, marks.get(key))
        case list(), list():
            for inner, mark in zip(value, marks, strict=False):
                yield from marked(inner, mark)
        case _:
            return


def leaves(value: object) -> Iterator[str]:
    """Yield every text and number of a JSON value as text; names of fields are none."""
    match value:
        case str():
            yield value
        case bool() | None:
            return
        case int() | float():
            yield str(value)
        case Mapping():
            for inner in value.values():
                yield from leaves(inner)
        case list() | tuple():
            for inner in value:
                yield from leaves(inner)
        case _:
            return


def _spellings(text: str) -> Iterator[str]:
    """The value as it is, line by line, and as it reads inside a JSON string."""
    for spelling in {text, text.strip(), json.dumps(text)[1:-1], *text.splitlines()}:
        if len(spelling) >= _SHORTEST_SECRET:
            yield spelling


def _is_no_secret(value: str) -> bool:
    return len(value) < _SHORTEST_VARIABLE or value.startswith(("/", "~"))


def _keeping_the_name(match: re.Match[str]) -> str:
    return (match[1] if match.re.groups else "") + SENSITIVE
