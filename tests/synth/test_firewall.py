from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import Cluster, ConstructError, Firewall, HoldfastApp, Key, ServiceStack
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


def _synthesized(synthesize: Synthesize, **properties: Any) -> Template:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "edge", sample_target(log_retention_days=400))
        Firewall(stack, "firewall", logs_key=Key(stack, "logs", purpose="logs"), **properties)

    return synthesize(build)["edge"]


def test_it_begins_by_counting(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    acl = edge.resource("aws_wafv2_web_acl", scope="REGIONAL", default_action={"allow": {}})

    assert [rule["name"] for rule in acl["rule"]] == [
        "RateLimit",
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesAnonymousIpList",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesSQLiRuleSet",
    ]
    assert {key for rule in acl["rule"] for key in rule.get("override_action", rule.get("action"))} == {
        "count"
    }


def test_it_blocks_when_told_to(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize, mode="block", rate_limit=100)

    [rate, *groups] = edge.resource("aws_wafv2_web_acl")["rule"]

    assert rate["action"] == {"block": {"custom_response": {"response_code": 429}}}
    assert rate["statement"]["rate_based_statement"]["limit"] == 100
    assert all(rule["override_action"] == {"none": {}} for rule in groups)


def test_the_log_leaves_out_credentials_and_what_met_no_rule(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    logging = edge.resource("aws_wafv2_web_acl_logging_configuration")

    assert logging["redacted_fields"] == [
        {"single_header": {"name": "authorization"}},
        {"single_header": {"name": "cookie"}},
    ]
    assert logging["logging_filter"] == {
        "default_behavior": "DROP",
        "filter": [
            {
                "behavior": "KEEP",
                "requirement": "MEETS_ANY",
                "condition": [
                    {"action_condition": {"action": "BLOCK"}},
                    {"action_condition": {"action": "COUNT"}},
                ],
            }
        ],
    }


def test_the_log_is_encrypted_kept_and_named_as_waf_demands(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    [key] = edge.resources("aws_kms_key")
    [group] = edge.resources("aws_cloudwatch_log_group")
    edge.has_resource(
        "aws_cloudwatch_log_group",
        name="aws-waf-logs-edge-prod-firewall",
        retention_in_days=400,
        kms_key_id=f"${{{key}.arn}}",
    )
    edge.has_resource(
        "aws_wafv2_web_acl_logging_configuration", log_destination_configs=[f"${{{group}.arn}}"]
    )


def test_only_this_accounts_deliveries_write_the_log(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    [statement] = next(
        block["statement"]
        for address, block in edge.data("aws_iam_policy_document").items()
        if "log-delivery" in address
    )

    assert statement["principals"] == [{"type": "Service", "identifiers": ["delivery.logs.amazonaws.com"]}]
    assert {each["variable"]: each["values"] for each in statement["condition"]} == {
        "aws:SourceAccount": ["210987654321"],
        "aws:SourceArn": ["arn:aws:logs:eu-west-1:210987654321:*"],
    }


def test_an_unknown_rule_is_refused(synthesize: Synthesize) -> None:
    with pytest.raises(ConstructError, match="a name in rule_modes must be"):
        _synthesized(synthesize, rule_modes={"Nonsense": "count"})


def test_a_cluster_records_insights_into_an_encrypted_group(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "edge", sample_target())
        Cluster(stack, "main", logs_key=Key(stack, "logs", purpose="logs"))

    edge = synthesize(build)["edge"]

    [key] = edge.resources("aws_kms_key")
    [group] = edge.resources("aws_cloudwatch_log_group")
    edge.has_resource(
        "aws_cloudwatch_log_group",
        name="/aws/ecs/containerinsights/edge-prod-main/performance",
        kms_key_id=f"${{{key}.arn}}",
        retention_in_days=365,
    )
    edge.has_resource(
        "aws_ecs_cluster",
        name="edge-prod-main",
        setting=[{"name": "containerInsights", "value": "enhanced"}],
        depends_on=[group],
    )
    edge.has_resource("aws_ecs_cluster_capacity_providers", capacity_providers=["FARGATE", "FARGATE_SPOT"])


def test_addresses_are_sets_of_their_version_that_the_first_rules_name(synthesize: Synthesize) -> None:
    edge = _synthesized(
        synthesize,
        mode="block",
        allow_addresses=["203.0.113.0/24", "2001:db8::/32"],
        block_addresses=["198.51.100.7"],
    )

    sets = {each["name"]: (address, each) for address, each in edge.resources("aws_wafv2_ip_set").items()}
    assert {name: each["addresses"] for name, (_, each) in sets.items()} == {
        "edge-prod-firewall-allowed-ipv4": ["203.0.113.0/24"],
        "edge-prod-firewall-allowed-ipv6": ["2001:db8::/32"],
        "edge-prod-firewall-blocked-ipv4": ["198.51.100.7/32"],
    }
    refused = edge.resource("aws_wafv2_web_acl")["rule"][0]
    address, written = sets["edge-prod-firewall-blocked-ipv4"]
    assert refused["statement"] == {"ip_set_reference_statement": {"arn": f"${{{address}.arn}}"}}
    assert (written["scope"], written["ip_address_version"]) == ("REGIONAL", "IPV4")


def test_what_its_rules_cost_can_be_asked(synthesize: Synthesize) -> None:
    costs = []

    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "edge", sample_target())
        firewall = Firewall(stack, "firewall", logs_key=Key(stack, "logs", purpose="logs"))
        costs.append(firewall.capacity)

    synthesize(build)

    assert costs == [1177]
