from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import (
    ConstructError,
    Firewall,
    HoldfastApp,
    Key,
    LoadBalancer,
    Network,
    ServiceStack,
)
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]

CERTIFICATE = "arn:aws:acm:eu-west-1:210987654321:certificate/1b2c"


def _gateway(app: HoldfastApp, *, target: Any = None, **properties: Any) -> LoadBalancer:
    target = target or sample_target()
    base = ServiceStack(app, "network", target)
    network = Network(
        base, "main", cidr="10.40.0.0/16", nat="none", logs_key=Key(base, "logs", purpose="logs")
    )
    given: dict[str, Any] = {"domain": "example.com", "firewall": None} | properties
    if given["firewall"] is None:
        given = {"no_firewall_because": "it has tests of its own"} | given
    return LoadBalancer(ServiceStack(app, "edge", target), "gateway", network=network, **given)


def _synthesized(synthesize: Synthesize, **properties: Any) -> Template:
    given = {"certificate_arn": CERTIFICATE} | properties
    return synthesize(lambda app: _gateway(app, **given))["edge"]


def test_requests_are_answered_over_tls_only(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    edge.has_resource(
        "aws_lb_listener",
        port=443,
        protocol="HTTPS",
        ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        certificate_arn=CERTIFICATE,
        routing_http_response_strict_transport_security_header_value="max-age=31536000",
        routing_http_response_server_enabled=False,
    )
    edge.has_resource(
        "aws_lb_listener",
        port=80,
        default_action=[
            {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}}
        ],
    )
    assert len(edge.resources("aws_lb_listener")) == 2


