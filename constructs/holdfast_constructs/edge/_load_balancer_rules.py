"""What a load balancer refuses: each rule raises ConstructError with what, got, allowed, next."""

from holdfast_constructs.app import production
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.edge._tls_policies import check_tls_policy
from holdfast_constructs.edge.domain import Domain, check_certified
from holdfast_constructs.edge.firewall import Firewall
from holdfast_constructs.errors import ConstructError

# Elastic Load Balancing, "Application Load Balancer attributes": idle_timeout.timeout_seconds.
LONGEST_IDLE_SECONDS = 4000


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
