"""What looks like a secret: values of known kinds, and names that secrets go by."""

import re
from collections.abc import Iterator, Mapping

# A line of TOML reads `password = …` too; there the name tells, not the pattern.
ASSIGNMENT = "a connection string with a password"

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
    ASSIGNMENT: re.compile(r"\b(password|pwd|accountkey|sharedaccesskey)\s*=\s*[^\s;]{3,}", re.IGNORECASE),
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


def known_secrets(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each secret of a known kind in `text`."""
    for kind, pattern in KNOWN.items():
        for match in pattern.finditer(text):
            yield kind, match.group()


def sounds_secret(name: str) -> bool:
    """Whether a value of this name usually is a secret."""
    return _NAME.search(name) is not None and _ABOUT.search(name) is None
