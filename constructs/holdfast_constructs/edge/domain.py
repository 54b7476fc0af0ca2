"""The domains that a load balancer serves, and which of them a host belongs to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

# Elastic Load Balancing, "Quotas for your Application Load Balancers": certificates besides the default one.
MOST_MORE_DOMAINS = 25
# RFC 1035; Elastic Load Balancing, "Host conditions"; and AWS Certificate Manager, RequestCertificate: the
# first name of a certificate.
_LONGEST_DOMAIN, LONGEST_HOST, LONGEST_CERTIFIED = 253, 128, 64

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ONE_LABEL = re.compile(rf"(?:\*|{_LABEL})")
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")


def check_domain(name: str) -> None:
    """Raise ConstructError unless `name` is a domain such as example.com; a token is taken as it is."""
    later = is_text_token(name) or name.startswith("${")
    if not later and (_DOMAIN.fullmatch(name) is None or len(name) > _LONGEST_DOMAIN):
        raise ConstructError("domain", got=name, allowed="a lower-case domain name such as example.com")


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A further domain of a load balancer: its certificate is `certificate_arn`, or made in `zone_id`.

    `zone_id` is its Route 53 zone. Services write the records of their hosts there. The certificate has to
    cover the domain itself and every name one level below it, as the one that is made does. The local cloud
    needs neither. Raises ConstructError for a name that is no domain.
    """

    name: str
    zone_id: str | None = field(default=None)
    certificate_arn: str | None = field(default=None)

    def __post_init__(self) -> None:
        check_domain(self.name)


def check_domains(domains: Sequence[Domain]) -> None:
    """Raise ConstructError for a domain that is there twice, and for too many certificates."""
    names = [domain.name for domain in domains]
    for name in names:
        if names.count(name) > 1:
            raise ConstructError(f"domain {name!r} is given twice", next_step="remove one of the two")
    if len(names) > 1 + MOST_MORE_DOMAINS:
        allowed = f"at most {MOST_MORE_DOMAINS} besides the first, as a listener has no more certificates"
        raise ConstructError("the number of domains", got=len(names), allowed=allowed)


def check_certified(domain: Domain) -> None:
    """Raise ConstructError for a domain whose name is too long to have a certificate made."""
    if len(domain.name) > LONGEST_CERTIFIED and not is_text_token(domain.name):
        raise ConstructError(
            "a domain that gets a certificate",
            got=domain.name,
            allowed=f"at most {LONGEST_CERTIFIED} characters long",
            next_step="make the certificate yourself, and give its certificate_arn",
        )


def domain_of(host: str, domains: Sequence[str]) -> str:
    """Return which of these domains `host` belongs to: itself, or one level below it, the longest first.

    A certificate's wildcard covers one level. The label below the domain may be `*`. Raises ConstructError
    for a host of no domain.
    """
    mine = [domain for domain in domains if host == domain or _is_below(host, domain)]
    if not mine or (len(host) > LONGEST_HOST and not is_text_token(host)):
        raise ConstructError("host", got=host, allowed=allowed_hosts(domains))
    return max(mine, key=len)


def allowed_hosts(domains: Sequence[str]) -> str:
    """Say which hosts these domains have."""
    itself = "one of these itself" if len(domains) > 1 else f"{domains[0]} itself"
    return (
        f"a lower-case name one level below {' or '.join(domains)}, such as api.{domains[0]}, or {itself};"
        f" at most {LONGEST_HOST} characters"
    )


def _is_below(host: str, domain: str) -> bool:
    label = host.removesuffix(f".{domain}")
    return label != host and _ONE_LABEL.fullmatch(label) is not None
