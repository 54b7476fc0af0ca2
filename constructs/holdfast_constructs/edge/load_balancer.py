"""The load balancer that all services of an environment share.

It speaks HTTPS, sends HTTP callers over to it, answers 404 to whatever no service claims, and keeps an
access log. A service claims a host name with a rule of its own on the load balancer's listener, so adding a
service changes the service's stack and not this one.
"""

from typing import Literal

from cdktf_cdktf_provider_aws.lb import Lb, LbAccessLogs
from cdktf_cdktf_provider_aws.lb_listener import (
    LbListener,
    LbListenerDefaultAction,
    LbListenerDefaultActionFixedResponse,
    LbListenerDefaultActionRedirect,
)
from cdktf_cdktf_provider_aws.route53_record import Route53Record, Route53RecordAlias
from cdktf_cdktf_provider_aws.route53_zone import Route53Zone
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.edge import _load_balancer_rules as rules
from holdfast_constructs.edge._access_logs import AccessLogs
from holdfast_constructs.edge._certificate import Certificate
from holdfast_constructs.edge._priorities import Priorities
from holdfast_constructs.edge.firewall import Firewall
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network._subnets import check_zones
from holdfast_constructs.network.network import ANYWHERE, VpcNetwork

HTTP, HTTPS = 80, 443
# TLS 1.3, and 1.2 with forward secrecy only.
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
HSTS = "max-age=31536000"
# Longer than the timeout of most clients; Elastic Load Balancing closes idle connections after it.
IDLE_SECONDS = 60

_NOT_FOUND = LbListenerDefaultAction(
    type="fixed-response",
    fixed_response=LbListenerDefaultActionFixedResponse(
        content_type="text/plain", message_body="Not found", status_code="404"
    ),
)
_TO_HTTPS = LbListenerDefaultAction(
    type="redirect",
    redirect=LbListenerDefaultActionRedirect(port=str(HTTPS), protocol="HTTPS", status_code="HTTP_301"),
)


