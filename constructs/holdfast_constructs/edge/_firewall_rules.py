"""The rules of the web ACL as data, in the shape of Terraform's `rule` blocks.

In go the mode for everything and the modes of single rules, exceptions, limits and sets of addresses; out
come plain dictionaries. They are plain because the bindings' classes for WAF statements are thousands of
lines that read no better than this, and they are pure so that what is blocked and what is counted can be
tested in milliseconds. The order is that in which AWS WAF asks them:

    refused addresses, addresses let through, limits by host and path, the limit for all, managed groups, and
    for each managed rule with exceptions the rule that blocks what is no exception
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, get_args

from holdfast_constructs.edge._firewall_capacity import check_capacity
from holdfast_constructs.edge._managed_rules import (
    COUNTED_BY_AWS,
    GENTLE_RULES,
    MANAGED_RULES,
    RATE_LIMIT,
    label_of,
)
from holdfast_constructs.edge._request_scope import scope_statement
from holdfast_constructs.edge.firewall_exception import FirewallException
from holdfast_constructs.edge.rate_limit import RateLimit, check_rate
from holdfast_constructs.errors import ConstructError

Mode = Literal["count", "block"]
MODES: tuple[Mode, ...] = get_args(Mode)

BLOCKED_ADDRESSES, ALLOWED_ADDRESSES = "BlockedAddresses", "AllowedAddresses"
# What is no exception is blocked by a rule with this after the name of the managed rule.
ELSEWHERE = "-Elsewhere"
# RFC 6585: the sender has sent too many requests.
TOO_MANY_REQUESTS = 429

_WINDOW_SECONDS = 300
_SPACING = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the rules are made of; `blocked` and `allowed` are ARNs of IP sets."""

    mode: Mode
    rate_limit: int
    rule_modes: Mapping[str, Mode] = field(default_factory=dict)
    rate_limits: Sequence[RateLimit] = ()
    exceptions: Sequence[FirewallException] = ()
    blocked: Sequence[str] = ()
    allowed: Sequence[str] = ()


def firewall_rules(filters: Filters) -> list[dict[str, Any]]:
    """Return the rules, in order of priority.

    `rate_limit` is requests in five minutes from one address. `rule_modes` gives a rule, a whole managed
    group, or a limit another mode than `mode`; a rule's own entry wins over its group's. GENTLE_RULES block
    only by an entry of their own. Raises ConstructError for an unknown name or mode, and for more than a web
    ACL may have.
    """
    _check_modes(filters)
    excepted = _excepted(filters.exceptions)
    modes = {rule: _mode_of(rule, group, filters) for group, rules in MANAGED_RULES.items() for rule in rules}
    # The mode of a limit by host or path is that of the limit for all, unless it has one of its own.
    general = filters.rule_modes.get(RATE_LIMIT, filters.mode)
    rules = [
        *_address_rules(BLOCKED_ADDRESSES, "block", filters.blocked),
        *_address_rules(ALLOWED_ADDRESSES, "allow", filters.allowed),
        *(
            _rate_rule(each.rule, each.requests, filters.rule_modes.get(each.rule, general), each)
            for each in filters.rate_limits
        ),
        _rate_rule(RATE_LIMIT, filters.rate_limit, general),
        *(_group_rule(group, rules, modes, excepted) for group, rules in MANAGED_RULES.items()),
        *(_elsewhere(rule, scopes) for rule, scopes in excepted.items() if modes[rule] == "block"),
    ]
    check_capacity(rules)
    return [{**rule, "priority": place * _SPACING} for place, rule in enumerate(rules)]


def visibility(metric: str) -> dict[str, Any]:
    """Return the block that turns on metrics and samples under the name `metric`."""
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": True}


def _mode_of(rule: str, group: str, filters: Filters) -> Mode:
    usual = "count" if rule in GENTLE_RULES else filters.rule_modes.get(group, filters.mode)
    return filters.rule_modes.get(rule, usual)


def _excepted(exceptions: Sequence[FirewallException]) -> dict[str, list[dict[str, Any]]]:
    """Return for each managed rule with exceptions the statements of the requests it only counts."""
    found: dict[str, list[dict[str, Any]]] = {}
    for exception in exceptions:
        statement = scope_statement(exception.host, exception.path)
        for name in exception.rules:
            _check_name("a name in rules of an exception", name, _managed_names(), "a managed group or rule")
            for rule in MANAGED_RULES.get(name, (name,)):
                scopes = found.setdefault(rule, [])
                if statement not in scopes:
                    scopes.append(statement)
    return {rule: found[rule] for rules in MANAGED_RULES.values() for rule in rules if rule in found}


