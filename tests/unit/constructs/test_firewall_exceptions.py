"""Exceptions, limits and addresses of the firewall: how AWS WAF is asked, and what is refused."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_constructs import FirewallException, RateLimit
from holdfast_constructs.edge._firewall_addresses import by_version, check_apart
from holdfast_constructs.edge._firewall_capacity import capacity_of
from holdfast_constructs.edge._firewall_rules import Filters, firewall_rules
from holdfast_constructs.edge._managed_rules import GROUP_CAPACITY, MANAGED_RULES, label_of
from holdfast_constructs.errors import ConstructError

COMMON = "AWSManagedRulesCommonRuleSet"
SIZE = "SizeRestrictions_BODY"
WHY = "uploads of pictures"


def _exception(*rules: str, **changes: Any) -> FirewallException:
    given: dict[str, Any] = {"rules": rules or (SIZE,), "path": "/upload*", "because": WHY}
    return FirewallException(**given | changes)


def _rules(**changes: Any) -> dict[str, dict[str, Any]]:
    given: dict[str, Any] = {"mode": "block", "rate_limit": 2000}
    return {rule["name"]: rule for rule in firewall_rules(Filters(**given | changes))}


def _overridden(rule: dict[str, Any]) -> dict[str, Any]:
    overrides = rule["statement"]["managed_rule_group_statement"].get("rule_action_override", [])
    return {each["name"]: each["action_to_use"] for each in overrides}


def matches(statement: dict[str, Any], request: dict[str, Any]) -> bool:
    """Whether AWS WAF would find that `request` matches: its labels, its host and its path."""
    [(kind, body)] = statement.items()
    match kind:
        case "and_statement":
            return all(matches(each, request) for each in body["statement"])
        case "not_statement":
            [inner] = body["statement"]
            return not matches(inner, request)
        case "label_match_statement":
            return bool(body["key"] in request["labels"])
        case "regex_match_statement":
            return re.fullmatch(body["regex_string"], request["host"].lower()) is not None
        case "byte_match_statement":
            text = body["search_string"]
            path: str = request["path"]
            return path.startswith(text) if body["positional_constraint"] == "STARTS_WITH" else path == text
    raise AssertionError(kind)


def blocked(rules: dict[str, dict[str, Any]], host: str, path: str, rule: str = SIZE) -> bool:
    """Whether a request that `rule` matches is blocked, by its group or by a rule after the group."""
    group = next(group for group, names in MANAGED_RULES.items() if rule in names)
    if rules[group]["override_action"] == {"none": {}} and _overridden(rules[group]).get(rule) != {
        "count": {}
    }:
        return True
    request = {"labels": {label_of(rule)}, "host": host, "path": path}
    later = [each for each in rules.values() if each["priority"] > rules[group]["priority"]]
    return any(
        "block" in each["action"] and matches(each["statement"], request)
        for each in later
        if "action" in each and "rate_based_statement" not in each["statement"]
    )


def test_only_the_path_of_the_host_takes_long_bodies() -> None:
    rules = _rules(exceptions=[_exception(host="uploads.example.com")])

    assert not blocked(rules, "uploads.example.com", "/upload/1")
    assert not blocked(rules, "Uploads.Example.com:443", "/upload")
    assert blocked(rules, "uploads.example.com", "/login")
    assert blocked(rules, "www.example.com", "/upload/1")
    assert blocked(rules, "uploadsxexample.com", "/upload/1")
    assert blocked(rules, "uploads.example.com", "/upload/1", "SQLi_BODY")
    assert _overridden(rules[COMMON]) == {SIZE: {"count": {}}}


def test_several_exceptions_of_a_rule_are_one_rule_that_any_of_them_passes() -> None:
    first = _exception(host="uploads.example.com", path=None)
    rules = _rules(exceptions=[first, _exception(path="/import"), _exception(path="/import")])

    assert not blocked(rules, "uploads.example.com", "/")
    assert not blocked(rules, "www.example.com", "/import")
    assert blocked(rules, "www.example.com", "/imports")
    assert [name for name in rules if name.endswith("-Elsewhere")] == [f"{SIZE}-Elsewhere"]


def test_a_group_by_name_is_all_of_its_rules_and_never_counts_as_a_whole() -> None:
    group = "AWSManagedRulesSQLiRuleSet"
    rules = _rules(exceptions=[_exception(group)])

    # A group that counts as a whole stops at its first match, without the labels of its other rules.
    assert rules[group]["override_action"] == {"none": {}}
    assert set(_overridden(rules[group])) == set(MANAGED_RULES[group])
    assert all(blocked(rules, "www.example.com", "/", rule) for rule in MANAGED_RULES[group])
    assert not any(blocked(rules, "www.example.com", "/upload", rule) for rule in MANAGED_RULES[group])


def test_what_only_counts_needs_no_rule_of_its_own() -> None:
    assert _rules(mode="count", exceptions=[_exception()]) == _rules(mode="count")
    assert _rules(rule_modes={SIZE: "count"}, exceptions=[_exception()]) == _rules(rule_modes={SIZE: "count"})


ALL_RULES = [rule for rules in MANAGED_RULES.values() for rule in rules]
SCOPES = st.sampled_from([("a.example.com", None), (None, "/a*"), ("b.example.com", "/b")])
SITES = st.tuples(
    st.sampled_from(["a.example.com", "b.example.com", "c.example.com"]),
    st.sampled_from(["/", "/a", "/ab", "/b", "/bc"]),
)


@given(
    mode=st.sampled_from(["count", "block"]),
    modes=st.dictionaries(st.sampled_from([*ALL_RULES, *MANAGED_RULES]), st.sampled_from(["count", "block"])),
    excepted=st.lists(st.tuples(st.sampled_from([*ALL_RULES, *MANAGED_RULES]), SCOPES), max_size=6),
    rule=st.sampled_from(ALL_RULES),
    site=SITES,
)
def test_an_exception_changes_nothing_outside_of_it_and_blocks_nothing_inside(
    mode: str, modes: dict[str, Any], excepted: list[Any], rule: str, site: tuple[str, str]
) -> None:
    host, path = site
    group = next(group for group, names in MANAGED_RULES.items() if rule in names)
    exceptions = [_exception(name, host=scope[0], path=scope[1]) for name, scope in excepted]
    inside = any(
        name in (rule, group)
        and scope[0] in (None, host)
        and (scope[1] is None or (path.startswith("/a") if scope[1] == "/a*" else path == scope[1]))
        for name, scope in excepted
    )

    before = blocked_by_itself(_rules(mode=mode, rule_modes=modes), group, rule)
    after = blocked_by_itself(_rules(mode=mode, rule_modes=modes, exceptions=exceptions), group, rule)
    rules = _rules(mode=mode, rule_modes=modes, exceptions=exceptions)
    now = after or blocked(rules, host, path, rule)

    assert now == (before and not inside)


def blocked_by_itself(rules: dict[str, dict[str, Any]], group: str, rule: str) -> bool:
    """Whether the group blocks what the rule matches."""
    usual: dict[str, Any] = {"count": {}} if rule == "AWSManagedIPDDoSList" else {"block": {}}
    action = _overridden(rules[group]).get(rule, usual)
    return bool(rules[group]["override_action"] == {"none": {}} and action == {"block": {}})


def test_every_rule_has_a_label_as_aws_writes_it() -> None:
    # AWS WAF Developer Guide, the pages of the rule groups: those that do not follow their rule's name.
    assert label_of("UserAgent_BadBots_HEADER") == "awswaf:managed:aws:core-rule-set:BadBots_Header"
    assert label_of("Host_localhost_HEADER") == "awswaf:managed:aws:known-bad-inputs:Host_Localhost_Header"
    assert label_of("PROPFIND_METHOD") == "awswaf:managed:aws:known-bad-inputs:Propfind_Method"
    assert label_of("AnonymousIPList") == "awswaf:managed:aws:anonymous-ip-list:AnonymousIPList"
    assert label_of("SizeRestrictions_Cookie_HEADER").endswith(":SizeRestrictions_Cookie_Header")
    assert label_of("SQLi_QUERYARGUMENTS") == "awswaf:managed:aws:sql-database:SQLi_QueryArguments"
    assert len({label_of(rule) for rule in ALL_RULES}) == len(ALL_RULES)


def test_limits_of_paths_come_before_the_limit_for_all_and_answer_429() -> None:
    limit = RateLimit(name="login", requests=50, host="www.example.com", path="/login*")
    rules = _rules(rate_limits=[limit])

    own = rules["RateLimit-login"]
    assert list(rules)[:2] == ["RateLimit-login", "RateLimit"]
    assert own["action"] == {"block": {"custom_response": {"response_code": 429}}}
    scope = own["statement"]["rate_based_statement"]["scope_down_statement"]
    assert matches(scope, {"labels": (), "host": "WWW.example.com", "path": "/login/now"})
    assert not matches(scope, {"labels": (), "host": "www.example.com", "path": "/logout"})


def test_a_limit_of_a_path_has_the_mode_of_the_limit_for_all_unless_it_has_its_own() -> None:
    limits = [RateLimit(name="login", requests=50, path="/login")]

    assert (
        "count" in _rules(rate_limits=limits, rule_modes={"RateLimit": "count"})["RateLimit-login"]["action"]
    )
    own = _rules(rate_limits=limits, mode="count", rule_modes={"RateLimit-login": "block"})
    assert ("block" in own["RateLimit-login"]["action"], "count" in own["RateLimit"]["action"]) == (
        True,
        True,
    )


def test_addresses_are_asked_first_and_refused_ones_before_those_let_through() -> None:
    rules = _rules(mode="count", blocked=["arn:b"], allowed=["arn:4", "arn:6"])

    assert list(rules)[:3] == ["BlockedAddresses", "AllowedAddresses", "RateLimit"]
    assert rules["BlockedAddresses"]["action"] == {"block": {}}
    assert rules["AllowedAddresses"]["action"] == {"allow": {}}
    assert len(rules["AllowedAddresses"]["statement"]["or_statement"]["statement"]) == 2


def test_names_metrics_and_priorities_are_unique_and_valid() -> None:
    limits = [RateLimit(name=f"n{number}", requests=10, path=f"/{number}") for number in range(9)]
    rules = firewall_rules(
        Filters(
            mode="block",
            rate_limit=10,
            rate_limits=limits,
            exceptions=[_exception(*MANAGED_RULES)],
            blocked=["arn:b"],
            allowed=["arn:a"],
        )
    )

    names = [rule["name"] for rule in rules]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name) for name in names)
    assert [rule["visibility_config"]["metric_name"] for rule in rules] == names
    assert [rule["priority"] for rule in rules] == [10 * place for place in range(len(rules))]


def test_the_capacity_is_that_of_the_groups_and_of_each_statement() -> None:
    plain = firewall_rules(Filters(mode="block", rate_limit=10))
    exception = firewall_rules(Filters(mode="block", rate_limit=10, exceptions=[_exception()]))
    addresses = firewall_rules(Filters(mode="block", rate_limit=10, allowed=["arn:4", "arn:6"]))

    # The groups' 25 + 50 + 200 + 700 + 200, and 2 for the rate limit.
    assert capacity_of(plain) == 1177
    # A label, the beginning of a path, and two transformations.
    assert capacity_of(exception) == 1177 + 1 + 2 + 20
    assert capacity_of(addresses) == 1177 + 2
    assert set(GROUP_CAPACITY) == set(MANAGED_RULES)


def test_more_than_a_web_acl_may_cost_is_refused() -> None:
    paths = [_exception(path=f"/{number}") for number in range(200)]
    limits = [RateLimit(name=f"n{number}", requests=10, path=f"/{number}") for number in range(10)]

    with pytest.raises(ConstructError, match=r"the capacity of the firewall's rules must be at most 5000"):
        _rules(exceptions=paths)
    with pytest.raises(ConstructError, match=r"the number of rate limits must be at most 10 .*, got 11"):
        _rules(rate_limits=limits)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": None}, r"names no host and no path .* rule_modes"),
        ({"rules": ()}, "rules of an exception of the firewall must be the names"),
        ({"because": "so"}, "because of an exception of the firewall must be a reason"),
        ({"host": "Uploads.example.com"}, "host of an exception of the firewall must be one lower-case name"),
        ({"host": "uploads.example.com:443"}, "without port"),
        ({"host": "*.example.com"}, "must be one lower-case name"),
        ({"path": "upload"}, "path of an exception of the firewall must be a path"),
        ({"path": "/up*load"}, "its beginning with a last"),
        ({"path": "/a/../b"}, "leave the query, // and"),
        ({"path": "/a//b"}, "must be a path"),
        ({"path": "/a?b=c"}, "must be a path"),
        ({"path": "/" + "a" * 200}, "a path of 1-200 characters"),
    ],
)
def test_an_exception_that_no_request_meets_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        _exception(**changes)


def test_an_exception_of_an_unknown_rule_is_refused() -> None:
    with pytest.raises(
        ConstructError, match=r"a name in rules of an exception .* did you mean SizeRestrictions_BODY"
    ):
        _rules(exceptions=[_exception("SizeRestriction_BODY")])
    with pytest.raises(ConstructError, match="a name in rules of an exception"):
        _rules(exceptions=[_exception("RateLimit")])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "log in"}, "name of a rate limit must be 1-64 letters"),
        ({"requests": 9}, "requests of rate limit login must be 10-2000000000"),
        ({"path": None}, "rate limit login names no host and no path"),
        ({"host": "localhost"}, "host of rate limit login"),
    ],
)
def test_a_limit_that_aws_does_not_take_is_refused(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"name": "login", "requests": 50, "path": "/login"}

    with pytest.raises(ConstructError, match=message):
        RateLimit(**given | changes)


def test_two_limits_of_one_name_are_refused() -> None:
    limits = [RateLimit(name="login", requests=50, path=path) for path in ("/login", "/signin")]

    with pytest.raises(ConstructError, match="two rate limits are called RateLimit-login; rename one"):
        _rules(rate_limits=limits)


def test_addresses_are_ranges_of_two_versions() -> None:
    found = by_version("allow_addresses", ["203.0.113.7", "198.51.100.0/24", "2001:db8::/32"])

    assert found == {"IPV4": ["198.51.100.0/24", "203.0.113.7/32"], "IPV6": ["2001:db8::/32"]}


@pytest.mark.parametrize(
    ("addresses", "message"),
    [
        (["203.0.113.7/24"], "an entry of block_addresses must be .*no host bits"),
        (["0.0.0.0/0"], "AWS WAF has no /0"),
        (["office"], "an entry of block_addresses"),
        (["203.0.113.7", "203.0.113.7/32"], "block_addresses has 203.0.113.7/32 twice"),
        ([f"10.{n // 256}.{n % 256}.0/24" for n in range(10_001)], "the number of block_addresses"),
    ],
)
def test_addresses_that_aws_does_not_take_are_refused(addresses: list[str], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        by_version("block_addresses", addresses)


def test_an_address_cannot_be_let_through_and_refused() -> None:
    with pytest.raises(ConstructError, match=r"both have 10\.0\.0\.0/8; remove it from one"):
        check_apart({"IPV4": ["10.0.0.0/8"]}, {"IPV4": ["10.0.0.0/8"]})