@checked
class LoadBalancer(Construct):
    """An Application Load Balancer for `domain` in the public subnets of `network`.

    Its certificate is `certificate_arn`; or, with the Route 53 `zone_id` of the domain, made and renewed by
    itself. With a zone, `*.domain` points at the load balancer unless `alias` is False (a second region).
    The local cloud needs neither: a zone is made there. `firewall` filters the requests. `plain_http` leaves
    HTTPS out, never in production.

    Raises ConstructError when there is no way to a certificate, or one too many, and for a network of
    one zone.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        network: VpcNetwork,
        domain: str,
        firewall: Firewall | None,
        certificate_arn: str | None = None,
        zone_id: str | None = None,
        alias: bool = True,
        plain_http: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self.name = id_
        self.domain = domain
        self.default_port = HTTP if plain_http else HTTPS
        self.priorities = Priorities()
        check_zones(network.zones, self._stack.target, wanted_by=f"gateway {id_}")
        rules.check_domain(domain, has_certificate=not (certificate_arn or plain_http))
        rules.check_zone_id(zone_id)
        rules.check_certificate_arn(certificate_arn, self._stack.target.region)
        _check_certificate(self._stack, certificate_arn, zone_id, plain_http=plain_http)
        self.zone_id = self._zone(zone_id, wanted=not (certificate_arn or plain_http))
        self.security_group = self._make_security_group(network)
        self.access_logs = AccessLogs(self, "access-logs")
        self.load_balancer = self._make_load_balancer(network)
        self.listener = self._listen_plainly() if plain_http else self._listen(certificate_arn)
        if firewall is not None:
            firewall.protect(self, "firewall", resource_arn=self.load_balancer.arn)
        if self.zone_id is not None and alias:
            self._point_domain(self.zone_id)

    @property
    def security_group_id(self) -> str:
        """The id of the load balancer's security group."""
        return self.security_group.id

    @property
    def listener_arn(self) -> str:
        """The ARN of the listener that services add their rules to."""
        return self.listener.arn

    @property
    def load_balancer_arn_suffix(self) -> str:
        """The part of its ARN that CloudWatch knows the load balancer by."""
        return self.load_balancer.arn_suffix

    @property
    def dns_name(self) -> str:
        """The load balancer's own name in DNS."""
        return self.load_balancer.dns_name

    @property
    def scheme(self) -> Literal["http", "https"]:
        """What its URLs begin with."""
        return "https" if self.default_port == HTTPS else "http"

    def _zone(self, zone_id: str | None, *, wanted: bool) -> str | None:
        if zone_id is None and wanted:
            return Route53Zone(self, "zone", name=self.domain, force_destroy=True).zone_id
        return zone_id

    def _make_security_group(self, network: VpcNetwork) -> SecurityGroup:
        group = SecurityGroup(
            self,
            "security-group",
            name=aws_name("security_group", self._stack.target, self._stack.service, self.name),
            description="Load balancer that services share",
            vpc_id=network.vpc_id,
        )
        for port in sorted({HTTP, self.default_port}):
            VpcSecurityGroupIngressRule(
                self,
                f"from-anywhere-{port}",
                security_group_id=group.id,
                cidr_ipv4=ANYWHERE,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description="HTTPS from anywhere" if port == HTTPS else "HTTP from anywhere",
            )
        return group

    def _make_load_balancer(self, network: VpcNetwork) -> Lb:
        return Lb(
            self,
            "load-balancer",
            name=aws_name("load_balancer", self._stack.target, self._stack.service, self.name),
            load_balancer_type="application",
            internal=False,
            subnets=network.public_subnet_ids,
            security_groups=[self.security_group.id],
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            enable_deletion_protection=self._stack.target.delete_protection,
            idle_timeout=IDLE_SECONDS,
            access_logs=LbAccessLogs(bucket=self.access_logs.bucket.id, enabled=True),
            depends_on=[self.access_logs.policy],
        )

    def _listen(self, certificate_arn: str | None) -> LbListener:
        LbListener(
            self,
            "redirect",
            load_balancer_arn=self.load_balancer.arn,
            port=HTTP,
            protocol="HTTP",
            default_action=[_TO_HTTPS],
        )
        return LbListener(
            self,
            "https",
            load_balancer_arn=self.load_balancer.arn,
            port=HTTPS,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=certificate_arn or self._make_certificate().arn,
            routing_http_response_strict_transport_security_header_value=HSTS,
            routing_http_response_server_enabled=False,
            default_action=[_NOT_FOUND],
        )

    def _make_certificate(self) -> Certificate:
        if self.zone_id is None:
            raise AssertionError("checked above: without a certificate there is a zone")
        return Certificate(self, "tls", domain=self.domain, zone_id=self.zone_id)

    def _listen_plainly(self) -> LbListener:
        return LbListener(
            self,
            "http",
            load_balancer_arn=self.load_balancer.arn,
            port=HTTP,
            protocol="HTTP",
            routing_http_response_server_enabled=False,
            default_action=[_NOT_FOUND],
        )

    def _point_domain(self, zone_id: str) -> None:
        Route53Record(
            self,
            "alias",
            zone_id=zone_id,
            name=f"*.{self.domain}",
            type="A",
            alias=Route53RecordAlias(
                name=self.load_balancer.dns_name,
                zone_id=self.load_balancer.zone_id,
                evaluate_target_health=True,
            ),
        )


def _check_certificate(
    stack: ServiceStack, certificate_arn: str | None, zone_id: str | None, *, plain_http: bool
) -> None:
    target = stack.target
    if plain_http and target.production:
        raise ConstructError(
            f"the gateway of {target.environment} would answer plain HTTP in production",
            next_step="give it a certificate_arn or the zone_id of its domain",
        )
    if plain_http and certificate_arn is not None:
        raise ConstructError(
            "plain_http and certificate_arn contradict each other", next_step="remove one of the two"
        )
    if not (plain_http or certificate_arn or zone_id or target.local):
        raise ConstructError(
            f"the gateway of {target.environment} has no certificate",
            next_step="give it a certificate_arn, or the zone_id of its domain to have one made",
        )
