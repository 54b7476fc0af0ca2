"""Rules for the events that a consumer asks for, as EventBridge's "Event patterns" has them."""

from collections.abc import Mapping
from typing import Any

from holdfast_constructs.errors import ConstructError

# Amazon EventBridge User Guide, "Events": the fields of every event.
_FIELDS = frozenset({
    *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"),
    "$or",
})  # fmt: skip


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


def _check_values(values: Mapping[str, Any], place: str) -> None:
    for field, value in values.items():
        inner = f"{place}[{field!r}]"
        if isinstance(value, Mapping) and value:
            _check_values(value, inner)
        elif not isinstance(value, list | tuple) or not value:
            raise ConstructError(inner, got=value, allowed="a list of what it may be, or a dict of fields")
