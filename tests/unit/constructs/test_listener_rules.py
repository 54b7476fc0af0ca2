"""Rules of a listener, for any services: none moves another, and what is asked first is what should be."""

import re
from collections.abc import Mapping
from itertools import combinations, product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast_constructs.edge._listener_rules import MOST_VALUES, ListenerRule, listener_rules
from holdfast_constructs.edge._path_patterns import MOST_WILDCARDS, check_paths, overlap, wildcards
from holdfast_constructs.edge._priorities import Priorities
from holdfast_constructs.errors import ConstructError

HOSTS = ("example.com", "www.example.com", "api.example.com", "shop.example.com", "a.shop.example.com")
WIDE = ("*.example.com", "*.shop.example.com")
PATHS = ("/api", "/api/*", "/api/v1/*", "/api/v1/a?", "/static/*", "/a*", "/*.png", "/ap?/*")

Claims = tuple[tuple[str, ...], tuple[str, ...]]
Services = Mapping[str, Claims]

_paths = st.lists(st.sampled_from(PATHS), max_size=4, unique=True).map(tuple)
_hosts = st.lists(st.sampled_from(HOSTS), min_size=1, max_size=5, unique=True).map(tuple)
_any_hosts = st.lists(st.sampled_from(HOSTS + WIDE), min_size=1, max_size=7, unique=True).map(tuple)
_claims = st.one_of(st.tuples(_hosts, _paths), st.tuples(_any_hosts, st.just(())))
_names = st.integers(0, 400).map(lambda number: f"service-{number}-prod-eu-west-1/web/routing")
Rules = dict[str, list[tuple[int, ListenerRule]]]


def _taken(services: Services) -> Rules | None:
    """The rules of each service with their numbers; None where they cannot be beside each other."""
    priorities, found = Priorities(), {}
    for path, (hosts, paths) in services.items():
        rules = listener_rules(hosts, paths)
        try:
            numbers = priorities.take(rules, path)
        except ConstructError:
            return None
        found[path] = list(zip(numbers, rules, strict=True))
    return found


@st.composite
def _services(draw: st.DrawFn) -> dict[str, Claims]:
    """Services that can be beside each other: one that cannot is left out."""
    services: dict[str, Claims] = {}
    for path, claims in draw(st.dictionaries(_names, _claims, min_size=3, max_size=9)).items():
        if _taken({**services, path: claims}) is not None:
            services[path] = claims
    return services


def _rules(services: Services) -> Rules:
    found = _taken(services)
    assert found is not None
    return found


@given(_services())
def test_no_two_rules_have_one_number_and_the_more_exact_one_is_asked_first(services: Services) -> None:
    rules = [rule for each in _rules(services).values() for rule in each]

    assert len({number for number, _ in rules}) == len(rules)
    for (_, first), (_, second) in combinations(sorted(rules, key=lambda rule: rule[0]), 2):
        named = not second.labels
        assert named <= (not first.labels) or not first.meets(second), "a host by name is asked first"
        if set(first.hosts) & set(second.hosts):
            # A whole host is never before paths of it, a pattern never before a path without wildcards that
            # it matches, and of two patterns that share requests the longer one is first.
            assert first.paths or not second.paths
            if first.length and second.paths and first.meets(second):
                assert first.length >= second.length > 0


@given(_services(), st.data())
def test_what_a_service_gets_depends_on_no_other(services: Services, data: st.DataObject) -> None:
    found = _rules(services)
    one = data.draw(st.sampled_from(sorted(services)))

    without = {path: claims for path, claims in services.items() if path != one}
    assert _rules(without) == {path: rules for path, rules in found.items() if path != one}
    assert _rules({one: services[one]}) == {one: found[one]}
    assert _rules(dict(reversed([*services.items()]))) == found


@given(_services(), _names, st.data())
def test_renaming_a_service_moves_no_other(services: Services, name: str, data: st.DataObject) -> None:
    found = _rules(services)
    one = data.draw(st.sampled_from(sorted(services)))
    assume(name not in services)
    renamed = _taken({**{path: each for path, each in services.items() if path != one}, name: services[one]})
    assume(renamed is not None)
    assert renamed is not None

    assert {path: renamed[path] for path in services if path != one} == {
        path: found[path] for path in services if path != one
    }


