"""Where a shard's state lies: the one place that says so.

`<service>/<account>/<region>/<environment>/terraform.tfstate` below the state bucket, the same for
every environment and cloud; of an app with a project's name the first part is `<project>.<service>`.
Each part is checked before any path is built from it, so that no name can climb out of its folder or name
two shards at once.

cdktf allows stack ids that are no part of a key (`MyStack`, `my_stack`, `prod.network`, long ones):
`key_name` makes one of them, `file_name` the name of a file or folder.
"""

import hashlib
import re
import unicodedata

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NAME_RULE = "1-63 of a-z, 0-9 and inner hyphens"
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}")

STATE_FILE = "terraform.tfstate"

# The longest part of a key, and how much of a name stays where a digest tells it from others.
_LONGEST, _STEM, _DIGEST = 63, 54, 8
# A folder `web.lock` would be in the way of the lock of the folder `web`.
_PLAIN_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?<!\.lock)")


class InvalidStateKeyError(ValueError):
    """A part of a state key that is not allowed: which one, what was got, what is allowed."""


def state_key(
    service: str, account: str, region: str, environment: str, *, project: str | None = None
) -> str:
    """Return the S3 key of a shard's state.

    `service`, `project` and `environment` are lower-case names of letters, digits and inner hyphens, 1-63
    characters; `account` is an AWS account id of 12 digits; `region` an AWS region name such as
    `eu-west-1`. Raises InvalidStateKeyError for anything else.
    """
    of_project = "" if project is None else f"{_checked('project', project, _NAME, _NAME_RULE)}."
    parts = (
        of_project + _checked("service", service, _NAME, _NAME_RULE),
        _checked("account", account, _ACCOUNT, "12 digits"),
        _checked("region", region, _REGION, "an AWS region such as eu-west-1"),
        _checked("environment", environment, _NAME, _NAME_RULE),
    )
    return "/".join((*parts, STATE_FILE))


def key_name(text: str) -> str:
    """Return `text` as a part of a key: itself where it is one already, else what is left of it.

    `MyStack` becomes `mystack`, `prod.network` becomes `prod-network`. A digest follows where much was lost:
    a name that was too long, or of other letters than ours. Different names may become the same one:
    callers that build keys have to compare them.
    """
    if _NAME.fullmatch(text) is not None:
        return text
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")
    if text.isascii() and 0 < len(plain) <= _LONGEST:
        return plain
    return f"{plain[:_STEM].strip('-') or 'stack'}-{_digest(text)[:_DIGEST]}"


def key_name_below(service: str, text: str) -> str:
    """Return `text` as a part of a key that is `service` or starts with it and a hyphen.

    `service` is a part of a key already. Where `key_name` would lose one of its double hyphens, it is
    kept as it is; all other names stay what they were, because states lie at their keys.
    """
    together = key_name(f"{service}-{text}")
    if together == service or together.startswith(f"{service}-"):
        return together
    joined = f"{service}-{key_name(text)}"
    if is_key_name(joined):
        return joined
    return f"{joined[:_STEM].strip('-')}-{_digest(f'{service}-{text}')[:_DIGEST]}"


def file_name(name: str) -> str:
    """Return the name of a shard as that of a file or folder; different shards have different ones.

    Of letters, digits, `.`, `_` and `-`, at most 128 and not starting with `.` or `-`, where `name` is so
    already and no `.lock`; else with a digest after a `~`, which no name of that kind has.
    """
    if _PLAIN_FILE.fullmatch(name) is not None:
        return name
    return f"{key_name(name)[:_STEM]}~{_digest(name)[: 2 * _DIGEST]}"


def is_key_name(text: str) -> bool:
    """Whether `text` is a service or an environment as a key has it."""
    return _NAME.fullmatch(text) is not None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _checked(part: str, value: str, pattern: re.Pattern[str], allowed: str) -> str:
    if pattern.fullmatch(value) is None:
        raise InvalidStateKeyError(f"{part} must be {allowed}, got {value!r}")
    return value
