"""What the domain, the zone and the certificate of a load balancer may be."""

import re

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security._arns import parse_arn

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# RFC 1035, without the dot at the end.
LONGEST_DOMAIN = 253
# AWS Certificate Manager, RequestCertificate: the first name of a certificate, here `*.` and the domain.
LONGEST_CERTIFICATE_NAME = 64
# Amazon Route 53, GetHostedZone: the id of a zone.
_ZONE_ID = re.compile(r"(?:/hostedzone/)?[A-Z0-9]{1,32}")
_EXAMPLE = "arn:aws:acm:eu-west-1:210987654321:certificate/12345678-1234-1234-1234-123456789012"


def check_domain(domain: str, *, has_certificate: bool) -> None:
    """Raise ConstructError for what is no domain, or too long for the certificate that is made for it."""
    if is_text_token(domain) or domain.startswith("${"):
        return
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > LONGEST_DOMAIN or not all(map(_LABEL.fullmatch, labels)):  # noqa: PLR2004
        raise ConstructError(
            "domain", got=domain, allowed="a lower-case name in DNS of two parts or more, such as example.com"
        )
    longest = LONGEST_CERTIFICATE_NAME - len("*.")
    if has_certificate and len(domain) > longest:
        raise ConstructError(
            "domain",
            got=domain,
            allowed=f"at most {longest} characters, so that ACM makes a certificate for *.{domain}",
            next_step="take a shorter one, or give it a certificate_arn",
        )


def check_zone_id(zone_id: str | None) -> None:
    """Raise ConstructError for what is no id of a hosted zone."""
    if not zone_id or is_text_token(zone_id) or zone_id.startswith("${"):
        return
    if _ZONE_ID.fullmatch(zone_id) is None:
        raise ConstructError(
            "zone_id",
            got=zone_id,
            allowed="the id of a hosted zone, such as Z0123456789ABCDEFGHIJ",
            next_step="`aws route53 list-hosted-zones` shows it",
        )


def check_certificate_arn(arn: str | None, region: str) -> None:
    """Raise ConstructError for what is no certificate of `region`; a load balancer takes no other."""
    parts = None if arn is None else parse_arn(arn, "acm", what="certificate_arn", example=_EXAMPLE)
    if parts is not None and parts.region != region:
        raise ConstructError(
            "certificate_arn",
            got=arn,
            allowed=f"a certificate of {region}, where the load balancer is",
            next_step="request one in that region",
        )
