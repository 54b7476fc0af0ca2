"""What looks like a secret: values of known kinds, and names that secrets go by.

A value of a known kind is a secret whatever it is called. A name says less: what is counted, switched on or
off, or only says something about a secret (where it is, how long it lives) is none.
"""

import re
from collections.abc import Iterator, Mapping

# A line of TOML reads `password = …` too; there the name tells, not the pattern.
ASSIGNMENT = "a connection string with a password"

# The prefixes are those with which each provider marks its keys, so that scanners find them.
KNOWN: Mapping[str, re.Pattern[str]] = {
    "an AWS access key id": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|\bAGE-SECRET-KEY-1[A-Z0-9]{20,}"
    ),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    "a GitLab token": re.compile(r"\bgl(pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,}"),
    "a Slack token": re.compile(
        r"\b(xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/[A-Za-z0-9/]+"
    ),
    "a Stripe key": re.compile(r"\b[rs]k_(live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9+/=]{24,}"),
    "a Google API key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}"),
    "an npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}"),
    "a PyPI token": re.compile(r"\bpypi-[A-Za-z0-9_-]{40,}"),
    "a SendGrid key": re.compile(r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    "a Twilio key": re.compile(r"\bSK[0-9a-f]{32}\b"),
    "a Shopify token": re.compile(r"\bshp(at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    "a DigitalOcean token": re.compile(r"\bdo[opr]_v1_[a-f0-9]{64}"),
    "a Docker Hub token": re.compile(r"\bdckr_pat_[A-Za-z0-9_-]{20,}"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "a HashiCorp token": re.compile(r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}|\.atlasv1\.[A-Za-z0-9_-]{40,}"),
    "a Grafana token": re.compile(r"\bglsa_[A-Za-z0-9]{32}_[a-f0-9]{8}"),
    "an OpenAI or Anthropic key": re.compile(r"\bsk-[A-Za-z0-9_-]{32,}"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."),
    "a URL with a password": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@", re.IGNORECASE),
    ASSIGNMENT: re.compile(r"\b(password|pwd|accountkey|sharedaccesskey)\s*=\s*[^\s;]{3,}", re.IGNORECASE),
    # 40 of base64 with capitals, small letters and digits: a commit's hash has no capitals.
    "an AWS secret access key": re.compile(
        r"(?<![A-Za-z0-9/+=])(?=\S{0,39}[A-Z])(?=\S{0,39}[a-z])(?=\S{0,39}[0-9])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
    ),
}
# Values of these kinds are sometimes for everybody: a key for maps in a browser, a token that says who is
# nobody, a database on the developer's own machine, 40 characters that are something else.
SOMETIMES_PLAIN = frozenset(
    {"a Google API key", "a JSON web token", "a URL with a password", ASSIGNMENT, "an AWS secret access key"}
)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# `PGPASSWORD` and `CLIENTSECRET` are written in one word.
_PASSWORD = re.compile(r"(?:PASSWORD|PASSWD|PASSPHRASE)S?(?:_|$)|(?:^|_)(?:PWD|PASS)(?:_|$)")
_NAME = re.compile(
    r"(?:SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SIGNING_?KEY|ENCRYPTION_?KEY|AUTH_?KEY"
    r"|MASTER_?KEY)S?(?:_|$)|CONN(?:ECTION)?_?STR(?:ING)?(?:_|$)|(?:^|_)(?:AUTH|DSN)$"
)
_TOKENS = re.compile(r"(?:^|_)TOKENS(?:_|$)")
# The last word of a name that is about a secret: where it is, how long it lives, how it is made and checked.
_ABOUT = re.compile(
    r"_(?:ARN|ID|NAME|NAMES|PATH|FILE|DIR|URL|URI|HOST|ENDPOINT|DOMAIN|REGION|HEADER|COOKIE|FIELD|CLAIM|PREFIX|SUFFIX"
    r"|TTL|AGE|LIFETIME|DURATION|TIMEOUT|EXPIRY|EXPIRES|EXPIRES_IN|EXPIRATION|ROTATION|SECONDS|MINUTES|HOURS|DAYS"
    r"|LENGTH|SIZE|COUNT|LIMIT|POLICY|RULES|VALIDATORS?|HASHERS?|ALGORITHM|ALG|TYPE|MODE|FORMAT|ENCODING|VERSION"
    r"|SCOPES?|ISSUER|AUDIENCE|BACKEND|PROVIDER|STORE|MANAGER|SERVICE|ENABLED|REQUIRED|PER_(?:SECOND|MINUTE|HOUR|DAY))$"
)
_SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled"})
_AMOUNT = re.compile(r"[+-]?[0-9]{1,7}(?:\.[0-9]+)?(?:ms|s|m|h|d|w)?")
_SMALL_AMOUNT = re.compile(r"[0-9]{1,3}")
_NUMBER = re.compile(r"[0-9]+")


def known_secrets(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each secret of a known kind in `text`."""
    for kind, pattern in KNOWN.items():
        for match in pattern.finditer(text):
            yield kind, match.group()


def sounds_secret(name: str) -> bool:
    """Whether a value of this name usually is a secret."""
    upper = _words(name)
    return _is_called_so(upper) and _ABOUT.search(upper) is None


def is_called_secret(name: str, value: str) -> bool:
    """Whether the name says that this value is a secret; an amount and a switch is none."""
    return sounds_secret(name) and value.lower() not in _SWITCHES and not _is_amount(_words(name), value)


def _words(name: str) -> str:
    """Return a name as words in capitals: `dbPassword` and `db-password` are `DB_PASSWORD`."""
    return re.sub(r"[^A-Z0-9]+", "_", _CAMEL.sub("_", name).upper())


def _is_called_so(upper: str) -> bool:
    return _PASSWORD.search(upper) is not None or _NAME.search(upper) is not None


def _is_amount(upper: str, value: str) -> bool:
    """Passwords may be numbers of a few digits more than anything that is counted about them."""
    if _PASSWORD.search(upper) is not None:
        return _SMALL_AMOUNT.fullmatch(value) is not None
    amount = _NUMBER if _TOKENS.search(upper) is not None else _AMOUNT
    return amount.fullmatch(value) is not None
