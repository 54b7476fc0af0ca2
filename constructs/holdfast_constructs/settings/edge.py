"""The settings of the load balancer and of the firewall in front of it."""

from typing import Annotated

from pydantic import Field

from holdfast_constructs.edge._listener_options import LONGEST_IDLE_SECONDS, TLS_POLICIES, TLS_POLICY
from holdfast_constructs.edge.firewall_exception import FirewallException
from holdfast_constructs.edge.rate_limit import HIGHEST_RATE, LOWEST_RATE, RateLimit
from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.values import (
    CertificateArn,
    DomainName,
    HostedZoneId,
    Items,
    Mode,
    RegionName,
    Table,
    empty_table,
)


class FurtherDomain(Settings):
    """Another domain of the load balancer."""

    name: DomainName
    zone_id: HostedZoneId | None = None
    """Its Route 53 zone: the certificate is then made and renewed by itself, and services have records."""
    certificates: Table[RegionName, CertificateArn] = Field(default_factory=empty_table)
    """Certificates made elsewhere, one per region, where there is no zone_id."""


class Gateway(Settings):
    """The load balancer all services share."""

    tls: bool = True
    """HTTPS with a redirect from HTTP. Without it everything travels in plain text; never in production."""
    zone_id: HostedZoneId | None = None
    """The Route 53 zone of the domain: the certificate is then made and renewed by itself."""
    certificates: Table[RegionName, CertificateArn] = Field(default_factory=empty_table)
    """Certificates made elsewhere, one per region, where there is no zone_id."""
    wildcard_record: bool = True
    """Every name below the domain leads to the gateway. Off: only the hosts that services have."""
    domains: Items[FurtherDomain] = ()
    """Further domains, each with a certificate of its own."""
    internal: bool = False
    """In the private subnets, without an address on the Internet."""
    allow_from: Items[str] = ()
    """Who may connect: ranges, prefix lists, groups; all, or the network if internal, when left out."""
    tls_policy: Annotated[str, Field(json_schema_extra={"enum": [*TLS_POLICIES]})] = TLS_POLICY
    """The TLS versions and ciphers; TLS 1.3, and 1.2 with forward secrecy, when left out."""
    idle_seconds: Annotated[int, Field(ge=1, le=LONGEST_IDLE_SECONDS)] = 60
    """Seconds until a connection without a byte is closed; more for long polls and WebSockets."""


class ExceptionOfRules(Settings):
    """Requests that some rules of the firewall only count, while all others stay blocked."""

    rules: Annotated[Items[str], Field(min_length=1)]
    """Managed rules such as SizeRestrictions_BODY, or a managed group for all of its rules."""
    host: str | None = None
    """One host name."""
    path: str | None = None
    """One path, or with a last * all that begin with it; with `host`, both must match."""
    because: str
    """Why these requests are honest."""

    def built(self) -> FirewallException:
        """Return it as the firewall takes it; raises ConstructError as that does."""
        return FirewallException(rules=self.rules, host=self.host, path=self.path, because=self.because)


class LimitOfRequests(Settings):
    """A limit of requests from one address, for a host, a path, or both."""

    name: str
    """Its rule is called RateLimit-<name>."""
    requests: Annotated[int, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)]
    """Requests one address may make in five minutes."""
    host: str | None = None
    """One host name."""
    path: str | None = None
    """One path, or with a last * all that begin with it; with `host`, both must match."""

    def built(self) -> RateLimit:
        """Return it as the firewall takes it; raises ConstructError as that does."""
        return RateLimit(name=self.name, requests=self.requests, host=self.host, path=self.path)


class Firewall(Settings):
    """The web application firewall in front of the gateway."""

    mode: Mode = "count"
    """What its rules do with a match: only count it, or block the request."""
    rate_limit: Annotated[int, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)] = 2000
    """Requests one address may make in five minutes."""
    rule_modes: Table[str, Mode] = Field(default_factory=empty_table)
    """Single rules that differ from `mode`, such as HostingProviderIPList = \"block\".

    HostingProviderIPList and AWSManagedIPDDoSList only block when they are named here.
    """
    exceptions: Items[ExceptionOfRules] = ()
    """Hosts and paths where some rules only count."""
    rate_limits: Items[LimitOfRequests] = ()
    """Other limits for single hosts and paths, beside `rate_limit`."""
    allow_addresses: Items[str] = ()
    """Addresses and ranges (203.0.113.0/24) that are always let through, whatever they send."""
    block_addresses: Items[str] = ()
    """Addresses and ranges that are always refused, whatever `mode` is."""
