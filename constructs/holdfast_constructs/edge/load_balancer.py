"""The load balancer that all services of an environment share.

It speaks HTTPS, sends HTTP callers over to it, answers 404 to whatever no service claims, and keeps an
access log. A service claims hosts, or paths of them, with rules of its own on the load balancer's listener,
and writes their DNS records; so adding a service changes the service's stack and not this one.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from cdktf_cdktf_provider_aws.lb import Lb, LbAccessLogs
from cdktf_cdktf_provider_aws.lb_listener import (
    LbListener,
    LbListenerDefaultAction,
    LbListenerDefaultActionFixedResponse,
    LbListenerDefaultActionRedirect,
)
from cdktf_cdktf_provider_aws.lb_listener_certificate import LbListenerCertificate
from cdktf_cdktf_provider_aws.route53_record import Route53Record, Route53RecordAlias
from cdktf_cdktf_provider_aws.route53_zone import Route53Zone
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.edge._access_logs import AccessLogs
from holdfast_constructs.edge._bands import HIGHEST, LOWEST
from holdfast_constructs.edge._caller_rules import let_in
from holdfast_constructs.edge._callers import anywhere, callers, of_network
from holdfast_constructs.edge._certificate import Certificate
from holdfast_constructs.edge._listener_options import TLS_POLICY
from holdfast_constructs.edge._load_balancer_rules import check_certificate, check_firewall, check_options
from holdfast_constructs.edge._priorities import Priorities
from holdfast_constructs.edge._reach import Egress, Reach
from holdfast_constructs.edge.domain import (
    Domain,
    check_domain,
    check_domains,
    domain_of,
)
from holdfast_constructs.edge.firewall import Firewall
from holdfast_constructs.edge.imported_load_balancer import HTTP, HTTPS, ImportedLoadBalancer
from holdfast_constructs.edge.load_balancer_quotas import LoadBalancerQuotas
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network._subnets import check_zones
from holdfast_constructs.network.connections import HIGHEST_PORT, Connectable
from holdfast_constructs.network.network import ANYWHERE, VpcNetwork

HSTS = "max-age=31536000"

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
    """An Application Load Balancer for `domain` in the public subnets of `network`, or its private ones.

    Its certificate is `certificate_arn`; or, with the Route 53 `zone_id` of the domain, made and renewed by
    itself. `domains` are further ones, each with a certificate of its own. The local cloud needs neither: a
    zone is made there. With a zone, each service writes the records of its hosts there, unless `alias` is
    False (a second region). `wildcard_record` keeps `*.domain` besides: with it every name below the domain
    leads here, also one that no service has. `firewall` filters the requests. `plain_http` leaves HTTPS out,
    never in production.

    `internal` puts it into the private subnets, without an address on the Internet. `allow_from` says who may
    connect: ranges of addresses, prefix lists, security groups; unless given, everybody, or the network where
    it is internal. `tls_policy` is one of ELB's with TLS 1.3, and 1.2 with forward secrecy only. A connection
    is closed after `idle_seconds` (1-4,000) without a byte. With `egress="network"` its security group has
    one rule for all addresses of the network, in place of one for each service. `quotas` are those that AWS
    raised. In production a public one without a firewall says why: `no_firewall_because`.

    Raises ConstructError when there is no way to a certificate, or one too many, for a network of one zone,
    a domain that is there twice, a caller or a policy that AWS does not have, and a name that AWS reserves.
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
        domains: Sequence[Domain] = (),
        wildcard_record: bool = True,
        internal: bool = False,
        allow_from: Sequence[str | Connectable] = (),
        tls_policy: str = TLS_POLICY,
        idle_seconds: int = 60,
        egress: Egress = "services",
        quotas: LoadBalancerQuotas = LoadBalancerQuotas(),  # noqa: B008 - frozen
        no_firewall_because: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self.name = id_
        self.domain = domain
        self.default_port = HTTP if plain_http else HTTPS
        self.priorities = Priorities()
        self.internal = internal
        self._reach = Reach(quotas, egress)
        check_options(tls_policy=tls_policy, idle_seconds=idle_seconds)
        check_firewall(self._stack, firewall, no_firewall_because, internal=internal)
        check_zones(network.zones, self._stack.target, wanted_by=f"gateway {id_}")
        check_domain(domain)
        first = Domain(name=domain, zone_id=zone_id, certificate_arn=certificate_arn)
        check_domains((first, *domains))
        for each in (first, *domains):
            check_certificate(self._stack, each, first=each is first, plain_http=plain_http)
        self.domains = tuple(each.name for each in (first, *domains))
        self._zones = {
            each.name: self._zone(each, wanted=not (each.certificate_arn or plain_http))
            for each in (first, *domains)
        }
        self._alias, self._wildcard_record = alias, alias and wildcard_record
        self.security_group = self._make_security_group(network)
        self._let_in(network, allow_from, quotas)
        if egress == "network":
            self._let_out(network)
        self.access_logs = AccessLogs(self, "access-logs")
        self.load_balancer = self._make_load_balancer(network, idle_seconds)
        self.listener = self._listen_plainly() if plain_http else self._listen(first, tls_policy)
        for each in () if plain_http else domains:
            self._certify(each)
        if firewall is not None:
            firewall.protect(self, "firewall", resource_arn=self.load_balancer.arn)
        if self.zone_id is not None and self._wildcard_record:
            self._point_domain(self.zone_id)

    @classmethod
    def import_(
        cls,
        scope: Construct,
        id_: str,
        *,
        listener_arn: str,
        security_group_id: str,
        domain: str,
        dns_name: str | None = None,
        hosted_zone_id: str | None = None,
        zone_id: str | None = None,
        plain_http: bool = False,
        first_priority: int = LOWEST,
        last_priority: int = HIGHEST,
        egress: Egress = "services",
        quotas: LoadBalancerQuotas = LoadBalancerQuotas(),  # noqa: B008 - frozen
    ) -> ImportedLoadBalancer:
        """Return a load balancer that exists, for the web services of this app; nothing of it is managed.

        `listener_arn` is the listener that their rules are added to, for hosts of `domain`. With `zone_id`,
        the Route 53 zone of the domain, services write their records, which lead to `dns_name` in the load
        balancer's `hosted_zone_id`. Rules of other apps cannot be seen: each app has a range of its own,
        `first_priority` to `last_priority` (1-50,000). `egress="network"` says that the load balancer reaches
        the whole network already. Raises ConstructError for what is no such id, for a listener elsewhere, and
        for no range.
        """
        return ImportedLoadBalancer(
            scope,
            id_,
            listener_arn=listener_arn,
            security_group_id=security_group_id,
            domain=domain,
            dns_name=dns_name,
            hosted_zone_id=hosted_zone_id,
            zone_id=zone_id,
            plain_http=plain_http,
            first_priority=first_priority,
            last_priority=last_priority,
            egress=egress,
            quotas=quotas,
        )

    def reach(self, service: Connectable, *, scope: Construct) -> None:
        """Let it open connections to a service; the rules are created in `scope`.

        Raises ConstructError for more services than AWS has room for.
        """
        self._reach.add(self, service, scope=scope)

    @property
    def zone_id(self) -> str | None:
        """The Route 53 zone of its first domain, where there is one."""
        return self._zones[self.domain]

    @property
    def zone_ids(self) -> Mapping[str, str | None]:
        """The Route 53 zone of each of its domains."""
        return dict(self._zones)

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
    def hosted_zone_id(self) -> str:
        """The zone that its own name in DNS is in, which alias records ask for."""
        return self.load_balancer.zone_id

    def domain_of(self, host: str) -> str:
        """Return which of its domains a host belongs to; raises ConstructError for a host of none."""
        return domain_of(host, self.domains)

    def record_zone(self, host: str) -> str | None:
        """Return the Route 53 zone in which the service that has `host` writes its record.

        None where no zone is known, another region has the records, or the load balancer has this one.
        """
        written = self._wildcard_record and host == f"*.{self.domain}"
        return self._zones[self.domain_of(host)] if self._alias and not written else None

    @property
    def scheme(self) -> Literal["http", "https"]:
        """What its URLs begin with."""
        return "https" if self.default_port == HTTPS else "http"

    def _zone(self, domain: Domain, *, wanted: bool) -> str | None:
        if domain.zone_id is None and wanted:
            id_ = self._id_of("zone", domain)
            return Route53Zone(self, id_, name=domain.name, force_destroy=True).zone_id
        return domain.zone_id

    def _id_of(self, part: str, domain: Domain) -> str:
        return part if domain.name == self.domain else f"{part}-{domain.name.replace('.', '-')}"

    def _make_security_group(self, network: VpcNetwork) -> SecurityGroup:
        return SecurityGroup(
            self,
            "security-group",
            name=aws_name("security_group", self._stack.target, self._stack.service, self.name),
            description="Load balancer that services share",
            vpc_id=network.vpc_id,
        )

    def _let_in(
        self, network: VpcNetwork, allow_from: Sequence[str | Connectable], quotas: LoadBalancerQuotas
    ) -> None:
        usual = of_network(network.vpc_cidr) if self.internal and not allow_from else anywhere(ANYWHERE)
        given = callers(allow_from) or [usual]
        ports = sorted({HTTP, self.default_port})
        let_in(self.security_group.id, given, scope=self, ports=ports, quotas=quotas)

    def _let_out(self, network: VpcNetwork) -> None:
        VpcSecurityGroupEgressRule(
            self,
            "to-network",
            security_group_id=self.security_group.id,
            cidr_ipv4=network.vpc_cidr,
            ip_protocol="tcp",
            from_port=1,
            to_port=HIGHEST_PORT,
            description="Services in the network, which let it in themselves",
        )

    def _make_load_balancer(self, network: VpcNetwork, idle_seconds: int) -> Lb:
        name = aws_name("load_balancer", self._stack.target, self._stack.service, self.name)
        return Lb(
            self,
            "load-balancer",
            name=name,
            load_balancer_type="application",
            internal=self.internal,
            subnets=network.private_subnet_ids if self.internal else network.public_subnet_ids,
            security_groups=[self.security_group.id],
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            enable_deletion_protection=self._stack.target.delete_protection,
            idle_timeout=idle_seconds,
            access_logs=LbAccessLogs(bucket=self.access_logs.bucket.id, enabled=True),
            depends_on=[self.access_logs.policy],
        )

    def _listen(self, domain: Domain, tls_policy: str) -> LbListener:
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
            ssl_policy=tls_policy,
            certificate_arn=self._certificate_of(domain),
            routing_http_response_strict_transport_security_header_value=HSTS,
            routing_http_response_server_enabled=False,
            default_action=[_NOT_FOUND],
        )

    def _certificate_of(self, domain: Domain) -> str:
        if domain.certificate_arn is not None:
            return domain.certificate_arn
        zone_id = self._zones[domain.name]
        if zone_id is None:
            raise AssertionError("checked above: without a certificate there is a zone")
        return Certificate(self, self._id_of("tls", domain), domain=domain.name, zone_id=zone_id).arn

    def _certify(self, domain: Domain) -> None:
        """Add the certificate that clients get who ask for a further domain (SNI)."""
        LbListenerCertificate(
            self,
            self._id_of("certificate", domain),
            listener_arn=self.listener.arn,
            certificate_arn=self._certificate_of(domain),
        )

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
