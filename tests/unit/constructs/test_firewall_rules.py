from collections.abc import Mapping
from typing import Any

import pytest

from holdfast_constructs.edge._firewall_rules import Filters, Mode, firewall_rules
from holdfast_constructs.edge._managed_rules import MANAGED_RULES
from holdfast_constructs.errors import ConstructError

NOTHING_ELSE: Mapping[str, Mode] = {}
COMMON = "AWSManagedRulesCommonRuleSet"
SQL = "AWSManagedRulesSQLiRuleSet"
TOO_MANY = {"block": {"custom_response": {"response_code": 429}}}


def _rules(mode: Mode = "block", rule_modes: Mapping[str, Mode] = NOTHING_ELSE) -> dict[str, dict[str, Any]]:
    found = firewall_rules(Filters(mode=mode, rate_limit=2000, rule_modes=rule_modes))
    return {rule["name"]: rule for rule in found}


def _counted(rule: dict[str, Any]) -> set[str]:
    return {name for name, action in _overridden(rule).items() if action == {"count": {}}}


def _overridden(rule: dict[str, Any]) -> dict[str, Any]:
    overrides = rule["statement"]["managed_rule_group_statement"].get("rule_action_override", [])
    return {each["name"]: each["action_to_use"] for each in overrides}


def test_blocking_leaves_every_group_its_own_action() -> None:
    rules = _rules("block")

    assert [rules[name]["override_action"] for name in MANAGED_RULES] == [{"none": {}}] * 5
    assert rules["RateLimit"]["action"] == TOO_MANY


def test_counting_blocks_nothing_at_all() -> None:
    rules = _rules("count")

    assert [rules[name]["override_action"] for name in MANAGED_RULES] == [{"count": {}}] * 5
    assert rules["RateLimit"]["action"] == {"count": {}}


def test_one_rule_can_be_counted_while_its_group_blocks() -> None:
    rules = _rules("block", {"SizeRestrictions_BODY": "count"})

    assert rules[COMMON]["override_action"] == {"none": {}}
    assert _counted(rules[COMMON]) == {"SizeRestrictions_BODY"}


def test_one_rule_can_block_while_its_group_counts() -> None:
    rules = _rules("count", {"Log4JRCE_BODY": "block"})

    group = "AWSManagedRulesKnownBadInputsRuleSet"
    assert rules[group]["override_action"] == {"none": {}}
    assert _counted(rules[group]) == set(MANAGED_RULES[group]) - {"Log4JRCE_BODY"}


def test_a_whole_group_can_be_counted_while_the_others_block() -> None:
    rules = _rules("block", {SQL: "count"})

    assert rules[SQL]["override_action"] == {"count": {}}
    assert rules[COMMON]["override_action"] == {"none": {}}


def test_a_rule_wins_over_its_group() -> None:
    rules = _rules("count", {SQL: "block", "SQLi_BODY": "count"})

    assert _counted(rules[SQL]) == {"SQLi_BODY"}


def test_the_rate_limit_has_a_mode_of_its_own() -> None:
    rules = _rules("count", {"RateLimit": "block"})

    assert rules["RateLimit"]["action"] == TOO_MANY


def test_callers_from_data_centres_are_counted_unless_asked_otherwise() -> None:
    group = "AWSManagedRulesAnonymousIpList"

    assert _counted(_rules("block")[group]) == {"HostingProviderIPList"}
    assert _overridden(_rules("block", {"HostingProviderIPList": "block"})[group]) == {}


def test_a_rule_that_aws_only_counts_blocks_when_asked_to_by_name() -> None:
    group = "AWSManagedRulesAmazonIpReputationList"

    assert _overridden(_rules("block")[group]) == {}
    assert _overridden(_rules("block", {group: "block"})[group]) == {}
    for mode in ("block", "count"):
        asked = _rules(mode, {"AWSManagedIPDDoSList": "block"})[group]
        assert asked["override_action"] == {"none": {}}
        assert _overridden(asked)["AWSManagedIPDDoSList"] == {"block": {}}


def test_the_rule_against_react_s_remote_execution_is_known() -> None:
    group = "AWSManagedRulesKnownBadInputsRuleSet"

    assert "ReactJSRCE_BODY" in _counted(_rules("count", {"Log4JRCE_BODY": "block"})[group])


def test_the_limit_is_by_address_in_five_minutes_and_comes_first() -> None:
    rules = firewall_rules(Filters(mode="block", rate_limit=500))

    assert rules[0]["statement"]["rate_based_statement"] == {
        "limit": 500,
        "aggregate_key_type": "IP",
        "evaluation_window_sec": 300,
    }
    assert [rule["priority"] for rule in rules] == [0, 10, 20, 30, 40, 50]


def test_every_rule_is_measured_under_its_own_name() -> None:
    metrics = {name: rule["visibility_config"] for name, rule in _rules().items()}

    assert all(config["cloudwatch_metrics_enabled"] for config in metrics.values())
    assert {name: config["metric_name"] for name, config in metrics.items()} == {
        name: name for name in metrics
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "allow"}, "mode must be count or block, got 'allow'"),
        ({"rate_limit": 9}, "rate_limit must be 10-2000000000 requests in five minutes, got 9"),
        ({"rate_limit": 2_000_000_001}, "rate_limit must be 10-2000000000"),
        ({"rule_modes": {"SizeRestriction_BODY": "count"}}, "did you mean SizeRestrictions_BODY"),
        (
            {"rule_modes": {"SQLi_BODY": "off"}},
            r"rule_modes\['SQLi_BODY'\] must be count or block, got 'off'",
        ),
    ],
)
def test_what_the_firewall_does_not_know_is_refused(arguments: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"mode": "block", "rate_limit": 2000, "rule_modes": {}} | arguments

    with pytest.raises(ConstructError, match=message):
        firewall_rules(Filters(**given))
