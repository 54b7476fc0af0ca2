"""Rules for a scheduled job, with the limits of EventBridge Scheduler (RetryPolicy, FlexibleTimeWindow)."""

from dataclasses import dataclass

from holdfast_constructs.compute._schedules import check_schedule, check_timezone
from holdfast_constructs.errors import ConstructError

MOST_RETRIES = 185
SHORTEST_AGE_SECONDS, LONGEST_AGE_SECONDS = 60, 86_400
LONGEST_WINDOW_MINUTES = 1_440


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When a job starts, and how long a start is tried; raises ConstructError for what AWS would refuse."""

    schedule: str
    timezone: str
    window_minutes: int
    retries: int
    max_age_seconds: int

    def __post_init__(self) -> None:
        check_schedule("schedule", self.schedule)
        check_timezone("timezone", self.timezone)
        _check_range("window_minutes", self.window_minutes, 0, LONGEST_WINDOW_MINUTES)
        _check_range("retries", self.retries, 0, MOST_RETRIES)
        _check_range("max_age_seconds", self.max_age_seconds, SHORTEST_AGE_SECONDS, LONGEST_AGE_SECONDS)


def _check_range(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ConstructError(what, got=value, allowed=f"{least}-{most}")