@given(_services(), st.data())
def test_services_that_swap_their_hosts_swap_nothing_else(services: Services, data: st.DataObject) -> None:
    found = _rules(services)
    one, other = data.draw(st.permutations(sorted(services)))[:2] if len(services) > 1 else ("", "")
    assume(one)
    swapped = _taken({**services, one: services[other], other: services[one]})
    assume(swapped is not None)
    assert swapped is not None

    for path in services.keys() - {one, other}:
        assert swapped[path] == found[path]
    if all(not paths and not any(map(_is_wide, hosts)) for hosts, paths in (services[one], services[other])):
        # Each rule keeps its number, so it does not matter which service is deployed first.
        assert all(_numbers(swapped, path) & _numbers(found, path) for path in (one, other))


def _is_wide(host: str) -> bool:
    return host.startswith("*")


def _numbers(rules: Rules, *paths: str) -> set[int]:
    return {number for path in paths for number, _ in rules[path]}


@given(_claims)
def test_the_rules_are_what_was_asked_for_and_what_a_listener_takes(claims: Claims) -> None:
    hosts, paths = claims
    rules = listener_rules(hosts, paths)

    claimed = [pair for rule in rules for pair in product(rule.hosts, rule.paths or ("",))]
    assert sorted(claimed) == sorted(product(hosts, paths or ("",)))
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert 1 <= len(rule.hosts) + len(rule.paths) <= MOST_VALUES
        assert sum(map(wildcards, rule.paths + rule.hosts)) <= MOST_WILDCARDS
    assert [rule.order for rule in rules] == sorted(rule.order for rule in rules)


@given(_hosts, _paths, st.sampled_from(PATHS))
def test_a_path_of_another_length_adds_rules_and_leaves_the_others(
    hosts: tuple[str, ...], paths: tuple[str, ...], path: str
) -> None:
    assume(paths and len(path) not in [len(each) for each in paths])
    before = {rule.id: rule for rule in listener_rules(hosts, paths) if rule.length}
    after = {rule.id: rule for rule in listener_rules(hosts, (*paths, path))}

    assert {id_: after[id_] for id_ in before} == before


_letters = st.text("ab*?", max_size=6)


@given(_letters, _letters)
def test_patterns_overlap_when_some_path_matches_both(one: str, other: str) -> None:
    def matcher(pattern: str) -> re.Pattern[str]:
        return re.compile(pattern.replace("*", ".*").replace("?", "."))

    patterns = matcher(one), matcher(other)
    # A path that both match has one that is no longer than both patterns together.
    paths = ("".join(letters) for size in range(7) for letters in product("ab", repeat=size))
    shared = any(all(pattern.fullmatch(path) for pattern in patterns) for path in paths)

    # Two patterns of up to 6 signs may only share longer paths when both have signs on both sides of a star.
    if shared or len(one) + len(other) <= 6:
        assert overlap(one, other) is shared
    assert overlap(one, other) == overlap(other, one)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (
            ["api/*"],
            r"path must be a pattern of at most 128 characters that begins with '/', .* got 'api/\*'",
        ),
        ([""], "path must be a pattern of at most 128 characters"),
        (["/" + "a" * 128], "path must be a pattern of at most 128 characters"),
        (["/a b"], "path must be a pattern"),
        (["/a%20b"], "path must be a pattern"),
        (["/ä"], "path must be a pattern"),
        (["/*"], r"path '/\*' means the whole host; leave paths out"),
        (["/**"], "means the whole host"),
        (["/a**"], r"path must be a pattern with at most 5 wildcards, and never \*\*"),
        (["/?/?/?/?/?/?"], "path must be a pattern with at most 5 wildcards"),
        (["/a", "/b", "/a"], "path '/a' is given twice"),
    ],
)
def test_paths_that_a_listener_does_not_take_are_refused(paths: list[str], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        check_paths(paths)


@pytest.mark.parametrize("path", ["/", "/a", "/a/*", "/A_z-0.$/~\"'@:+&", "/?", "/" + "a" * 127])
def test_paths_that_a_listener_takes_are_accepted(path: str) -> None:
    check_paths([path])
