"""What Secrets Manager and Parameter Store allow, and what is no secret to write down."""

import re

from holdfast_constructs._secrets import known_secrets
from holdfast_constructs._tokens import is_number_token, is_text_token
from holdfast_constructs.errors import ConstructError

# AWS Secrets Manager, DeleteSecret: RecoveryWindowInDays (botocore 1.44, secretsmanager/2017-10-17).
SHORTEST_WINDOW_DAYS, LONGEST_WINDOW_DAYS = 7, 30
# AWS Systems Manager, PutParameter: a standard parameter has 4 KB.
LONGEST_PARAMETER = 4096
# GetRandomPassword allows 1-4,096; fewer than these can be guessed.
SHORTEST_PASSWORD, LONGEST_PASSWORD = 16, 4096

_JSON_KEY = re.compile(r"[A-Za-z0-9_.\-/@]+")


def recovery_days(wanted: int | None, *, kept: bool) -> int:
    """Return the days until a deleted secret is gone; raises ConstructError for what AWS would refuse."""
    if wanted is None:
        return LONGEST_WINDOW_DAYS if kept else 0
    allowed = f"{SHORTEST_WINDOW_DAYS}-{LONGEST_WINDOW_DAYS}"
    if wanted == 0 and not kept:
        return 0
    if not is_number_token(wanted) and not SHORTEST_WINDOW_DAYS <= wanted <= LONGEST_WINDOW_DAYS:
        raise ConstructError(
            "recovery_days", got=wanted, allowed=allowed if kept else f"{allowed}, or 0 for at once"
        )
    return wanted


def check_json_key(key: str | None) -> None:
    """Raise ConstructError for a key that ECS could not tell from the parts of an ARN."""
    if key is not None and not is_text_token(key) and _JSON_KEY.fullmatch(key) is None:
        raise ConstructError(
            "json_key", got=key, allowed="a key of the secret's JSON, of letters, digits and _.-/@"
        )


def check_length(length: int) -> None:
    """Raise ConstructError for a password that is too short, or longer than AWS makes one."""
    if not SHORTEST_PASSWORD <= length <= LONGEST_PASSWORD:
        raise ConstructError("length", got=length, allowed=f"{SHORTEST_PASSWORD}-{LONGEST_PASSWORD:,}")


def check_parameter(value: str) -> None:
    """Raise ConstructError for a value that is empty, too long, or a secret; a secret is not repeated."""
    for kind, _ in known_secrets(value):
        raise ConstructError(
            f"the value of a parameter holds {kind}, and anybody may read it",
            next_step="keep it in a Secret",
        )
    if "{{" in value:
        raise ConstructError(
            "value has {{, which Parameter Store reads as the name of another parameter and refuses",
            next_step="write it apart, or keep the text elsewhere",
        )
    if not value or len(value.encode()) > LONGEST_PARAMETER:
        raise ConstructError(
            "value", got=f"{len(value.encode()):,} bytes", allowed=f"a text of 1-{LONGEST_PARAMETER:,} bytes"
        )
