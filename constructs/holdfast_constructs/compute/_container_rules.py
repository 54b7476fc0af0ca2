"""Rules for a container: it is not root, it is not stopped too early, and it shows no secrets.

Anybody who may read a task definition sees its environment. A secret shows by a name that secrets go by, or
by a value that has the form of a known kind. Messages name the variable and never its value.
"""

import re
from collections.abc import Iterable, Mapping

from holdfast_constructs._secrets import SOMETIMES_PLAIN, is_called_secret, known_secrets
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.plain import Plain
from holdfast_constructs.security.secret_value import SecretValue

# The seconds that running requests get when a task stops; a container's time to stop is never shorter.
DEREGISTRATION_SECONDS = 30
# Amazon ECS, ContainerDefinition.stopTimeout on Fargate.
SHORTEST_STOP_SECONDS, LONGEST_STOP_SECONDS = 2, 120

# Amazon ECS, "Service quotas": the size of a task definition.
LARGEST_ENVIRONMENT = 64 * 1024

_ROOT = frozenset({"", "0", "root"})
_SECRET_ARN = re.compile(r"arn:aws[a-z-]*:(?:secretsmanager|ssm):[a-z0-9-]+:[0-9]{12}:.+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INSTEAD = "keep it in Secrets Manager and give its ARN in `secrets`"
_OR_SAY_SO = f'{_INSTEAD}; a text that is no secret is Plain("…", because="…")'


def check_environment(variables: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Raise ConstructError for a variable that looks like a secret, is malformed, or is in `secrets` too."""
    secret_names = frozenset(secrets)
    for name in (*variables, *secret_names):
        if _NAME.fullmatch(name) is None:
            raise ConstructError(
                "an environment variable's name", got=name, allowed="letters, digits and '_'"
            )
    size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if size > LARGEST_ENVIRONMENT:
        raise ConstructError(
            "environment",
            got=f"{size:,} bytes",
            allowed=f"less than {LARGEST_ENVIRONMENT:,}, the most that ECS takes in a task definition",
            next_step="keep large texts in S3 or Parameter Store",
        )
    for name, value in variables.items():
        if "\0" in value:
            raise ConstructError(
                f"environment variable {name} has a character of the value 0, which ends a text"
            )
        if name in secret_names:
            raise ConstructError(
                f"{name} is both in environment and in secrets", next_step="remove it from environment"
            )
        if not isinstance(value, Plain):
            _check_plain(name, value)


def _check_plain(name: str, value: str) -> None:
    for kind, _ in known_secrets(value):
        next_step = _OR_SAY_SO if kind in SOMETIMES_PLAIN else _INSTEAD
        raise ConstructError(f"environment variable {name} holds {kind}", next_step=next_step)
    if is_called_secret(name, value) and _SECRET_ARN.fullmatch(value) is None:
        raise ConstructError(f"environment variable {name} is called like a secret", next_step=_OR_SAY_SO)


def check_process(user: str, stop_seconds: int, *, at_least: int = DEREGISTRATION_SECONDS) -> None:
    """Raise ConstructError for root, and for a time to stop that requests or Fargate do not allow.

    `at_least` is the time that requests in flight are given, the shortest that Fargate has without any.
    """
    if user.partition(":")[0] in _ROOT:
        raise ConstructError(
            "user",
            got=user,
            allowed="a user that is not root, such as 65532",
            next_step="give that user what it needs when the image is built",
        )
    if not at_least <= stop_seconds <= LONGEST_STOP_SECONDS:
        why = "" if at_least == SHORTEST_STOP_SECONDS else " (what requests in flight are given)"
        allowed = f"{at_least}{why} to {LONGEST_STOP_SECONDS}"
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
