"""What SQS allows of a queue, and the rules of FIFO and dead-letter queues."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_constructs._tokens import is_number_token
from holdfast_constructs.errors import ConstructError

# Amazon SQS, CreateQueue: the attributes and their ranges (botocore 1.44, sqs/2012-11-05).
RANGES: Mapping[str, tuple[int, int]] = {
    "visibility_seconds": (0, 43_200),
    "delay_seconds": (0, 900),
    "wait_seconds": (0, 20),
}
LONGEST_RETENTION_DAYS = 14
# Amazon SQS Developer Guide, "Configuring a dead-letter queue": 1 to 1,000.
MOST_RECEIVES = 1000
DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a queue, checked when made."""

    fifo: bool
    deduplicate_by_content: bool
    high_throughput: bool
    visibility_seconds: int
    retention_days: int
    delay_seconds: int
    wait_seconds: int
    max_receives: int

    def __post_init__(self) -> None:
        for name, (least, most) in RANGES.items():
            _check_range(name, getattr(self, name), least, most)
        _check_range("max_receives", self.max_receives, 1, MOST_RECEIVES)
        self._check_retention()
        self._check_fifo()

    def order(self) -> dict[str, Any]:
        """Return the arguments that make a queue FIFO; none for a standard queue."""
        if not self.fifo:
            return {}
        busy = {"deduplication_scope": "messageGroup", "fifo_throughput_limit": "perMessageGroupId"}
        return {
            "fifo_queue": True,
            "content_based_deduplication": self.deduplicate_by_content,
            **(busy if self.high_throughput else {}),
        }

    def _check_retention(self) -> None:
        if is_number_token(self.retention_days) or 1 <= self.retention_days < LONGEST_RETENTION_DAYS:
            return
        raise ConstructError(
            "retention_days",
            got=self.retention_days,
            allowed=f"1-{LONGEST_RETENTION_DAYS - 1}",
            next_step="a dead letter goes 14 days after its message was sent: leave time to read it",
        )

    def _check_fifo(self) -> None:
        for name in ("deduplicate_by_content", "high_throughput"):
            if getattr(self, name) and not self.fifo:
                raise ConstructError(
                    name,
                    got=True,
                    allowed="False for a standard queue",
                    next_step="only a FIFO queue has that: add fifo=True, or remove it",
                )


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not is_number_token(value) and not least <= value <= most:
        raise ConstructError(name, got=value, allowed=f"{least:,}-{most:,}")
