"""Metric math as alarms use it: an expression is parsed into a tree and computed over time series.

Source: Amazon CloudWatch User Guide, "Using math expressions with CloudWatch metrics". A data point that
is missing in one operand is missing in the result; so is a division by zero.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast_orchestrator.local.alarms.functions import (
    FUNCTIONS,
    ExpressionError,
    NotEvaluatedError,
    Series,
    Value,
    pairwise,
)

# What CloudWatch knows and the local cloud has no data for.
_ELSEWHERE = frozenset(
    {
        *("ANOMALY_DETECTION_BAND", "SEARCH", "INSIGHT_RULE_METRIC", "DB_PERF_INSIGHTS", "LAMBDA"),
        *("SERVICE_QUOTA", "SORT", "SLICE", "REMOVE_EMPTY", "DIFF_TIME", "EPOCH", "MINUTE", "HOUR", "DAY"),
        *("DATE", "MONTH", "YEAR", "TIME_SERIES"),
    }
)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>(),\[\]]))"
)
# From the loosest to the tightest.
_LEVELS = (("OR", "||"), ("AND", "&&"), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/"))

Node = Callable[["Metrics"], Value]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Series by their ids, oldest point first, all of one length; `period` in seconds."""

    series: Mapping[str, Series]
    period: int
    length: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression and the ids it names."""

    ids: frozenset[str]
    root: Node

    def series(self, metrics: Metrics) -> Series:
        """Return the expression's time series; raise ExpressionError where it has no single one."""
        value = self.root(metrics)
        if isinstance(value, list):
            raise ExpressionError("the expression gives several time series; an alarm watches one")
        if isinstance(value, float):
            return (value,) * metrics.length
        if isinstance(value, str):
            raise ExpressionError(f"the expression gives the text {value!r}")
        return value


def parse(text: str) -> Expression:
    """Parse metric math.

    Raise ExpressionError where CloudWatch would refuse it, NotEvaluatedError where only the local cloud
    does not evaluate it.
    """
    if text.lstrip().upper().startswith("SELECT "):
        raise NotEvaluatedError("a Metrics Insights query")
    reader = _Reader(_tokens(text))
    root = reader.level(0)
    if reader.rest:
        raise ExpressionError(f"unexpected {reader.rest[0]!r} in {text!r}")
    return Expression(frozenset(reader.ids), root)


def _tokens(text: str) -> list[str]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            raise ExpressionError(f"unexpected {text[position:].strip()[:20]!r} in {text!r}")
        tokens.append(found[0].strip())
        position = found.end()
    return tokens


class _Reader:
    """Reads an expression from its tokens by recursive descent."""

    def __init__(self, tokens: list[str]) -> None:
        self.rest = tokens
        self.ids: set[str] = set()

    def level(self, number: int) -> Node:
        if number == len(_LEVELS):
            return self._signed()
        left = self.level(number + 1)
        while self.rest and self.rest[0].upper() in _LEVELS[number]:
            sign = self._take().upper()
            left = _binary(sign, left, self.level(number + 1))
        return left

    def _signed(self) -> Node:
        if self.rest and self.rest[0] == "-":
            self._take()
            return _binary("*", lambda _metrics: -1.0, self._signed())
        base = self._primary()
        if self.rest and self.rest[0] == "^":
            self._take()
            return _binary("^", base, self._signed())
        return base

    def _primary(self) -> Node:
        token = self._take()
        if token == "(":  # noqa: S105 - a bracket
            inner = self.level(0)
            self._expect(")")
            return inner
        if token == "[":  # noqa: S105 - a bracket
            parts = self._list("]")
            return lambda metrics: [_as_series(part(metrics), metrics) for part in parts]
        if token[0] in "\"'":
            return lambda _metrics: token[1:-1]
        if token[0].isdigit() or token[0] == ".":
            return lambda _metrics: float(token)
        if self.rest and self.rest[0] == "(":
            return self._call(token.upper())
        return self._identifier(token)

    def _identifier(self, name: str) -> Node:
        if name.upper() in ("REPEAT", "LINEAR", "TRUE", "FALSE"):
            words: dict[str, Value] = {"TRUE": 1.0, "FALSE": 0.0}
            return lambda _metrics: words.get(name.upper(), name.upper())
        if not name[0].islower():
            raise ExpressionError(f"{name!r} is not an id: an id starts with a lowercase letter")
        self.ids.add(name)
        return lambda metrics: metrics.series[name]

    def _call(self, name: str) -> Node:
        if name in _ELSEWHERE:
            raise NotEvaluatedError(f"the function {name}")
        self._take()
        parts = self._list(")")
        if name == "PERIOD":
            return lambda metrics: float(metrics.period)
        if name == "METRICS":
            return lambda metrics: list(metrics.series.values())
        if name not in FUNCTIONS:
            raise ExpressionError(f"CloudWatch has no function {name}")
        function, least, most = FUNCTIONS[name]
        if not least <= len(parts) <= most:
            raise ExpressionError(f"{name} takes {least} to {most} arguments, got {len(parts)}")
        return lambda metrics: function([part(metrics) for part in parts], metrics.period)

    def _list(self, end: str) -> list[Node]:
        parts: list[Node] = []
        while self.rest and self.rest[0] != end:
            if parts:
                self._expect(",")
            parts.append(self.level(0))
        self._expect(end)
        return parts

    def _take(self) -> str:
        if not self.rest:
            raise ExpressionError("the expression ends too early")
        return self.rest.pop(0)

    def _expect(self, token: str) -> None:
        if (got := self._take()) != token:
            raise ExpressionError(f"expected {token!r}, got {got!r}")


def _as_series(value: Value, metrics: Metrics) -> Series:
    if isinstance(value, float):
        return (value,) * metrics.length
    if isinstance(value, tuple):
        return value
    raise ExpressionError("a list holds time series and numbers only")


def _binary(sign: str, left: Node, right: Node) -> Node:
    return lambda metrics: pairwise(_OPERATORS[sign], left(metrics), right(metrics))


def _power(base: float, exponent: float) -> float | None:
    try:
        result = base**exponent
    except (ZeroDivisionError, OverflowError):
        return None
    return result if isinstance(result, float) else None


_OPERATORS: dict[str, Callable[[float, float], float | None]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
    "^": _power,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "AND": lambda a, b: float(bool(a and b)),
    "&&": lambda a, b: float(bool(a and b)),
    "OR": lambda a, b: float(bool(a or b)),
    "||": lambda a, b: float(bool(a or b)),
}
