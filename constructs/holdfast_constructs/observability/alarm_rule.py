"""The rule of a composite alarm, from typed parts: `(fast.fires & short.fires) | ~other.fires`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from holdfast_constructs.errors import ConstructError

State = Literal["ALARM", "OK", "INSUFFICIENT_DATA"]

# Amazon CloudWatch API Reference, PutCompositeAlarm: characters of a rule, and alarms that it may name.
LONGEST_RULE = 10_240
MOST_CHILDREN = 100


class AnyAlarm(Protocol):
    """An alarm of either kind."""

    @property
    def name(self) -> str:
        """Its name in AWS."""

    @property
    def reference(self) -> str:
        """Its name, as something that Terraform knows to come from the alarm."""

    @property
    def notifies(self) -> bool:
        """Whether it tells somebody by itself."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """A rule, or a part of one: `&` is AND, `|` is OR, `~` is NOT.

    It is made from alarms that are there, so that no alarm can depend on itself.
    """

    word: str
    parts: tuple["AlarmRule", ...] = ()
    alarm: AnyAlarm | None = None

    def __and__(self, other: "AlarmRule") -> "AlarmRule":
        return AlarmRule("AND", (self, other))

    def __or__(self, other: "AlarmRule") -> "AlarmRule":
        return AlarmRule("OR", (self, other))

    def __invert__(self) -> "AlarmRule":
        return AlarmRule("NOT", (self,))

    def __bool__(self) -> bool:
        raise ConstructError(
            "a rule is neither true nor false while the app runs",
            next_step="write &, | and ~, not and, or and not",
        )

    def text(self, name_of: Callable[[AnyAlarm], str]) -> str:
        """Return the rule as CloudWatch reads it, each alarm by the name that `name_of` gives it."""
        if self.alarm is not None:
            return f'{self.word}("{name_of(self.alarm)}")'
        inner = [part.text(name_of) for part in self.parts]
        return f"NOT {inner[0]}" if self.word == "NOT" else f"({f' {self.word} '.join(inner)})"

    def holds(self, state_of: Callable[[AnyAlarm], State]) -> bool:
        """Whether the rule is true for the states that `state_of` gives."""
        if self.alarm is not None:
            return state_of(self.alarm) == self.word
        match self.word:
            case "NOT":
                return not self.parts[0].holds(state_of)
            case "AND":
                return all(part.holds(state_of) for part in self.parts)
            case _:
                return any(part.holds(state_of) for part in self.parts)

    def alarms(self, *, negated: bool | None = None) -> Iterator[AnyAlarm]:
        """Return the alarms it names; only those that are under a NOT, or only those that are under none."""
        yield from self._alarms(wanted=negated, under=False)

    def _alarms(self, *, wanted: bool | None, under: bool) -> Iterator[AnyAlarm]:
        if self.alarm is not None and wanted in (None, under):
            yield self.alarm
        for part in self.parts:
            yield from part._alarms(wanted=wanted, under=under != (self.word == "NOT"))  # noqa: SLF001 - its own kind


def check_rule(rule: AlarmRule, *, owner: str, notifies: bool) -> None:
    """Raise ConstructError for a rule that CloudWatch refuses, and for a cause that would be told twice."""
    length = len(rule.text(lambda alarm: alarm.name))
    if length > LONGEST_RULE:
        raise ConstructError(
            f"the rule of {owner}",
            got=f"{length} characters",
            allowed=f"at most {LONGEST_RULE}",
            next_step="make composite alarms of parts of it",
        )
    children = {alarm.name for alarm in rule.alarms()}
    if len(children) > MOST_CHILDREN:
        raise ConstructError(
            f"the alarms in the rule of {owner}",
            got=len(children),
            allowed=f"at most {MOST_CHILDREN}",
            next_step="make composite alarms of parts of it",
        )
    loud = next((alarm.name for alarm in rule.alarms(negated=False) if alarm.notifies), None)
    if notifies and loud is not None:
        raise ConstructError(
            f"{owner} and {loud} would both tell of one cause",
            next_step=f"give {loud} notify=False: {owner} speaks for it",
        )
