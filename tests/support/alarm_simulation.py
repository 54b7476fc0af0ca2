"""CloudWatch's evaluation of alarms, minute by minute, without CloudWatch: on counts of requests.

Windows end at the minute that is looked at and are as long as the alarm's period: CloudWatch's slide, too.
A count that is 0 has no data, as those of a load balancer; nothing is there without requests.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from holdfast_constructs.observability.alarm_rule import AlarmRule, State
from holdfast_constructs.observability.metrics import Metric, queries
from holdfast_constructs.observability.threshold import Threshold

Value = float | None
COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
}


class Traffic:
    """What happens in each minute: requests, those answered with an error, and those answered too slowly."""

    def __init__(
        self, requests: Sequence[int], errors: Sequence[int], slow: Sequence[int] | None = None
    ) -> None:
        self.minutes = len(requests)
        none = [0] * self.minutes
        self._sums = {
            name: [0, *accumulate(each)]
            for name, each in (("requests", requests), ("errors", errors), ("slow", slow or none))
        }

    def value(self, metric: Metric, minute: int) -> Value:
        """Return what CloudWatch has of a metric for the period that ends after `minute`."""
        requests = self._sum("requests", metric.period_seconds, minute)
        match metric.name:
            case "RequestCount":
                return requests or None
            case "HTTPCode_Target_5XX_Count":
                return self._sum("errors", metric.period_seconds, minute) or None
            case "TargetResponseTime":
                slow = self._sum("slow", metric.period_seconds, minute)
                return 100 * (requests - slow) / requests if requests else None
            case _:
                return None

    def _sum(self, name: str, seconds: int, minute: int) -> int:
        sums, end = self._sums[name], max(0, minute + 1)
        return sums[end] - sums[max(0, end - seconds // 60)]


@dataclass(slots=True)
class Simulated:
    """An alarm that is evaluated each minute."""

    when: Threshold
    state: State = "INSUFFICIENT_DATA"

    def __post_init__(self) -> None:
        self._entries = [
            (each.id, each.metric, _compiled(each.expression)) for each in queries(self.when.signal)
        ]

    # Of each set of values that there was: most minutes are as the one before.
    _known: dict[tuple[Value, ...], Value] = field(default_factory=dict)
    _entries: Sequence[tuple[str, Metric | None, Callable[[Mapping[str, Value]], Value]]] = ()

    def evaluate(self, traffic: Traffic, minute: int) -> State:
        """Return the state after `minute`; the periods before it begin where the last one ends."""
        step = self.when.seconds // self.when.periods // 60
        values = [self._value(traffic, minute - back * step) for back in range(self.when.periods)]
        present = [value for value in values if value is not None]
        bad = sum(COMPARE[self.when.comparison](value, self.when.value) for value in present)
        if not present and self.when.missing == "ignore":
            return self.state
        if not present and self.when.missing == "missing":
            self.state = "INSUFFICIENT_DATA"
            return self.state
        if self.when.missing == "breaching":
            bad += len(values) - len(present)
        self.state = "ALARM" if bad >= self.when.needed else "OK"
        return self.state

    def _value(self, traffic: Traffic, minute: int) -> Value:
        given = tuple(traffic.value(each, minute) for _, each, _ in self._entries if each is not None)
        if given not in self._known:
            self._known[given] = self._computed(iter(given))
        return self._known[given]

    def _computed(self, given: Iterator[Value]) -> Value:
        values: dict[str, Value] = {}
        last: Value = None
        for name, metric, computed in self._entries:
            last = computed(values) if metric is None else next(given)
            values[name] = last
        return last


def holding(rule: AlarmRule, states: Mapping[str, State]) -> bool:
    """Whether a rule holds for these states of alarms, by their names."""
    return rule.holds(lambda alarm: states[alarm.name])


def changes(firing: Sequence[bool]) -> list[tuple[int, bool]]:
    """Return the minutes at which something begins to fire, and at which it ends."""
    before = [False, *firing]
    return [
        (minute, now) for minute, (was, now) in enumerate(zip(before, firing, strict=False)) if was != now
    ]


def _compiled(expression: str | None) -> Callable[[Mapping[str, Value]], Value]:
    if expression is None:
        return lambda _: None
    text = re.sub(r"\bIF\(", "IF_(", expression)
    return _walked(ast.parse(text, mode="eval").body)


def _walked(node: ast.expr) -> Callable[[Mapping[str, Value]], Value]:  # noqa: C901, PLR0911 - one branch a kind
    match node:
        case ast.Constant(value=float() | int() as number):
            return lambda _: number
        case ast.Name(id=name):
            return lambda values: values[name]
        case ast.Call(func=ast.Name(id="FILL"), args=[what, instead]):
            inner, other = _walked(what), _walked(instead)
            return lambda values: other(values) if inner(values) is None else inner(values)
        case ast.Call(func=ast.Name(id="IF_"), args=[condition, then, otherwise]):
            asked, yes, no = _walked(condition), _walked(then), _walked(otherwise)
            return lambda values: (
                None if asked(values) is None else yes(values) if asked(values) else no(values)
            )
        case ast.Compare(left=left, ops=[ast.Gt()], comparators=[right]):
            return _both(left, right, lambda one, two: float(one > two))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _both(left, right, lambda one, two: one + two)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _both(left, right, lambda one, two: one - two)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _both(left, right, lambda one, two: one * two)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _both(left, right, lambda one, two: one / two if two else None)
    raise AssertionError(f"not known of CloudWatch's math: {ast.dump(node)}")


def _both(
    left: ast.expr, right: ast.expr, operation: Callable[[float, float], Value]
) -> Callable[[Mapping[str, Value]], Value]:
    first, second = _walked(left), _walked(right)

    def computed(values: Mapping[str, Value]) -> Value:
        one, two = first(values), second(values)
        return None if one is None or two is None else operation(one, two)

    return computed
