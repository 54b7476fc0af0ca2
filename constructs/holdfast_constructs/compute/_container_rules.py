"""Rules for a container: it is not root, it is not stopped too early, and it shows no secrets.

Anybody who may read a task definition sees its environment. A secret shows by a name that secrets go by, or
by a value that has the form of a known kind. Messages name the variable and never its value.
"""

import re
from collections.abc import Iterable, Mapping

from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.secret_value import SecretValue

# The seconds that running requests get when a task stops; a container's time to stop is never shorter.
DEREGISTRATION_SECONDS = 30
# Amazon ECS, ContainerDefinition.stopTimeout on Fargate.
LONGEST_STOP_SECONDS = 120

_ROOT = frozenset({"", "0", "root"})
_SECRET_ARN = re.compile(r"arn:aws[a-z-]*:(?:secretsmanager|ssm):[a-z0-9-]+:[0-9]{12}:.+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_WORDS = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|PWD|SECRETS?|TOKENS?|CREDENTIALS?|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY"
    r"|SIGNING_?KEY|ENCRYPTION_?KEY|AUTH_?KEY)(?:_|$)"
)
# The place, lifetime and name of a secret are not secret.
_ABOUT_A_SECRET = re.compile(
    r"_(?:ARN|ID|NAME|PATH|FILE|URL|URI|ENDPOINT|TTL|SECONDS|MINUTES|HOURS|DAYS|LENGTH)$"
)
_SECRET_VALUES = (
    ("an AWS access key id", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}")),
    ("a Stripe key", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    ("a JSON web token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.")),
    ("a URL with a password", re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@")),
)
_INSTEAD = "keep it in Secrets Manager and give its ARN in `secrets`"


def check_environment(variables: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Raise ConstructError for a variable that looks like a secret, is malformed, or is in `secrets` too."""
    secret_names = frozenset(secrets)
    for name in (*variables, *secret_names):
        if _NAME.fullmatch(name) is None:
            raise ConstructError(
                "an environment variable's name", got=name, allowed="letters, digits and '_'"
            )
    for name, value in variables.items():
        if name in secret_names:
            raise ConstructError(
                f"{name} is both in environment and in secrets", next_step="remove it from environment"
            )
        if looks_secret(name):
            raise ConstructError(f"environment variable {name} is called like a secret", next_step=_INSTEAD)
        for kind, pattern in _SECRET_VALUES:
            if pattern.search(value):
                raise ConstructError(f"environment variable {name} holds {kind}", next_step=_INSTEAD)


def looks_secret(name: str) -> bool:
    """Return whether a variable of this name usually holds a secret."""
    upper = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
    return bool(_SECRET_WORDS.search(upper)) and not _ABOUT_A_SECRET.search(upper)


def check_process(user: str, stop_seconds: int) -> None:
    """Raise ConstructError for root, and for a time to stop that requests or Fargate do not allow."""
    if user.partition(":")[0] in _ROOT:
        raise ConstructError(
            "user",
            got=user,
            allowed="a user that is not root, such as 65532",
            next_step="give that user what it needs when the image is built",
        )
    if not DEREGISTRATION_SECONDS <= stop_seconds <= LONGEST_STOP_SECONDS:
        allowed = f"{DEREGISTRATION_SECONDS} (what requests in flight are given) to {LONGEST_STOP_SECONDS}"
        raise ConstructError("stop_seconds", got=stop_seconds, allowed=allowed)


def check_secrets(secrets: Mapping[str, str | SecretValue]) -> None:
    """Raise ConstructError for anything but ARNs; the value is never shown, because it may be a secret."""
    for name, arn in secrets.items():
        if isinstance(arn, SecretValue):
            continue
        if not arn.startswith("${") and _SECRET_ARN.fullmatch(arn) is None:
            raise ConstructError(
                f"secrets[{name!r}] must be the ARN of a secret in Secrets Manager or of an SSM parameter",
                next_step="store the value there, and give its ARN",
            )
