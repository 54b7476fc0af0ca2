"""Which requests a service gets: hosts, paths, domains, and the records in DNS that lead to it."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import ConstructError, Domain, ServiceStack
from holdfast_constructs.testing import Synthesis, Template, sample_target

OnSite = Callable[..., Synthesis]

MORE = (
    Domain(name="example.org", zone_id="Z456"),
    Domain(name="shop.example.com", certificate_arn="arn:aws:acm:eu-west-1:210987654321:certificate/1b2c"),
)


def _orders(on_site: OnSite, *, balancer: dict[str, Any] | None = None, **properties: Any) -> Template:
    return on_site(lambda site: site.service(**properties), balancer=balancer)["orders"]


def _rules(template: Template) -> dict[str, list[list[str]]]:
    """The values of the conditions of each rule, in the order in which they are asked."""
    rules = sorted(template.resources("aws_lb_listener_rule").items(), key=lambda rule: rule[1]["priority"])
    return {
        address.rpartition("routing_")[2].rpartition("_")[0]: [
            next(iter(condition.values()))["values"] for condition in rule["condition"]
        ]
        for address, rule in rules
    }


def _records(template: Template) -> dict[str, str]:
    return {record["name"]: record["zone_id"] for record in template.resources("aws_route53_record").values()}


def test_a_service_answers_several_hosts_also_the_domain_itself(on_site: OnSite) -> None:
    hosts = ("example.com", "*.example.com", "orders.example.org", "example.org", "a.example.com")

    orders = _orders(on_site, balancer={"domains": MORE}, hosts=(*hosts, "b.shop.example.com"))

    named = ["orders.example.com", "example.com", "orders.example.org", "example.org", "a.example.com"]
    rules = _rules(orders)
    assert list(rules)[-1] == "wildcard-3"
    assert rules == {"rule": [named], "rule-2": [["b.shop.example.com"]], "wildcard-3": [["*.example.com"]]}
    service = orders.resource("aws_ecs_service")
    assert len([each for each in service["depends_on"] if each.startswith("aws_lb_listener_rule")]) == 3


def test_paths_are_asked_before_the_whole_host_and_longer_ones_first(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        site.service(host="www.example.com")
        api = ServiceStack(site.app, "api", site.target)
        site.service(api, host="www.example.com", paths=("/api/*", "/api", "/graphql"))
        reports = ServiceStack(site.app, "reports", site.target)
        site.service(reports, host="www.example.com", paths=("/api/reports/*",))

    app = on_site(build)

    assert _rules(app["api"]) == {
        "exact-paths": [["www.example.com"], ["/api", "/graphql"]],
        "paths-6": [["www.example.com"], ["/api/*"]],
    }
    numbers = [
        rule["priority"]
        for name in ("api", "reports", "orders")
        for rule in app[name].resources("aws_lb_listener_rule").values()
    ]
    exact, short, long, whole = sorted(numbers[:2]) + numbers[2:]
    assert exact < long < short < whole


def test_the_url_is_the_first_host_by_name_and_what_its_paths_begin_with(on_site: OnSite) -> None:
    urls: list[str] = []

    def build(site: Any) -> None:
        urls.append(site.service(host="*.example.com", hosts=("example.com",)).url)
        api = ServiceStack(site.app, "api", site.target)
        urls.append(site.service(api, host="example.com", paths=("/api/v?/*", "/a")).url)
        wide = site.service(ServiceStack(site.app, "any", site.target), host="*.example.org")
        with pytest.raises(ConstructError, match="api has no URL, since all of its hosts have a wildcard"):
            assert wide.url

    on_site(build, balancer={"domains": MORE})

    assert urls == ["https://example.com", "https://example.com/api/v"]


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"host": "x.example.net"},
            r"one level below example\.com or example\.org or shop\.example\.com, such",
        ),
        ({"hosts": ("a.b.example.org",)}, "host must be a lower-case name one level below"),
        ({"hosts": ("orders.example.com",)}, "host 'orders.example.com' is given twice; remove one"),
        (
            {"hosts": ("*.example.com",), "paths": ("/a",)},
            r"'\*\.example\.com' has a wildcard, and paths are",
        ),
        ({"hosts": ("*a.example.com",)}, "host must be"),
        ({"paths": ("api",)}, "path must be a pattern of at most 128 characters that begins with '/'"),
    ],
)
def test_hosts_and_paths_that_cannot_be_are_refused(
    on_site: OnSite, properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        _orders(on_site, balancer={"domains": MORE}, **properties)


def test_a_service_writes_a_record_for_each_host_in_the_zone_of_its_domain(on_site: OnSite) -> None:
    hosts = ("example.com", "example.org", "*.example.org", "*.example.com", "a.shop.example.com")

    orders = _orders(on_site, balancer={"domains": MORE}, hosts=hosts)

    # The load balancer itself has *.example.com, and shop.example.com has no zone.
    assert _records(orders) == {
        "orders.example.com": "Z123",
        "example.com": "Z123",
        "example.org": "Z456",
        "*.example.org": "Z456",
    }
    record = orders.resource("aws_route53_record", name="example.com", type="A")
    assert record["set_identifier"] == "orders-prod-eu-west-1/api"
    assert record["weighted_routing_policy"] == {"weight": 1}


def test_two_services_of_a_host_each_have_a_record_of_it(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        site.service(host="www.example.com")
        site.service(ServiceStack(site.app, "api", site.target), host="www.example.com", paths=("/api/*",))

    app = on_site(build)

    records = [app[name].resource("aws_route53_record") for name in ("orders", "api")]
    assert {record["name"] for record in records} == {"www.example.com"}
    assert len({record["set_identifier"] for record in records}) == 2


@pytest.mark.parametrize(
    ("balancer", "names"),
    [
        ({}, {"*.example.com": 1}),
        ({"wildcard_record": False}, {}),
        ({"alias": False}, {}),
        ({"alias": False, "wildcard_record": True}, {}),
    ],
)
def test_the_record_of_every_name_is_there_until_it_is_asked_away(
    on_site: OnSite, balancer: dict[str, Any], names: dict[str, int]
) -> None:
    app = on_site(lambda site: site.service(), balancer=balancer)

    written = [each["name"] for each in app["edge"].resources("aws_route53_record").values()]
    assert [name for name in written if name.startswith("*")] == [*names]
    assert bool(_records(app["orders"])) is balancer.get("alias", True)


def test_a_service_has_the_wildcard_where_the_load_balancer_does_not(on_site: OnSite) -> None:
    orders = _orders(on_site, balancer={"wildcard_record": False}, hosts=("*.example.com",))

    assert set(_records(orders)) == {"orders.example.com", "*.example.com"}


def test_each_domain_has_a_certificate(on_site: OnSite) -> None:
    edge = on_site(lambda site: site.service(), balancer={"domains": MORE})["edge"]

    more = edge.resource("aws_acm_certificate", domain_name="example.org")
    assert more["subject_alternative_names"] == ["*.example.org"]
    listeners = edge.resources("aws_lb_listener").items()
    [listener] = [address for address, each in listeners if each["port"] == 443]
    certificates = edge.resources("aws_lb_listener_certificate").values()
    assert {each["listener_arn"] for each in certificates} == {f"${{{listener}.arn}}"}
    assert MORE[1].certificate_arn in {each["certificate_arn"] for each in certificates}
    assert len(certificates) == 2
    for validation in edge.resources("aws_acm_certificate_validation").values():
        assert validation["timeouts"] == {"create": "15m"}


def test_the_local_cloud_has_a_zone_for_each_domain(on_site: OnSite) -> None:
    local = sample_target(environment="local", local=True, production=False)
    more = (Domain(name="example.org"),)

    app = on_site(
        lambda site: site.service(host="example.org"),
        target=local,
        balancer={"zone_id": None, "domains": more},
    )

    zones = app["edge"].resources("aws_route53_zone")
    assert {zone["name"] for zone in zones.values()} == {"example.com", "example.org"}
    assert list(_records(app["orders"])) == ["example.org"]


@pytest.mark.parametrize(
    ("domains", "message"),
    [
        ((Domain(name="example.org"),), "the gateway of prod has no certificate for example.org; give it"),
        ((MORE[0], MORE[0]), "domain 'example.org' is given twice"),
        ((Domain(name="example.com", zone_id="Z1"),), "domain 'example.com' is given twice"),
        (
            tuple(Domain(name=f"a{number}.com", zone_id="Z1") for number in range(26)),
            "the number of domains must be at most 25 besides the first, .* got 27",
        ),
        (
            (Domain(name=f"{'a' * 61}.com", zone_id="Z1"),),
            "a domain that gets a certificate must be at most 64 characters long",
        ),
    ],
)
def test_domains_that_cannot_be_are_refused(
    on_site: OnSite, domains: tuple[Domain, ...], message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        on_site(lambda site: site.service(), balancer={"domains": domains})


@pytest.mark.parametrize("name", ["Example.com", "example", "-a.com", "a..com", "*.example.com", ""])
def test_a_name_that_is_no_domain_is_refused(name: str) -> None:
    with pytest.raises(ConstructError, match="domain must be a lower-case domain name such as"):
        Domain(name=name)
