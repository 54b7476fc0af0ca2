"""Which services of AWS may deliver to a queue or a topic, and which filters a subscription may have."""

import re
from collections.abc import Mapping, Sequence
from math import prod

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.errors import ConstructError

_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
# Amazon SNS Developer Guide, "Filter policy constraints": the values of all attributes, multiplied.
MOST_COMBINATIONS = 150


def check_delivery(service: str, source_arn: str | None) -> None:
    """Raise ConstructError for what is no service of AWS, and for a source that could be anybody's.

    `source_arn` is None for a service that says none.
    """
    if _SERVICE.fullmatch(service) is None:
        raise ConstructError("service", got=service, allowed="a service of AWS, such as events.amazonaws.com")
    if source_arn is not None and not is_text_token(source_arn) and not source_arn.startswith(("arn:", "${")):
        raise ConstructError("source_arn", got=source_arn, allowed="the ARN of what delivers")


def check_combinations(attributes: Mapping[str, Sequence[str]]) -> None:
    """Raise ConstructError for a filter with more combinations than SNS takes."""
    combinations = prod(len(values) for values in attributes.values())
    if combinations > MOST_COMBINATIONS:
        raise ConstructError(
            "attributes",
            got=f"{combinations} combinations of values",
            allowed=f"at most {MOST_COMBINATIONS}",
            next_step="filter by fewer values, or by more in the program",
        )
