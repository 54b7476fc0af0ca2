"""What a listener may be set to: TLS policies with TLS 1.3, and 1.2 with forward secrecy only; its timeout.

Source: Elastic Load Balancing, "Security policies for your Application Load Balancer", read in November 2026.
Left out are those with TLS 1.0 or 1.1, those without TLS 1.3, and those named Ext, which have ciphers without
forward secrecy. `FIPS` uses validated cryptography. `PQ` adds a key exchange that withstands quantum
computers, for clients that have it. `Res` leaves the CBC ciphers of TLS 1.2 out.
"""

from holdfast_constructs.errors import ConstructError

# Elastic Load Balancing, "Application Load Balancer attributes": idle_timeout.timeout_seconds.
LONGEST_IDLE_SECONDS = 4000
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
TLS_POLICIES = (
    TLS_POLICY,
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09",
)


def check_tls_policy(policy: str) -> None:
    """Raise ConstructError for a policy that is not one of TLS_POLICIES."""
    if policy not in TLS_POLICIES:
        raise ConstructError(
            "tls_policy",
            got=policy,
            allowed="one of " + ", ".join(TLS_POLICIES),
            next_step=f"the usual one is {TLS_POLICY}, TLS 1.3 alone is ELBSecurityPolicy-TLS13-1-3-2021-06",
        )