def _address_rules(name: str, action: str, sets: Sequence[str]) -> list[dict[str, Any]]:
    if not sets:
        return []
    statements = [{"ip_set_reference_statement": {"arn": arn}} for arn in sets]
    any_of = statements[0] if len(statements) == 1 else {"or_statement": {"statement": statements}}
    return [_own_rule(name, {action: {}}, any_of)]


def _rate_rule(name: str, limit: int, mode: Mode, of: RateLimit | None = None) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "limit": limit,
        "aggregate_key_type": "IP",
        "evaluation_window_sec": _WINDOW_SECONDS,
    }
    if of is not None:
        statement["scope_down_statement"] = scope_statement(of.host, of.path)
    answer = {"custom_response": {"response_code": TOO_MANY_REQUESTS}} if mode == "block" else {}
    return _own_rule(name, {mode: answer}, {"rate_based_statement": statement})


def _group_rule(
    group: str,
    rules: tuple[str, ...],
    modes: Mapping[str, Mode],
    excepted: Mapping[str, object],
) -> dict[str, Any]:
    # A rule with exceptions counts here; its label is what a later rule blocks by.
    counts = {rule: modes[rule] == "count" or rule in excepted for rule in rules}
    statement: dict[str, Any] = {"vendor_name": "AWS", "name": group}
    # `count` on the whole group also holds for rules AWS adds to it later; where one rule blocks, so do they.
    # A group that counts as a whole stops at its first match: labels of the rules after it would be missing.
    whole = all(modes[rule] == "count" for rule in rules)
    differing = [rule for rule in rules if counts[rule] != (rule in COUNTED_BY_AWS)]
    if differing and not whole:
        statement["rule_action_override"] = [
            {"name": rule, "action_to_use": {"count" if counts[rule] else "block": {}}} for rule in differing
        ]
    return {
        "name": group,
        "override_action": {"count" if whole else "none": {}},
        "statement": {"managed_rule_group_statement": statement},
        "visibility_config": visibility(group),
    }


def _elsewhere(rule: str, scopes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the rule that blocks what a managed rule matched, and is no exception."""
    matched = {"label_match_statement": {"scope": "LABEL", "key": label_of(rule)}}
    # One `not` for each: the provider takes three levels of nested statements, and a scope may need one.
    elsewhere = [{"not_statement": {"statement": [scope]}} for scope in scopes]
    statement = {"and_statement": {"statement": [matched, *elsewhere]}}
    return _own_rule(f"{rule}{ELSEWHERE}", {"block": {}}, statement)


def _own_rule(name: str, action: Mapping[str, Any], statement: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "action": action, "statement": statement, "visibility_config": visibility(name)}


def _managed_names() -> set[str]:
    return {*MANAGED_RULES, *(rule for rules in MANAGED_RULES.values() for rule in rules)}


def _check_modes(filters: Filters) -> None:
    if filters.mode not in MODES:
        raise ConstructError("mode", got=filters.mode, allowed="count or block")
    check_rate("rate_limit", filters.rate_limit)
    limits = [each.rule for each in filters.rate_limits]
    for rule in limits:
        # AWS WAF: names of rules and metrics are unique in a web ACL.
        if limits.count(rule) > 1:
            raise ConstructError(f"two rate limits are called {rule}", next_step="rename one of the two")
    names = {RATE_LIMIT, *limits, *_managed_names()}
    for name, wanted in filters.rule_modes.items():
        allowed = "a managed group, one of its rules, RateLimit, or RateLimit-<name>"
        _check_name("a name in rule_modes", name, names, allowed)
        if wanted not in MODES:
            raise ConstructError(f"rule_modes[{name!r}]", got=wanted, allowed="count or block")


def _check_name(what: str, name: str, names: set[str], allowed: str) -> None:
    if name in names:
        return
    close = get_close_matches(name, sorted(names), n=1)
    next_step = f"did you mean {close[0]}?" if close else None
    raise ConstructError(what, got=name, allowed=allowed, next_step=next_step)
