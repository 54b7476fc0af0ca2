"""What a load balancer refuses: each rule raises ConstructError with what, got, allowed, next."""

import re

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.app import production
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.edge._listener_options import LONGEST_IDLE_SECONDS, check_tls_policy
from holdfast_constructs.edge.domain import Domain, check_certified
from holdfast_constructs.edge.firewall import Firewall
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security._arns import parse_arn

# Amazon Route 53, GetHostedZone: the id of a zone.
_ZONE_ID = re.compile(r"(?:/hostedzone/)?[A-Z0-9]{1,32}")
_EXAMPLE = "arn:aws:acm:eu-west-1:210987654321:certificate/12345678-1234-1234-1234-123456789012"


def check_options(*, tls_policy: str, idle_seconds: int) -> None:
    """Raise ConstructError for a policy or a timeout that ELB does not have."""
    check_tls_policy(tls_policy)
    if not 1 <= idle_seconds <= LONGEST_IDLE_SECONDS:
        raise ConstructError("idle_seconds", got=idle_seconds, allowed=f"1-{LONGEST_IDLE_SECONDS}")


def check_firewall(
    stack: ServiceStack, firewall: Firewall | None, because: str | None, *, internal: bool
) -> None:
    """Raise ConstructError for no firewall without a reason in production, and for a reason beside one."""
    if because is not None and (firewall is not None or not because.strip()):
        raise ConstructError(
            "no_firewall_because",
            got=because,
            allowed="the reason why there is no firewall, where there is none",
        )
    if stack.target.production:
        production.check_firewall(
            stack.target.environment, public=not internal, protected=firewall is not None, because=because
        )


def check_certificate(stack: ServiceStack, domain: Domain, *, first: bool, plain_http: bool) -> None:
    """Raise ConstructError for a domain without a way to a certificate, or with one too many."""
    target, certificate_arn = stack.target, domain.certificate_arn
    _check_zone_id(domain.zone_id)
    _check_certificate_arn(certificate_arn, target.region)
    if plain_http and target.production:
        raise ConstructError(
            f"the gateway of {target.environment} would answer plain HTTP in production",
            next_step="give it a certificate_arn or the zone_id of its domain",
        )
    if plain_http and certificate_arn is not None:
        raise ConstructError(
            "plain_http and certificate_arn contradict each other", next_step="remove one of the two"
        )
    if not (plain_http or certificate_arn or domain.zone_id or target.local):
        raise ConstructError(
            f"the gateway of {target.environment} has no certificate"
            + ("" if first else f" for {domain.name}"),
            next_step="give it a certificate_arn, or the zone_id of its domain to have one made",
        )
    if not (plain_http or certificate_arn):
        check_certified(domain)


def _check_zone_id(zone_id: str | None) -> None:
    if not zone_id or is_text_token(zone_id) or zone_id.startswith("${"):
        return
    if _ZONE_ID.fullmatch(zone_id) is None:
        raise ConstructError(
            "zone_id",
            got=zone_id,
            allowed="the id of a hosted zone, such as Z0123456789ABCDEFGHIJ",
            next_step="`aws route53 list-hosted-zones` shows it",
        )


def _check_certificate_arn(arn: str | None, region: str) -> None:
    parts = None if arn is None else parse_arn(arn, "acm", what="certificate_arn", example=_EXAMPLE)
    if parts is not None and parts.region != region:
        raise ConstructError(
            "certificate_arn",
            got=arn,
            allowed=f"a certificate of {region}, where the load balancer is",
            next_step="request one in that region",
        )
