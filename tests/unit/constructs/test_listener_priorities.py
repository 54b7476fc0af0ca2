import hashlib
from collections.abc import Sequence

import pytest

from holdfast_constructs.edge._bands import (
    FIRST_OF_WILDCARDS,
    HIGHEST,
    LAST_OF_PATHS,
    LONGEST_APART,
    host_number,
    number_of,
)
from holdfast_constructs.edge._listener_rules import ListenerRule, listener_rules
from holdfast_constructs.edge._priorities import Priorities
from holdfast_constructs.errors import ConstructError

HOST = "www.example.com"


def _take(
    priorities: Priorities,
    path: str,
    hosts: Sequence[str] = (HOST,),
    paths: Sequence[str] = (),
    priority: int | None = None,
) -> list[int]:
    return priorities.take(listener_rules(hosts, paths), path, priority)


def test_a_path_always_has_the_same_priority() -> None:
    assert host_number("orders-prod-eu-west-1/web/routing/rule") == 35643


def test_a_rule_for_a_host_keeps_the_number_it_had_before_there_were_bands() -> None:
    """Half of them are in a band of others; these have a number between them instead, by a second hash."""
    before = {f"service-{number}/web": _before(f"service-{number}/web") for number in range(3000)}

    moved = {path for path, number in before.items() if host_number(path) != number}

    assert all(before[path] <= LAST_OF_PATHS or before[path] >= FIRST_OF_WILDCARDS for path in moved)
    assert 0.45 < len(moved) / len(before) < 0.55
    assert all(LAST_OF_PATHS < host_number(path) < FIRST_OF_WILDCARDS for path in before)


def _before(path: str) -> int:
    return 1 + int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big") % 50_000


def test_adding_a_service_renumbers_no_other() -> None:
    alone, together = Priorities(), Priorities()
    _take(together, "storefront/web", ["storefront.example.com"])

    assert _take(together, "orders/web") == _take(alone, "orders/web")


def test_two_services_that_swap_their_hosts_keep_their_priorities() -> None:
    before, after = Priorities(), Priorities()
    paths = ("a/web", "b/web")
    hosts = (["a.example.com"], ["b.example.com"])

    kept = [_take(before, path, host) for host, path in zip(hosts, paths, strict=True)]

    assert [_take(after, path, host) for host, path in zip(reversed(hosts), paths, strict=True)] == kept


def test_a_renamed_service_has_other_priorities_than_the_rules_it_replaces() -> None:
    hosts, paths = [HOST, "example.com"], ["/api/*", "/api"]

    before = _take(Priorities(), "orders/web", hosts, paths)
    after = _take(Priorities(), "orders/web2", hosts, paths)

    assert not set(before) & set(after)


def _path_numbers(length: int) -> set[int]:
    path = "/" + "a" * (length - 2) + "*" if length else "/exact"
    rule = ListenerRule(id="rule", hosts=(HOST,), paths=(path,))
    return {number_of(rule, f"service-{number}/web") for number in range(300)}


@pytest.mark.parametrize("length", [0, *range(2, 129)])
def test_each_length_has_numbers_of_its_own_the_longer_the_lower(length: int) -> None:
    mine = _path_numbers(length)

    assert min(mine) >= 1
    assert max(mine) <= LAST_OF_PATHS
    assert len(mine) > 50
    if length == 0:
        assert max(mine) < min(_path_numbers(128))
    elif 2 < length <= LONGEST_APART + 1:
        assert max(mine) < min(_path_numbers(length - 1))
    elif length > LONGEST_APART + 1:
        assert mine == _path_numbers(length - 1)


def test_very_long_paths_that_are_in_the_wrong_order_are_refused_with_a_number_that_is_right() -> None:
    shorter, longer = (f"/{'a' * size}*" for size in (60, 70))
    names = [f"stack/{number}" for number in range(20)]
    refused = 0
    for name in names:
        priorities = Priorities()
        _take(priorities, "stack/other", paths=[shorter])
        try:
            _take(priorities, name, paths=[longer])
        except ConstructError as error:
            refused += 1
            advised = int((error.next_step or "").rpartition("=")[2])
            _take(priorities, name, paths=[longer], priority=advised)
        (first, rule), (_, second) = priorities.rules.items()
        assert (rule.paths, second.paths) == ((longer,), (shorter,)), first
    assert 0 < refused < len(names)


@pytest.mark.parametrize("labels", range(2, 9))
def test_hosts_with_a_wildcard_are_asked_last_and_the_deeper_first(labels: int) -> None:
    def numbers(size: int) -> set[int]:
        rule = ListenerRule(id="rule", hosts=("*" + ".x" * (size - 1),))
        return {number_of(rule, f"service-{number}/web") for number in range(500)}

    mine = numbers(labels)

    assert min(mine) >= FIRST_OF_WILDCARDS
    assert max(mine) <= HIGHEST
    if 3 <= labels <= 5:
        assert max(numbers(labels + 1)) < min(mine)


