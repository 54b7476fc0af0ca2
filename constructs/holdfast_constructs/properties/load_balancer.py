"""The properties of `LoadBalancer`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
callers ── firewall ── security group ── :443 TLS ── rules of services ── their tasks
                            │                └── no rule: 404
                            └── :80 redirect to HTTPS
requests ── access logs ── bucket
"""

PROPERTIES = {
    "network": Property(
        why="it is in the public subnets of all zones, or in the private ones where it is internal"
    ),
    "domain": Property(why="services have names one level below it, or the domain itself"),
    "firewall": Property(
        why="filters the requests; None, on purpose, is for one behind something that filters them",
        controls=("CKV2_AWS_28", "FSBP ELB.16"),
        theme=Theme.BOUNDARY,
        satisfied=lambda value, _profile: value is not None,
    ),
    "certificate_arn": Property(
        why="a certificate made elsewhere, where there is no zone to prove the domain in"
    ),
    "zone_id": Property(
        why="the Route 53 zone of the domain: the certificate is made and renewed by itself",
        controls=("FSBP ACM.1",),
        theme=Theme.IN_TRANSIT,
    ),
    "alias": Property(
        why="services write the records of their hosts; False in the second region of a domain"
    ),
    "domains": Property(why="further domains, each with a certificate of its own"),
    "wildcard_record": Property(
        why="keeps `*.domain`, which leads here for names that no service has too; services write their own",
    ),
    "plain_http": Property(
        why="leaves HTTPS out where nothing is secret; refused in production",
        controls=("CKV_AWS_2", "CKV2_AWS_20", "FSBP ELB.1"),
        theme=Theme.IN_TRANSIT,
        satisfied=lambda value, _profile: not value,
    ),
    "internal": Property(why="in the private subnets, with no address on the Internet", theme=Theme.BOUNDARY),
    "allow_from": Property(
        why="who may connect; unless given everybody, or the network where it is internal",
        theme=Theme.BOUNDARY,
    ),
    "tls_policy": Property(
        why="TLS 1.3, and 1.2 with forward secrecy only; weaker ones are refused",
        controls=("CKV_AWS_103", "CKV2_AWS_74", "FSBP ELB.17"),
        theme=Theme.IN_TRANSIT,
    ),
    "idle_seconds": Property(
        why="longer than the timeout of most clients; raise it for long polls and WebSockets"
    ),
    "egress": Property(
        why="a rule for each service reaches nothing else; one for the network is for more than 60 services",
        theme=Theme.BOUNDARY,
        satisfied=lambda value, _profile: value == "services",
    ),
    "quotas": Property(
        why="what AWS raised for the account; one service too many is refused before a deploy"
    ),
    "no_firewall_because": Property(why="the reason that production asks for where nothing filters requests"),
}

_LB = "aws_lb"

ALWAYS = (
    Always(
        resource=_LB,
        argument="drop_invalid_header_fields",
        value=True,
        why="headers that services read differently do not reach them",
        controls=("CKV_AWS_131", "FSBP ELB.4"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource=_LB,
        argument="desync_mitigation_mode",
        value="strictest",
        why="a request that could be read as two is refused",
        controls=("CKV_AWS_328", "FSBP ELB.12"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource=_LB,
        argument="enable_deletion_protection",
        value=True,
        follows="delete_protection of the target",
        why="it cannot be deleted by mistake, and the address of everything with it",
        controls=("CKV_AWS_150", "FSBP ELB.6"),
        theme=Theme.RECOVERABLE,
    ),
    Always(
        resource=_LB,
        argument="access_logs.enabled",
        value=True,
        why="who asked for what, and what the answer was",
        controls=("CKV_AWS_91", "FSBP ELB.5"),
        theme=Theme.OBSERVED,
    ),
    Always(
        resource="aws_lb_listener",
        part="https",
        argument="routing_http_response_strict_transport_security_header_value",
        value="max-age=31536000",
        why="browsers ask over HTTPS for a year, also where a link says http",
        theme=Theme.IN_TRANSIT,
    ),
    Always(
        resource="aws_lb_listener",
        part="https",
        argument="routing_http_response_server_enabled",
        value=False,
        why="answers do not say what they were made with",
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource="aws_lb_listener",
        part="redirect",
        argument="default_action.redirect.protocol",
        value="HTTPS",
        why="who asks over HTTP is sent to HTTPS",
        controls=("CKV2_AWS_20", "FSBP ELB.1"),
        theme=Theme.IN_TRANSIT,
    ),
    Always(
        resource="aws_lb_listener",
        part="https",
        argument="default_action.fixed_response.status_code",
        value="404",
        why="a host that no service has gets no service's answer",
        theme=Theme.BOUNDARY,
    ),
)
