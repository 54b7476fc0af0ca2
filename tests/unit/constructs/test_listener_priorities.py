import pytest

from holdfast_constructs.edge._priorities import Priorities, priority_of
from holdfast_constructs.errors import ConstructError


def test_a_path_always_has_the_same_priority() -> None:
    assert priority_of("orders-prod-eu-west-1/web/routing/rule") == 35643


def test_adding_a_service_renumbers_no_other() -> None:
    alone, together = Priorities(), Priorities()
    together.take("storefront.example.com", "storefront/web")

    assert together.take("orders.example.com", "orders/web") == alone.take("orders.example.com", "orders/web")


def test_two_services_that_swap_their_hosts_keep_their_priorities() -> None:
    before, after = Priorities(), Priorities()
    paths = ("a/web", "b/web")
    hosts = ("a.example.com", "b.example.com")

    kept = [before.take(host, path) for host, path in zip(hosts, paths, strict=True)]

    assert [after.take(host, path) for host, path in zip(reversed(hosts), paths, strict=True)] == kept


def test_a_renamed_service_has_another_priority_than_the_rule_it_replaces() -> None:
    assert Priorities().take("a.example.com", "orders/web") != Priorities().take(
        "a.example.com", "orders/web2"
    )


def test_every_priority_is_one_a_listener_takes() -> None:
    found = {priority_of(f"service-{number}/web") for number in range(2000)}

    assert min(found) >= 1
    assert max(found) <= 50_000
    assert len(found) > 1900


def test_two_hosts_with_one_priority_are_refused_with_one_that_is_free() -> None:
    priorities = Priorities()
    priorities.take("a.example.com", "a", 50_000)

    with pytest.raises(ConstructError) as refused:
        priorities.take("b.example.com", "b", 50_000)

    assert str(refused.value) == (
        "hosts 'a.example.com' and 'b.example.com' both have priority 50000 on this gateway; "
        "give one of the two another one: priority=1"
    )


def test_a_host_claimed_twice_is_refused() -> None:
    priorities = Priorities()
    priorities.take("a.example.com", "a")

    with pytest.raises(ConstructError, match=r"'a\.example\.com' is claimed by a and by b on this gateway"):
        priorities.take("a.example.com", "b", 7)


@pytest.mark.parametrize("priority", [0, 50_001])
def test_a_priority_no_listener_takes_is_refused(priority: int) -> None:
    with pytest.raises(ConstructError, match=rf"priority must be 1-50000, got {priority}"):
        Priorities().take("a.example.com", "a", priority)
