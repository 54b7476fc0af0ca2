"""How the load balancer finds out that a task may get requests."""

import re
from dataclasses import dataclass, field

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

# Elastic Load Balancing, CreateTargetGroup: the range of each number, and codes of a target group of HTTP.
_RANGES = {
    "interval_seconds": (5, 300),
    "timeout_seconds": (2, 120),
    "healthy_after": (2, 10),
    "unhealthy_after": (2, 10),
}
_CODES = re.compile(r"[2-4][0-9]{2}(?:-[2-4][0-9]{2}|(?:,[2-4][0-9]{2})*)")


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """The load balancer's health check of each task, on the path `health` of its service.

    Asked every `interval_seconds` (5-300); an answer takes at most `timeout_seconds` (2-120, shorter than
    the interval) and has one of `codes`, such as `200`, `200-299` or `200,204`. `healthy_after` (2-10) good
    answers in a row bring requests, `unhealthy_after` (2-10) bad ones end the task. Raises ConstructError
    otherwise.
    """

    interval_seconds: int = field(default=15)
    timeout_seconds: int = field(default=5)
    healthy_after: int = field(default=2)
    unhealthy_after: int = field(default=3)
    codes: str = field(default="200-299")

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConstructError(f"{name} of TargetHealth", got=value, allowed=f"{least}-{most}")
        if self.timeout_seconds >= self.interval_seconds:
            raise ConstructError(
                "timeout_seconds of TargetHealth",
                got=self.timeout_seconds,
                allowed=f"less than interval_seconds, {self.interval_seconds}",
            )
        first, dash, last = self.codes.partition("-")
        if _CODES.fullmatch(self.codes) is None or (dash and first > last):
            allowed = "codes of 200-499: one, a range such as 200-299, or several such as 200,204"
            raise ConstructError("codes of TargetHealth", got=self.codes, allowed=allowed)
