"""Rules for the events that a consumer asks for, as EventBridge's "Event patterns" has them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast_constructs.errors import ConstructError

# Amazon EventBridge User Guide, "Events": the fields of every event.
_FIELDS = frozenset({
    *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"),
    "$or",
})  # fmt: skip

# The same guide, "Comparison operators for use in event patterns", and "EventBridge quotas".
_COMPARISONS = frozenset(
    {"anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"}
)
LONGEST_PATTERN = 2048


def check_pattern(pattern: Mapping[str, Any]) -> None:
    """Raise ConstructError for a pattern that EventBridge refuses, or that no event can match."""
    if not pattern:
        allowed = 'at least one field, such as {"source": ["aws.s3"]}'
        raise ConstructError("pattern", got=dict(pattern), allowed=allowed)
    for field in pattern:
        if field not in _FIELDS:
            raise ConstructError(
                f"pattern has the field {field!r}",
                next_step=f"events have {', '.join(sorted(_FIELDS))}; what is in an event is in detail",
            )
    _check_values(pattern, "pattern")
    size = len(json.dumps(pattern, separators=(",", ":")))
    if size > LONGEST_PATTERN:
        raise ConstructError("pattern", got=f"{size:,} characters", allowed=f"at most {LONGEST_PATTERN:,}")


def _check_values(values: Mapping[str, Any], place: str) -> None:
    for field, value in values.items():
        inner = f"{place}[{field!r}]"
        if isinstance(value, Mapping) and value:
            _check_values(value, inner)
        elif not isinstance(value, list | tuple) or not value:
            raise ConstructError(inner, got=value, allowed="a list of what it may be, or a dict of fields")
        else:
            _check_comparisons(value, inner, branches=field == "$or")


def _check_comparisons(values: Sequence[Any], place: str, *, branches: bool) -> None:
    for each in values:
        if branches and isinstance(each, Mapping):
            _check_values(each, place)
        elif isinstance(each, Mapping) and (len(each) != 1 or not _COMPARISONS.issuperset(each)):
            raise ConstructError(
                place, got=dict(each), allowed=f"a value, or one of {', '.join(sorted(_COMPARISONS))}"
            )
