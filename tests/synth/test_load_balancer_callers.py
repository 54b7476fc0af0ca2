"""Who reaches a load balancer, whom it reaches, how it speaks, and one that another app manages."""

from collections.abc import Callable
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.data_aws_lb_listener import DataAwsLbListener

from holdfast_constructs import (
    ApplicationLoadBalancer,
    Cluster,
    ConstructError,
    Firewall,
    HoldfastApp,
    Image,
    Key,
    LoadBalancer,
    LoadBalancerQuotas,
    Network,
    Platform,
    Scale,
    ServiceStack,
    Target,
    WebService,
)
from holdfast_constructs.edge._listener_options import TLS_POLICIES
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]

CERTIFICATE = "arn:aws:acm:eu-west-1:210987654321:certificate/1b2c"
IMAGE = Image.digest("210987654321.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:" + "0" * 64)
LISTENER = (
    "arn:aws:elasticloadbalancing:eu-west-1:210987654321:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
WHY = "CloudFront has one"


def _network(app: HoldfastApp, target: Target) -> tuple[Network, Key]:
    base = ServiceStack(app, "network", target)
    key = Key(base, "logs", purpose="logs")
    return Network(base, "main", cidr="10.40.0.0/16", nat="per_az", logs_key=key), key


def _load_balancer(
    app: HoldfastApp, *, network: Network | None = None, stack: str = "edge", **changes: Any
) -> LoadBalancer:
    target = changes.pop("target", sample_target())
    given: dict[str, Any] = {
        "domain": "example.com",
        "certificate_arn": CERTIFICATE,
        "firewall": None,
        "no_firewall_because": WHY,
    }
    network = network or _network(app, target)[0]
    return LoadBalancer(ServiceStack(app, stack, target), "gateway", network=network, **given | changes)


def _edge(synthesize: Synthesize, **changes: Any) -> Template:
    return synthesize(lambda app: _load_balancer(app, **changes))["edge"]


def _callers(edge: Template) -> set[tuple[str, int, str]]:
    sources = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
    return {
        (next(rule[name] for name in sources if name in rule), rule["from_port"], rule["description"])
        for rule in edge.resources("aws_vpc_security_group_ingress_rule").values()
    }


def test_an_internal_one_has_no_address_on_the_internet_and_lets_the_network_in(
    synthesize: Synthesize,
) -> None:
    edge = _edge(synthesize, internal=True, no_firewall_because=None)

    balancer = edge.resource("aws_lb", internal=True)
    assert {each for each in balancer["subnets"] if "private" in each} == set(balancer["subnets"])
    [(https, *_), (http, *_)] = sorted(_callers(edge), key=lambda each: -each[1])
    assert https == http
    assert {(port, words) for _, port, words in _callers(edge)} == {
        (80, "HTTP from the network"),
        (443, "HTTPS from the network"),
    }
    edge.has_no_resource("aws_vpc_security_group_ingress_rule", cidr_ipv4="0.0.0.0/0")


def test_only_those_who_are_named_are_let_in(synthesize: Synthesize) -> None:
    edge = _edge(synthesize, allow_from=["203.0.113.0/24", "2001:db8::/32", "pl-0a1b2c", "sg-0a1b"])

    assert _callers(edge) == {
        ("203.0.113.0/24", 80, "HTTP from 203.0.113.0/24"),
        ("203.0.113.0/24", 443, "HTTPS from 203.0.113.0/24"),
        ("2001:db8::/32", 80, "HTTP from 2001:db8::/32"),
        ("2001:db8::/32", 443, "HTTPS from 2001:db8::/32"),
        ("sg-0a1b", 80, "HTTP from sg-0a1b"),
        ("sg-0a1b", 443, "HTTPS from sg-0a1b"),
        # A prefix list counts as many rules as it has entries: it is let in once.
        ("pl-0a1b2c", 443, "HTTPS from prefix list pl-0a1b2c"),
    }


def test_a_prefix_list_of_aws_is_looked_up_by_its_name(synthesize: Synthesize) -> None:
    name = "com.amazonaws.global.cloudfront.origin-facing"
    edge = _edge(synthesize, allow_from=[name])

    [(address, found)] = edge.data("aws_ec2_managed_prefix_list").items()
    assert found["name"] == name
    rule = edge.resource("aws_vpc_security_group_ingress_rule", from_port=443)
    assert rule["prefix_list_id"] == f"${{{address}.id}}"


def test_a_construct_with_a_security_group_is_let_in(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        network, _ = _network(app, sample_target())
        front = _load_balancer(app, network=network, stack="front")
        _load_balancer(app, network=network, internal=True, allow_from=[front])

    rules = synthesize(build)["edge"].resources("aws_vpc_security_group_ingress_rule").values()

    assert {rule["description"] for rule in rules} == {"HTTPS from gateway", "HTTP from gateway"}
    assert all("referenced_security_group_id" in rule for rule in rules)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"allow_from": ["203.0.113.1/24"]}, "an entry of allow_from must be a range"),
        ({"allow_from": ["anywhere"]}, "an entry of allow_from must be a range"),
        ({"allow_from": ["10.0.0.0/8", "10.0.0.0/8"]}, "allow_from has 10.0.0.0/8 twice; remove one"),
        ({"allow_from": [f"10.0.{n}.0/24" for n in range(31)]}, r"rules for callers .* at most 60.*got 62"),
        (
            {
                "allow_from": [
                    "com.amazonaws.global.cloudfront.origin-facing",
                    *(f"10.{n}.0.0/16" for n in range(3)),
                ]
            },
            r"at most 60, the quota of Amazon VPC: Inbound or outbound .*, got 61",
        ),
        (
            {"tls_policy": "ELBSecurityPolicy-2016-08"},
            "tls_policy must be one of ELBSecurityPolicy-TLS13-1-2-2021-06",
        ),
        ({"tls_policy": "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06"}, "tls_policy must be one of"),
        ({"idle_seconds": 0}, "idle_seconds must be 1-4000, got 0"),
        ({"idle_seconds": 4001}, "idle_seconds must be 1-4000"),
        (
            {"stack": "internal"},
            "the name of a load balancer must be a name that does not begin with internal-",
        ),
        (
            {"no_firewall_because": None},
            "the public load balancer of prod has no firewall; give it firewall=",
        ),
        ({"no_firewall_because": " "}, "no_firewall_because must be the reason"),
    ],
)
def test_what_aws_or_production_refuses_is_refused(
    synthesize: Synthesize, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        synthesize(lambda app: _load_balancer(app, **changes))


def test_a_reason_beside_a_firewall_is_refused(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        network, key = _network(app, sample_target())
        firewall = Firewall(ServiceStack(app, "waf", sample_target()), "firewall", logs_key=key)
        _load_balancer(app, network=network, firewall=firewall)

    with pytest.raises(ConstructError, match="where there is none, got 'CloudFront has one'"):
        synthesize(build)


def test_outside_of_production_no_firewall_needs_no_reason(synthesize: Synthesize) -> None:
    edge = _edge(synthesize, target=sample_target(production=False), no_firewall_because=None)

    edge.has_resource("aws_lb")


@pytest.mark.parametrize("policy", TLS_POLICIES)
def test_the_policies_have_tls_1_3_and_forward_secrecy(policy: str) -> None:
    assert policy.startswith("ELBSecurityPolicy-TLS13-1-")
    assert policy.split("-")[3] in {"2", "3"}
    assert "Ext" not in policy


def test_the_policy_and_the_idle_timeout_can_be_chosen(synthesize: Synthesize) -> None:
    policy = "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09"
    edge = _edge(synthesize, tls_policy=policy, idle_seconds=600)

    edge.has_resource("aws_lb_listener", port=443, ssl_policy=policy)
    edge.has_resource("aws_lb", idle_timeout=600)


def _services(
    app: HoldfastApp, number: int, gateway: ApplicationLoadBalancer, network: Network, key: Key
) -> None:
    target = sample_target()
    stack = ServiceStack(app, "orders", target)
    platform = Platform(
        network=network, gateway=gateway, cluster=Cluster(stack, "main", logs_key=key), logs_key=key
    )
    for each in range(number):
        WebService(
            stack,
            f"api{each}",
            platform=platform,
            image=IMAGE,
            port=8080,
            health="/healthz",
            host=f"api{each}.example.com",
            scale=Scale(2, 4),
        )


def _platform(app: HoldfastApp, number: int, **changes: Any) -> None:
    network, key = _network(app, sample_target())
    _services(app, number, _load_balancer(app, network=network, **changes), network, key)


def test_one_service_more_than_the_security_group_has_rules_is_refused(synthesize: Synthesize) -> None:
    quotas = LoadBalancerQuotas(security_group_rules=3)

    with pytest.raises(
        ConstructError,
        match=r"at most 3, the quota of Amazon VPC.*, got 4; give the LoadBalancer egress=\"network\"",
    ):
        synthesize(lambda app: _platform(app, 4, quotas=quotas))


@pytest.mark.parametrize(
    ("quotas", "message"),
    [
        (LoadBalancerQuotas(target_groups=2), r"the number of services behind .* at most 2, .*Target Groups"),
        (LoadBalancerQuotas(listener_rules=2), r"the number of rules for services .* Rules per Application"),
    ],
)
def test_one_service_more_than_the_load_balancer_has_room_for_is_refused(
    synthesize: Synthesize, quotas: LoadBalancerQuotas, message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        synthesize(lambda app: _platform(app, 3, quotas=quotas, egress="network"))


def test_one_rule_lets_it_reach_every_service_that_lets_it_in(synthesize: Synthesize) -> None:
    quotas = LoadBalancerQuotas(security_group_rules=2)
    synthesis = synthesize(lambda app: _platform(app, 3, egress="network", quotas=quotas))

    edge, orders = synthesis["edge"], synthesis["orders"]
    out = edge.resource("aws_vpc_security_group_egress_rule")
    assert (out["from_port"], out["to_port"], out["ip_protocol"]) == (1, 65535, "tcp")
    assert "cidr_ipv4" in out
    assert not any(
        "gateway" in rule["description"]
        for rule in orders.resources("aws_vpc_security_group_egress_rule").values()
    )
    let_in = {
        rule["description"]
        for rule in orders.resources("aws_vpc_security_group_ingress_rule").values()
        if rule["from_port"] == 8080
    }
    assert let_in == {f"gateway to api{each}" for each in range(3)}


def test_a_service_joins_a_load_balancer_of_another_app(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        network, key = _network(app, sample_target())
        shared = ServiceStack(app, "shared", sample_target())
        gateway = LoadBalancer.import_(
            shared,
            "gateway",
            listener_arn=LISTENER,
            security_group_id="sg-0a1b",
            domain="example.com",
            first_priority=20_000,
            last_priority=20_999,
        )
        _services(app, 3, gateway, network, key)
        assert gateway.scheme == "https"

    synthesis = synthesize(build)

    orders = synthesis["orders"]
    rules = orders.resources("aws_lb_listener_rule").values()
    assert {rule["listener_arn"] for rule in rules} == {LISTENER}
    assert all(20_000 <= rule["priority"] <= 20_999 for rule in rules)
    orders.has_resource(
        "aws_vpc_security_group_egress_rule", security_group_id="sg-0a1b", description="gateway to api0"
    )
    orders.has_resource(
        "aws_vpc_security_group_ingress_rule", referenced_security_group_id="sg-0a1b", from_port=8080
    )
    orders.has_no_resource("aws_route53_record")
    assert not synthesis["shared"].resources("aws_lb")


def test_a_service_writes_its_record_in_the_zone_of_another_app_s_load_balancer(
    synthesize: Synthesize,
) -> None:
    def build(app: HoldfastApp) -> None:
        network, key = _network(app, sample_target())
        gateway = LoadBalancer.import_(
            ServiceStack(app, "shared", sample_target()),
            "gateway",
            listener_arn=LISTENER,
            security_group_id="sg-0a1b",
            domain="example.com",
            dns_name="shop-1.eu-west-1.elb.amazonaws.com",
            hosted_zone_id="Z32O12XQLNTSW2",
            zone_id="Z123",
        )
        _services(app, 1, gateway, network, key)

    record = synthesize(build)["orders"].resource(
        "aws_route53_record", name="api0.example.com", zone_id="Z123"
    )

    assert record["alias"]["name"] == "shop-1.eu-west-1.elb.amazonaws.com"
    assert record["alias"]["zone_id"] == "Z32O12XQLNTSW2"


def test_the_name_that_cloudwatch_knows_it_by_is_in_the_listener_s_arn(synthesize: Synthesize) -> None:
    written = "${data.aws_lb_listener.theirs.arn}"

    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        theirs = DataAwsLbListener(stack, "theirs", arn=LISTENER)
        theirs.override_logical_id("theirs")
        for id_, arn in (("given", LISTENER), ("written", written), ("token", theirs.arn)):
            gateway = LoadBalancer.import_(
                stack, id_, listener_arn=arn, security_group_id="sg-0a1b", domain="example.com"
            )
            stack.add_output(f"{id_}-suffix", gateway.load_balancer_arn_suffix)

    outputs = synthesize(build)["orders"].configuration["output"]

    parts = [f'element(split("/", {written[2:-1]}), {place})' for place in (1, 2, 3)]
    assert outputs["given-suffix"]["value"] == "app/shop/50dc6c495c0c9188"
    assert outputs["written-suffix"]["value"] == f'${{join("/", slice(split("/", "{written}"), 1, 4))}}'
    assert outputs["token-suffix"]["value"] == f'${{join("/", [{", ".join(parts)}])}}'


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"listener_arn": "arn:aws:s3:::x"},
            "listener_arn must be an ARN such as arn:aws:elasticloadbalancing",
        ),
        (
            {"listener_arn": LISTENER.replace("listener/app", "listener/net")},
            "must be the ARN of a listener such",
        ),
        (
            {"listener_arn": LISTENER.replace("eu-west-1", "eu-west-2")},
            "a listener in account 210987654321 and",
        ),
        ({"security_group_id": "web"}, "security_group_id must be the id of a security group"),
        ({"zone_id": "Z123"}, "have nothing to lead to; give its dns_name and its hosted_zone_id too"),
        ({"domain": "Example"}, "domain must be a lower-case domain name"),
        ({"first_priority": 0}, "first_priority must be 1-50000, got 0"),
        ({"last_priority": 50_001}, "last_priority must be 1-50000"),
        ({"first_priority": 200, "last_priority": 100}, "last_priority must be at least first_priority, 200"),
    ],
)
def test_a_load_balancer_that_services_cannot_join_is_refused(
    synthesize: Synthesize, changes: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {
        "listener_arn": LISTENER,
        "security_group_id": "sg-0a1b",
        "domain": "example.com",
    }

    with pytest.raises(ConstructError, match=message):
        synthesize(
            lambda app: LoadBalancer.import_(
                ServiceStack(app, "orders", sample_target()), "gateway", **given | changes
            )
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"security_group_rules": 0}, "security_group_rules must be 1-1000, got 0"),
        ({"security_group_rules": 1001}, "security_group_rules must be 1-1000"),
        ({"listener_rules": 0}, "listener_rules must be at least 1"),
        ({"target_groups": 0}, "target_groups must be at least 1"),
    ],
)
def test_a_quota_that_no_account_has_is_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        LoadBalancerQuotas(**changes)
