"""What the manifest says of a shard beside its configuration, as far as a deploy minds it."""

from collections.abc import Mapping
from dataclasses import asdict

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.terraform.json_values import digest

# Where each thing was written is for people; everything else may decide how a deploy goes.
_FIELDS = (
    "name",
    "service",
    "environment",
    "account",
    "region",
    "cloud",
    "role_arn",
    "owners",
    "tags",
    "protected",
    "health_checks",
    "gates",
    "depends_on",
)


def settings_of(shard: Shard) -> Mapping[str, str]:
    """Return a digest for each setting, by name."""
    plain = {name: digest(_plain(getattr(shard, name))) for name in _FIELDS}
    if shard.accepted_differences:
        # What records of older versions do not name is as good as none.
        plain["accepted_differences"] = digest([entry.to_json() for entry in shard.accepted_differences])
    return {**plain, "state": digest(asdict(shard.state))}


def _plain(value: object) -> object:
    match value:
        case Mapping():
            return {str(name): _plain(inner) for name, inner in value.items()}
        case tuple() | list():
            return [_plain(inner) for inner in value]
        case _:
            return value
