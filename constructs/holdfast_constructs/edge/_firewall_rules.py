"""The rules of the web ACL as data, in the shape of Terraform's `rule` blocks.

In go the mode for everything and the modes of single rules; out come plain dictionaries. They are plain
because the bindings' classes for WAF statements are thousands of lines that read no better than this, and
they are pure so that what is blocked and what is counted can be tested in milliseconds.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args

from holdfast_constructs.edge._managed_rules import COUNTED_BY_AWS, GENTLE_RULES, MANAGED_RULES, RATE_LIMIT
from holdfast_constructs.errors import ConstructError

Mode = Literal["count", "block"]
MODES: tuple[Mode, ...] = get_args(Mode)

# AWS WAF, RateBasedStatement: 10 to 2,000,000,000 requests in the window, which is 300 s here.
LOWEST_RATE, HIGHEST_RATE = 10, 2_000_000_000
_WINDOW_SECONDS = 300
_SPACING = 10


def firewall_rules(*, mode: Mode, rate_limit: int, rule_modes: Mapping[str, Mode]) -> list[dict[str, Any]]:
    """Return the rules, in order of priority: the rate limit, then each managed group.

    `rate_limit` is requests in five minutes from one address. `rule_modes` gives a rule, a whole managed
    group, or `RateLimit` another mode than `mode`; a rule's own entry wins over its group's. GENTLE_RULES
    block only by an entry of their own. Raises ConstructError for an unknown name or mode.
    """
    _check_modes(mode, rate_limit, rule_modes)
    rate = _rate_rule(rate_limit, rule_modes.get(RATE_LIMIT, mode))
    groups = [
        _group_rule(group, rules, rule_modes.get(group, mode), rule_modes)
        for group, rules in MANAGED_RULES.items()
    ]
    return [{**rule, "priority": place * _SPACING} for place, rule in enumerate([rate, *groups])]


def visibility(metric: str) -> dict[str, Any]:
    """Return the block that turns on metrics and samples under the name `metric`."""
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": True}


def _rate_rule(limit: int, mode: Mode) -> dict[str, Any]:
    statement = {"limit": limit, "aggregate_key_type": "IP", "evaluation_window_sec": _WINDOW_SECONDS}
    return {
        "name": RATE_LIMIT,
        "action": {mode: {}},
        "statement": {"rate_based_statement": statement},
        "visibility_config": visibility(RATE_LIMIT),
    }


def _group_rule(
    group: str, rules: tuple[str, ...], mode: Mode, rule_modes: Mapping[str, Mode]
) -> dict[str, Any]:
    modes = {rule: rule_modes.get(rule, "count" if rule in GENTLE_RULES else mode) for rule in rules}
    statement: dict[str, Any] = {"vendor_name": "AWS", "name": group}
    # `count` on the whole group also holds for rules AWS adds to it later; where one rule blocks, so do they.
    all_counted = all(mode == "count" for mode in modes.values())
    differing = [rule for rule in rules if (modes[rule] == "count") != (rule in COUNTED_BY_AWS)]
    if differing and not all_counted:
        statement["rule_action_override"] = [
            {"name": rule, "action_to_use": {modes[rule]: {}}} for rule in differing
        ]
    return {
        "name": group,
        "override_action": {"count" if all_counted else "none": {}},
        "statement": {"managed_rule_group_statement": statement},
        "visibility_config": visibility(group),
    }


def _check_modes(mode: Mode, rate_limit: int, rule_modes: Mapping[str, Mode]) -> None:
    if mode not in MODES:
        raise ConstructError("mode", got=mode, allowed="count or block")
    if not LOWEST_RATE <= rate_limit <= HIGHEST_RATE:
        allowed = f"{LOWEST_RATE}-{HIGHEST_RATE} requests in five minutes"
        raise ConstructError("rate_limit", got=rate_limit, allowed=allowed)
    rule_names = {RATE_LIMIT, *MANAGED_RULES, *(rule for rules in MANAGED_RULES.values() for rule in rules)}
    for name, wanted in rule_modes.items():
        if name not in rule_names:
            close = get_close_matches(name, sorted(rule_names), n=1)
            raise ConstructError(
                "a name in rule_modes",
                got=name,
                allowed="a managed group, one of its rules, or RateLimit",
                next_step=f"did you mean {close[0]}?" if close else None,
            )
        if wanted not in MODES:
            raise ConstructError(f"rule_modes[{name!r}]", got=wanted, allowed="count or block")
