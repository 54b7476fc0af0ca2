"""What the rules of a web ACL cost of its capacity, in web ACL capacity units (WCU).

Source of every figure: AWS WAF Developer Guide, the pages of the rule statements, and "AWS WAF quotas". Each
text transformation counts as 10 here, as it is documented; AWS counts one that several statements share
once, so the figure may be a little above that of AWS, and is never below it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from holdfast_constructs.edge._managed_rules import GROUP_CAPACITY
from holdfast_constructs.errors import ConstructError

# What a web ACL may cost; up to 1,500 are in its price.
MOST_CAPACITY = 5_000
# Service Quotas, AWS WAF: rate-based statements in a web ACL.
MOST_RATE_LIMITS = 10

_TRANSFORMATION = 10
_OF_STATEMENT = {
    "rate_based_statement": 2,
    "ip_set_reference_statement": 1,
    "label_match_statement": 1,
    # EXACTLY and STARTS_WITH, the only two that are used here.
    "byte_match_statement": 2,
    "regex_match_statement": 3,
    "and_statement": 0,
    "or_statement": 0,
    "not_statement": 0,
}


def capacity_of(rules: Iterable[Mapping[str, Any]]) -> int:
    """Return what `rules` cost together, in WCU."""
    return sum(_cost(rule["statement"]) for rule in rules)


def check_capacity(rules: Iterable[Mapping[str, Any]]) -> int:
    """Return what `rules` cost in WCU; raises ConstructError for more than AWS WAF allows a web ACL."""
    rules = list(rules)
    limits = sum("rate_based_statement" in rule["statement"] for rule in rules)
    if limits > MOST_RATE_LIMITS:
        raise ConstructError(
            "the number of rate limits",
            got=limits,
            allowed=f"at most {MOST_RATE_LIMITS} in a web ACL of AWS WAF, with rate_limit among them",
            next_step="give paths that begin alike one limit, with * at its end",
        )
    cost = capacity_of(rules)
    if cost > MOST_CAPACITY:
        raise ConstructError(
            "the capacity of the firewall's rules",
            got=cost,
            allowed=f"at most {MOST_CAPACITY} units (WCU) in a web ACL of AWS WAF",
            next_step="name fewer hosts and paths, with * at the end of those that begin alike",
        )
    return cost


def _cost(statement: Mapping[str, Any]) -> int:
    [(kind, body)] = statement.items()
    if kind == "managed_rule_group_statement":
        return GROUP_CAPACITY[body["name"]]
    nested = body.get("statement", [])
    inner = nested if isinstance(nested, list) else [nested]
    if "scope_down_statement" in body:
        inner = [*inner, body["scope_down_statement"]]
    transformations = _TRANSFORMATION * len(body.get("text_transformation", ()))
    return _OF_STATEMENT[kind] + transformations + sum(_cost(each) for each in inner)
