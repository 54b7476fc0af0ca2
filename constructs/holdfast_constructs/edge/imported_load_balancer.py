"""What services need of a load balancer, and a load balancer that another app or another tool manages."""

import re
from typing import Literal, Protocol

from cdktf import Fn, Token
from constructs import Construct

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.edge._bands import HIGHEST, LOWEST
from holdfast_constructs.edge._priorities import Priorities
from holdfast_constructs.edge._reach import Egress, Reach
from holdfast_constructs.edge.domain import check_domain, domain_of
from holdfast_constructs.edge.load_balancer_quotas import LoadBalancerQuotas
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.network.connections import Connectable
from holdfast_constructs.security._arns import parse_arn

HTTP, HTTPS = 80, 443

_LISTENER = re.compile(r"listener/(app/[^/]+/[0-9a-f]+)/[0-9a-f]+")
_EXAMPLE = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
)


class ApplicationLoadBalancer(Protocol):
    """What services need of a load balancer, whether Holdfast made it or not."""

    name: str
    domain: str
    default_port: int
    priorities: Priorities

    @property
    def security_group_id(self) -> str:
        """The id of its security group."""

    @property
    def listener_arn(self) -> str:
        """The ARN of the listener that services add their rules to."""

    @property
    def load_balancer_arn_suffix(self) -> str:
        """The part of its ARN that CloudWatch knows it by."""

    @property
    def scheme(self) -> Literal["http", "https"]:
        """What its URLs begin with."""

    @property
    def dns_name(self) -> str:
        """Its own name in DNS."""

    @property
    def hosted_zone_id(self) -> str:
        """The zone that its own name in DNS is in, which alias records ask for."""

    def domain_of(self, host: str) -> str:
        """Return which of its domains a host belongs to; raises ConstructError for a host of none."""

    def record_zone(self, host: str) -> str | None:
        """Return the Route 53 zone in which the service that has `host` writes its record, None for none."""

    def reach(self, service: Connectable, *, scope: Construct) -> None:
        """Let it open connections to a service; the rules are created in `scope`."""


@checked
class ImportedLoadBalancer(Construct):
    """A load balancer that exists already; `LoadBalancer.import_` returns one."""

    def __init__(
        self,
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
    ) -> None:
        super().__init__(scope, id_)
        self.name, self.domain = id_, domain
        self.listener_arn = listener_arn
        self.load_balancer_arn_suffix = _suffix(self, listener_arn)
        if not security_group_id.startswith(("sg-", "${")):
            allowed = "the id of a security group, such as sg-0a1b2c3d"
            raise ConstructError("security_group_id", got=security_group_id, allowed=allowed)
        self.security_group_id = security_group_id
        if zone_id is not None and not (dns_name and hosted_zone_id):
            raise ConstructError(
                f"records for load balancer {id_} in zone {zone_id} have nothing to lead to",
                next_step="give its dns_name and its hosted_zone_id too, or leave zone_id out",
            )
        check_domain(domain)
        self.dns_name, self.hosted_zone_id, self.zone_id = dns_name or "", hosted_zone_id or "", zone_id
        self.default_port = HTTP if plain_http else HTTPS
        self.priorities = Priorities(first_priority, last_priority)
        self._reach = Reach(quotas, egress)

    @property
    def scheme(self) -> Literal["http", "https"]:
        """What its URLs begin with."""
        return "https" if self.default_port == HTTPS else "http"

    def domain_of(self, host: str) -> str:
        """Return which of its domains a host belongs to; raises ConstructError for a host of none."""
        return domain_of(host, (self.domain,))

    def record_zone(self, host: str) -> str | None:
        """Return the Route 53 zone in which the service that has `host` writes its record.

        None where the zone is not known, and the records are somebody else's.
        """
        self.domain_of(host)
        return self.zone_id

    def reach(self, service: Connectable, *, scope: Construct) -> None:
        """Let it open connections to a service; the rules are created in `scope`.

        Raises ConstructError for more services of this app than AWS has room for.
        """
        self._reach.add(self, service, scope=scope)


def _suffix(scope: Construct, listener_arn: str) -> str:
    arn = parse_arn(listener_arn, "elasticloadbalancing", what="listener_arn", example=_EXAMPLE)
    if arn is None:
        return _suffix_later(listener_arn)
    match = _LISTENER.fullmatch(arn.resource)
    if match is None:
        raise ConstructError(
            "listener_arn", got=listener_arn, allowed=f"the ARN of a listener such as {_EXAMPLE}"
        )
    target = ServiceStack.of(scope).target
    if (arn.account, arn.region) != (target.account, target.region):
        raise ConstructError(
            "listener_arn",
            got=listener_arn,
            allowed=f"a listener in account {target.account} and region {target.region}, as its services",
        )
    return match[1]


def _suffix_later(listener_arn: str) -> str:
    """Return the reference to the suffix in an ARN that is known only after a deploy."""
    if not is_text_token(listener_arn):
        # cdktf's functions would write a reference that is a text as that text.
        return f'${{join("/", slice(split("/", "{listener_arn}"), 1, 4))}}'
    parts = Fn.split("/", listener_arn)
    suffix: str = Fn.join("/", [Token.as_string(Fn.element(parts, place)) for place in (1, 2, 3)])
    return suffix
