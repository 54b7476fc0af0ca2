"""Where a shard's state lies: the one place that says so.

`<service>/<account>/<region>/<environment>/terraform.tfstate` below the state bucket, the same for
every environment and cloud. Each part is checked before any path is built from it, so that no name
can climb out of its folder or stand for two shards at once.
"""

import re

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}")

STATE_FILE = "terraform.tfstate"


class InvalidStateKeyError(ValueError):
    """A part of a state key that is not allowed: which one, what was got, what is allowed."""


def state_key(service: str, account: str, region: str, environment: str) -> str:
    """Return the S3 key of a shard's state.

    `service` and `environment` are lower-case names of letters, digits and inner hyphens, 1-63
    characters; `account` is an AWS account id of 12 digits; `region` an AWS region name such as
    `eu-west-1`. Raises InvalidStateKeyError for anything else.
    """
    parts = (
        _checked("service", service, _NAME, "1-63 of a-z, 0-9 and inner hyphens"),
        _checked("account", account, _ACCOUNT, "12 digits"),
        _checked("region", region, _REGION, "an AWS region such as eu-west-1"),
        _checked("environment", environment, _NAME, "1-63 of a-z, 0-9 and inner hyphens"),
    )
    return "/".join((*parts, STATE_FILE))


def _checked(part: str, value: str, pattern: re.Pattern[str], allowed: str) -> str:
    if pattern.fullmatch(value) is None:
        raise InvalidStateKeyError(f"{part} must be {allowed}, got {value!r}")
    return value
