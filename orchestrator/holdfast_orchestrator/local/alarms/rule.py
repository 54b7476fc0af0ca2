"""The rule of a composite alarm: AND, OR and NOT over the states of other alarms.

Source: Amazon CloudWatch API Reference, PutCompositeAlarm, AlarmRule. NOT binds tighter than AND, AND
tighter than OR; a name may stand in quotes, or be an ARN.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

# What the state of an alarm is; None where there is no such alarm.
StateOf = Callable[[str], str | None]
_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>[^()\"\s][^()\"]*?))"
    r"\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<bracket>[()]))"
)


class RuleError(ValueError):
    """CloudWatch refuses the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A parsed rule: the names of its alarms, and whether it holds."""

    children: frozenset[str]
    holds: Callable[[StateOf], bool]


def parse_rule(text: str) -> Rule:
    """Parse an AlarmRule; raise RuleError where CloudWatch would refuse it."""
    reader = _Reader(text)
    holds = reader.either()
    if reader.tokens:
        raise RuleError(f"unexpected {reader.tokens[0][0].strip()!r} in the alarm rule {text!r}")
    return Rule(frozenset(reader.children), holds)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.children: set[str] = set()
        self.tokens: list[re.Match[str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None:
                raise RuleError(f"unexpected {text[position:].strip()[:20]!r} in the alarm rule {text!r}")
            self.tokens.append(found)
            position = found.end()

    def either(self) -> Callable[[StateOf], bool]:
        parts = [self._both()]
        while self._word("OR"):
            parts.append(self._both())
        return lambda state: any(part(state) for part in parts)

    def _both(self) -> Callable[[StateOf], bool]:
        parts = [self._single()]
        while self._word("AND"):
            parts.append(self._single())
        return lambda state: all(part(state) for part in parts)

    def _single(self) -> Callable[[StateOf], bool]:
        if self._word("NOT"):
            inner = self._single()
            return lambda state: not inner(state)
        if not self.tokens:
            raise RuleError(f"the alarm rule {self.text!r} ends too early")
        token = self.tokens.pop(0)
        if token["state"]:
            return self._leaf(token)
        if token["word"] in ("TRUE", "FALSE"):
            return lambda _state: token["word"] == "TRUE"
        if token["bracket"] != "(":
            raise RuleError(f"unexpected {token[0].strip()!r} in the alarm rule {self.text!r}")
        inner = self.either()
        if not self.tokens or self.tokens.pop(0)["bracket"] != ")":
            raise RuleError(f"a bracket of the alarm rule {self.text!r} is not closed")
        return inner

    def _leaf(self, token: re.Match[str]) -> Callable[[StateOf], bool]:
        name = alarm_name(token["quoted"] or token["bare"])
        self.children.add(name)
        return lambda state: state(name) == token["state"]

    def _word(self, word: str) -> bool:
        if self.tokens and self.tokens[0]["word"] == word:
            self.tokens.pop(0)
            return True
        return False


def alarm_name(reference: str) -> str:
    """Return the name of an alarm that is referred to by its name or its ARN."""
    return reference.partition(":alarm:")[2] if reference.startswith("arn:") else reference
