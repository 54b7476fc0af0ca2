"""A limit of requests from one address that holds for one host, one path, or both."""

import re
from dataclasses import dataclass

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.edge._request_scope import check_scope
from holdfast_constructs.errors import ConstructError

# AWS WAF, RateBasedStatement: 10 to 2,000,000,000 requests in the window, which is 300 s here.
LOWEST_RATE, HIGHEST_RATE = 10, 2_000_000_000
# AWS WAF, Rule: a name has 1-128 of these; "RateLimit-" comes before this one.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """One address may make `requests` in five minutes (10-2,000,000,000) to `host` below `path`.

    `host` is one name; `path` is one path, or all that begin with it where its last character is `*`. One of
    the two will do; with both, only requests that have both are counted. `name` is part of the name of the
    rule, `RateLimit-<name>`, which `rule_modes` and the metrics know: keep it. Raises ConstructError for a
    limit or a name that AWS refuses, and without a host and a path.
    """

    name: str
    requests: int
    host: str | None = None
    path: str | None = None

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            allowed = "1-64 letters, digits, hyphens and underscores"
            raise ConstructError("name of a rate limit", got=self.name, allowed=allowed)
        check_rate(f"requests of rate limit {self.name}", self.requests)
        check_scope(
            f"rate limit {self.name}",
            self.host,
            self.path,
            next_step="the limit for all requests is rate_limit",
        )

    @property
    def rule(self) -> str:
        """The name of its rule."""
        return f"RateLimit-{self.name}"


def check_rate(what: str, requests: int) -> None:
    """Raise ConstructError unless AWS WAF counts to that many requests."""
    if not LOWEST_RATE <= requests <= HIGHEST_RATE:
        allowed = f"{LOWEST_RATE}-{HIGHEST_RATE} requests in five minutes"
        raise ConstructError(what, got=requests, allowed=allowed)