def test_what_no_service_claims_is_not_found(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    edge.has_resource(
        "aws_lb_listener",
        port=443,
        default_action=[
            {
                "type": "fixed-response",
                "fixed_response": {
                    "content_type": "text/plain",
                    "message_body": "Not found",
                    "status_code": "404",
                },
            }
        ],
    )


def test_malformed_requests_are_dropped_and_requests_logged(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    balancer = edge.resource("aws_lb", drop_invalid_header_fields=True, desync_mitigation_mode="strictest")

    [bucket] = edge.resources("aws_s3_bucket")
    [policy] = edge.resources("aws_s3_bucket_policy")
    assert balancer["access_logs"] == {"bucket": f"${{{bucket}.id}}", "enabled": True}
    assert balancer["depends_on"] == [policy]
    assert balancer["internal"] is False


@pytest.mark.parametrize("kept", [True, False])
def test_deletion_is_prevented_where_data_is_kept(synthesize: Synthesize, *, kept: bool) -> None:
    edge = _synthesized(synthesize, target=sample_target(delete_protection=kept, production=False))

    edge.has_resource("aws_lb", enable_deletion_protection=kept)
    edge.has_resource("aws_s3_bucket", force_destroy=not kept)


def test_anybody_may_ask_and_the_gateway_reaches_nobody_by_itself(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    open_ports = {
        (rule["cidr_ipv4"], rule["from_port"], rule["to_port"], rule["description"])
        for rule in edge.resources("aws_vpc_security_group_ingress_rule").values()
    }

    assert open_ports == {
        ("0.0.0.0/0", 80, 80, "HTTP from anywhere"),
        ("0.0.0.0/0", 443, 443, "HTTPS from anywhere"),
    }
    edge.has_no_resource("aws_vpc_security_group_egress_rule")


def test_the_log_bucket_is_private_encrypted_and_emptied_in_time(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    edge.has_resource(
        "aws_s3_bucket_public_access_block",
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    edge.has_resource("aws_s3_bucket_ownership_controls", rule={"object_ownership": "BucketOwnerEnforced"})
    edge.has_resource("aws_s3_bucket_versioning", versioning_configuration={"status": "Enabled"})
    encryption = {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    edge.has_resource("aws_s3_bucket_server_side_encryption_configuration", rule=[encryption])
    [rule] = edge.resource("aws_s3_bucket_lifecycle_configuration")["rule"]
    assert rule["expiration"] == [{"days": 365}]


def test_the_log_bucket_takes_logs_from_load_balancers_and_nothing_in_plain_text(
    synthesize: Synthesize,
) -> None:
    edge = _synthesized(synthesize)

    [bucket] = edge.resources("aws_s3_bucket")
    [document] = edge.data("aws_iam_policy_document").values()
    logs, transport = document["statement"]
    assert logs["principals"] == [
        {"type": "Service", "identifiers": ["logdelivery.elasticloadbalancing.amazonaws.com"]}
    ]
    assert logs["actions"] == ["s3:PutObject"]
    assert logs["resources"] == [f"${{{bucket}.arn}}/AWSLogs/210987654321/*"]
    assert transport["effect"] == "Deny"
    assert transport["condition"] == [
        {"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}
    ]


def test_a_zone_gives_a_certificate_that_renews_itself_and_an_alias(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize, certificate_arn=None, zone_id="Z123")

    edge.has_resource(
        "aws_acm_certificate",
        domain_name="example.com",
        subject_alternative_names=["*.example.com"],
        validation_method="DNS",
        lifecycle={"create_before_destroy": True},
    )
    [validation] = edge.resources("aws_acm_certificate_validation")
    edge.has_resource("aws_lb_listener", port=443, certificate_arn=f"${{{validation}.certificate_arn}}")
    alias = edge.resource("aws_route53_record", name="*.example.com", type="A", zone_id="Z123")
    assert alias["alias"]["evaluate_target_health"] is True
    edge.has_no_resource("aws_route53_zone")


def test_a_second_region_leaves_the_alias_to_the_first(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize, certificate_arn=None, zone_id="Z123", alias=False)

    edge.has_no_resource("aws_route53_record", type="A")


def test_a_given_certificate_needs_no_zone(synthesize: Synthesize) -> None:
    edge = _synthesized(synthesize)

    for kind in ("aws_acm_certificate", "aws_route53_zone", "aws_route53_record"):
        edge.has_no_resource(kind)


def test_the_local_cloud_gets_a_zone_and_a_certificate_of_its_own(synthesize: Synthesize) -> None:
    target = sample_target(environment="local", local=True, production=False)
    edge = _synthesized(synthesize, target=target, certificate_arn=None)

    edge.has_resource("aws_route53_zone", name="example.com")
    edge.has_resource("aws_acm_certificate", domain_name="example.com")
    edge.has_resource("aws_lb_listener", port=443, protocol="HTTPS")


def test_the_firewall_stands_in_front_of_the_load_balancer(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "firewall", sample_target())
        key = Key(stack, "logs", purpose="logs")
        _gateway(app, certificate_arn=CERTIFICATE, firewall=Firewall(stack, "firewall", logs_key=key))

    edge = synthesize(build)["edge"]

    [balancer] = edge.resources("aws_lb")
    edge.has_resource("aws_wafv2_web_acl_association", resource_arn=f"${{{balancer}.arn}}")


def test_plain_http_has_one_listener_and_one_open_port(synthesize: Synthesize) -> None:
    edge = _synthesized(
        synthesize, target=sample_target(production=False), certificate_arn=None, plain_http=True
    )

    edge.resource("aws_lb_listener", port=80, protocol="HTTP")
    edge.resource("aws_vpc_security_group_ingress_rule", from_port=80)
    edge.has_no_resource("aws_acm_certificate")


def test_plain_http_is_refused_in_production(synthesize: Synthesize) -> None:
    with pytest.raises(
        ConstructError, match=r"plain HTTP in production; give it a certificate_arn or the zone"
    ):
        _synthesized(synthesize, certificate_arn=None, plain_http=True)


def test_no_way_to_a_certificate_is_refused(synthesize: Synthesize) -> None:
    with pytest.raises(ConstructError, match=r"the gateway of prod has no certificate; give it"):
        _synthesized(synthesize, certificate_arn=None)


def test_a_network_of_one_zone_is_refused_except_on_the_local_cloud(synthesize: Synthesize) -> None:
    one = ("eu-west-1a",)
    local = sample_target(environment="local", production=False, local=True, zones=one)

    _synthesized(synthesize, target=local).has_resource("aws_lb")
    with pytest.raises(ConstructError, match="the zones of gateway gateway must be at least 2"):
        _synthesized(synthesize, target=sample_target(zones=one))


def test_a_certificate_for_plain_http_is_refused(synthesize: Synthesize) -> None:
    with pytest.raises(ConstructError, match="plain_http and certificate_arn contradict each other"):
        _synthesized(synthesize, target=sample_target(production=False), plain_http=True)