def test_two_hosts_with_one_priority_are_refused_with_one_that_is_free() -> None:
    priorities = Priorities()
    _take(priorities, "a", ["a.example.com"], priority=50_000)

    with pytest.raises(ConstructError) as refused:
        _take(priorities, "b", ["b.example.com"], priority=50_000)

    assert str(refused.value) == (
        "host 'a.example.com' and host 'b.example.com' both have priority 50000 on this gateway; "
        "give b another one: priority=1"
    )


def test_the_priority_that_is_advised_is_accepted() -> None:
    priorities = Priorities()
    _take(priorities, "stack/whole", priority=30_000)
    (path,) = _take(priorities, "stack/a", paths=["/api/*"])

    with pytest.raises(ConstructError, match=rf"both have priority {path} on this") as refused:
        _take(priorities, "stack/b", ["x.example.com", "*.example.com"], priority=path - 1)

    advised = int((refused.value.next_step or "").rpartition("=")[2])
    assert _take(priorities, "stack/b", ["x.example.com", "*.example.com"], priority=advised)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (([HOST], []), ([HOST], []), "host 'www.example.com' is claimed by a and by b on this gateway; give"),
        (
            ([HOST, "example.com"], []),
            (["x.example.com", "example.com"], []),
            "host 'example.com' is claimed by a and by b",
        ),
        (
            ([HOST], ["/a", "/b/*"]),
            ([HOST], ["/b/*"]),
            "path '/b/\\*' of host 'www.example.com' is claimed by a and by b",
        ),
        (
            ([HOST], ["/a*/x"]),
            ([HOST], ["/?/*x"]),
            r"paths '/a\*/x' of a and '/\?/\*x' of b match the same requests of .*, and neither is longer",
        ),
        (
            (["*.example.com"], []),
            (["*.example.com"], []),
            "host '\\*.example.com' is claimed by a and by b",
        ),
    ],
)
def test_what_two_services_want_is_refused_in_either_order(
    first: tuple[list[str], list[str]], second: tuple[list[str], list[str]], message: str
) -> None:
    for one, other in ((first, second), (second, first)):
        priorities = Priorities()
        _take(priorities, "a", *one)
        with pytest.raises(ConstructError) as refused:
            _take(priorities, "b", *other)
        if one is first:
            assert refused.match(message)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (([HOST], ["/api/*"]), ([HOST], [])),
        (([HOST], ["/api/*"]), ([HOST], ["/api/v1/*"])),
        (([HOST], ["/api/*"]), (["x.example.com"], ["/api/*"])),
        (([HOST], ["/abc*"]), ([HOST], ["/xyz*"])),
        (([HOST], ["/api"]), ([HOST], ["/ap?"])),
        (([HOST], []), (["*.example.com"], [])),
        (([HOST], ["/api/*"]), (["*.example.com"], [])),
    ],
)
def test_what_two_services_may_have_beside_each_other(
    first: tuple[list[str], list[str]], second: tuple[list[str], list[str]]
) -> None:
    for one, other in ((first, second), (second, first)):
        priorities = Priorities()
        _take(priorities, "a", *one)
        _take(priorities, "b", *other)


def test_a_priority_by_hand_that_hides_a_rule_is_refused_in_either_order() -> None:
    for whole_first in (True, False):
        priorities = Priorities()
        calls = [
            lambda p=priorities: _take(p, "stack/whole", priority=1),
            lambda p=priorities: _take(p, "stack/api", paths=["/api/*"]),
        ]
        first, second = calls if whole_first else reversed(calls)
        first()
        with pytest.raises(ConstructError) as refused:
            second()
        assert refused.match(
            r"'/api/\*' of host 'www\.example\.com' would be asked after host 'www\.example\.com', which"
        )
        assert "rename the construct" in str(refused.value) or "priority=" in str(refused.value)


@pytest.mark.parametrize("priority", [0, 50_001])
def test_a_priority_no_listener_takes_is_refused(priority: int) -> None:
    with pytest.raises(ConstructError, match=rf"priority must be 1-50000, got {priority}"):
        _take(Priorities(), "a", priority=priority)


def test_several_rules_take_the_numbers_after_the_one_given_by_hand() -> None:
    hosts, paths = [HOST], ["/api/*", "/api", "/health"]

    assert _take(Priorities(), "a", hosts, paths, priority=10) == [10, 11]
    with pytest.raises(ConstructError, match=r"priority must be 1-49999, got 50000"):
        _take(Priorities(), "a", hosts, paths, priority=50_000)
