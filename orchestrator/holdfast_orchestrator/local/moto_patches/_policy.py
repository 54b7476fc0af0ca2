"""IAM policy evaluation as far as bucket policies use it: statements in, one verdict out. Pure.

Figures and semantics from the IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements:
Condition": all operators and all keys of a Condition must hold, any value of a key will do; a key the
request does not have fails positive operators and holds for negated and `IfExists` ones.
"""

import fnmatch
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

Verdict = Literal["allow", "deny", "neutral"]
Test = Callable[[str, str], bool]


def evaluate(policy: Mapping[str, Any], *, action: str, resource: str, context: Mapping[str, str]) -> Verdict:
    """Say what a resource policy says to a request of its own account: a deny wins over any allow.

    `context` has the request's condition keys in lower case, `aws:principalaccount` among them.
    """
    effects = {
        str(statement.get("Effect"))
        for statement in _many(policy.get("Statement", ()))
        if _concerns(statement, action, resource)
        and _meant(statement, context)
        and _holds(statement, context)
    }
    return "deny" if "Deny" in effects else "allow" if "Allow" in effects else "neutral"


def _concerns(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    asked = (("Action", action.lower(), str.lower), ("Resource", resource, str))
    for element, value, normal in asked:
        if f"Not{element}" in statement:
            if any(_like(normal(p), value) for p in _many(statement[f"Not{element}"])):
                return False
        elif element in statement and not any(_like(normal(p), value) for p in _many(statement[element])):
            return False
    return True


def _meant(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], context)
    return _names(statement.get("Principal", "*"), context)


def _names(principal: Any, context: Mapping[str, str]) -> bool:
    if principal == "*":
        return True
    account = context["aws:principalaccount"]
    accounts = (name for name in _many(principal.get("AWS", ())))
    return any(name in {"*", account} or f"::{account}:" in name for name in accounts)


def _holds(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return all(
        _condition(operator, context.get(key.lower()), [str(v) for v in _many(expected)])
        for operator, keys in statement.get("Condition", {}).items()
        for key, expected in keys.items()
    )


def _condition(operator: str, actual: str | None, expected: list[str]) -> bool:
    name = operator.rpartition(":")[2]
    if name == "Null":
        return (actual is None) == (expected[0].lower() == "true")
    if actual is None:
        # ForAllValues of no values at all is true, as everywhere.
        return name.endswith("IfExists") or "Not" in name or operator.startswith("ForAllValues")
    name = name.removesuffix("IfExists")
    test = _TESTS.get(name.replace("Not", "", 1) if "Not" in name else name)
    if test is None:
        return True
    matches = any(test(value, actual) for value in expected)
    return not matches if "Not" in name else matches


def _like(pattern: str, value: str) -> bool:
    # fnmatch knows [sets], IAM does not.
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _in_network(network: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


def _numeric(compare: Callable[[float, float], bool]) -> Test:
    return lambda expected, actual: compare(float(actual), float(expected))


_TESTS: dict[str, Test] = {
    "StringEquals": lambda expected, actual: actual == expected,
    "StringEqualsIgnoreCase": lambda expected, actual: actual.lower() == expected.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda expected, actual: actual.lower() == expected.lower(),
    "IpAddress": _in_network,
    "NumericEquals": _numeric(lambda actual, expected: actual == expected),
    "NumericLessThan": _numeric(lambda actual, expected: actual < expected),
    "NumericLessThanEquals": _numeric(lambda actual, expected: actual <= expected),
    "NumericGreaterThan": _numeric(lambda actual, expected: actual > expected),
    "NumericGreaterThanEquals": _numeric(lambda actual, expected: actual >= expected),
}


def _many(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)
