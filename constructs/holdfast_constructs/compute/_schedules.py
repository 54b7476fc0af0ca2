"""When something happens, as EventBridge and Application Auto Scaling write it, checked before AWS sees it.

Sources: Amazon EventBridge Scheduler User Guide, "Schedule types", and EventBridge User Guide, "Cron
expressions reference".
"""

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import available_timezones

from holdfast_constructs.errors import ConstructError

_CRON = re.compile(r"cron\((?P<fields>[^()]+)\)")
_RATE = re.compile(r"rate\((?P<number>[1-9][0-9]{0,5}) (?P<unit>minute|hour|day)(?P<plural>s?)\)")
_AT = re.compile(
    r"at\([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\)"
)
_FIELDS: Mapping[str, tuple[int, int]] = {
    "minutes": (0, 59),
    "hours": (0, 23),
    "day of month": (1, 31),
    "month": (1, 12),
    "day of week": (1, 7),
    "year": (1970, 2199),
}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_WORDS: Mapping[str, Mapping[str, int]] = {
    "month": {name: number for number, name in enumerate(_MONTHS, 1)},
    "day of week": {name: number for number, name in enumerate(_DAYS, 1)},
}
_SPECIAL: Mapping[str, re.Pattern[str]] = {
    "day of month": re.compile(r"L|LW|(?:[1-9]|[12][0-9]|3[01])W"),
    "day of week": re.compile(r"L|(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#[1-5])"),
}
_SHORT = dict.fromkeys(("4", "APR", "6", "JUN", "9", "SEP", "11", "NOV"), ("31",))
_NEVER: Mapping[str, tuple[str, ...]] = {**_SHORT, "2": ("30", "31"), "FEB": ("30", "31")}
_ANY_DAY = frozenset({"day of month", "day of week"})
_EXAMPLES = "cron(15 3 * * ? *), rate(10 minutes) or at(2027-01-31T09:00:00)"


def check_schedule(what: str, expression: str) -> None:
    """Raise ConstructError for what AWS does not read as a time; `what` names the property."""
    if _is_rate(expression):
        return
    if _AT.fullmatch(expression) is not None:
        _check_day(what, expression)
        return
    match = _CRON.fullmatch(expression)
    if match is None:
        raise ConstructError(what, got=expression, allowed=f"such as {_EXAMPLES}")
    problem = _problem(match["fields"].split())
    if problem is not None:
        raise ConstructError(f"{what}: {problem}", got=expression, next_step=f"write it such as {_EXAMPLES}")


def _check_day(what: str, expression: str) -> None:
    try:
        datetime.fromisoformat(expression.removeprefix("at(").removesuffix(")"))
    except ValueError as error:
        raise ConstructError(what, got=expression, allowed="a day that there is") from error


def check_timezone(what: str, timezone: str) -> None:
    """Raise ConstructError for what is no time zone of the IANA's."""
    zones = available_timezones()
    if zones and timezone not in zones:
        raise ConstructError(what, got=timezone, allowed="the name of a time zone such as Europe/Berlin")


def _is_rate(expression: str) -> bool:
    match = _RATE.fullmatch(expression)
    return match is not None and (match["number"] == "1") == (match["plural"] == "")


def _problem(values: list[str]) -> str | None:
    """Say what is wrong with the fields of a cron expression."""
    if len(values) != len(_FIELDS):
        return f"cron has {len(_FIELDS)} fields ({', '.join(_FIELDS)}), not {len(values)}"
    given = dict(zip(_FIELDS, values, strict=True))
    if [given[name] for name in sorted(_ANY_DAY)].count("?") != 1:
        return "one of day of month and day of week must be ?, because each day is named by one of them"
    if given["day of month"] in _NEVER.get(given["month"], ()):
        return f"month {given['month']} has no day {given['day of month']}"
    for name, value in given.items():
        if not all(_is_allowed(name, part) for part in value.split(",")):
            low, high = _FIELDS[name]
            return f"{name} {value} is not of {low}-{high}"
    return None


def _is_allowed(name: str, part: str) -> bool:
    if part in ("*", "?"):
        return part == "*" or name in _ANY_DAY
    if name in _SPECIAL and _SPECIAL[name].fullmatch(part):
        return True
    values, slash, step = part.partition("/")
    if slash and not re.fullmatch(r"[1-9][0-9]{0,3}", step):
        return False
    first, _, last = values.partition("-")
    low, high = _FIELDS[name]
    ends = [_number(name, each) for each in (first, last or first)]
    return values == "*" or all(each is not None and low <= each <= high for each in ends)


def _number(name: str, value: str) -> int | None:
    if value in _WORDS.get(name, {}):
        return _WORDS[name][value]
    return int(value) if re.fullmatch(r"[0-9]{1,4}", value) else None
