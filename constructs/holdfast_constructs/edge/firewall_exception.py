"""Requests that some managed rules of the firewall only count, while all others stay blocked."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.edge._request_scope import check_scope
from holdfast_constructs.errors import ConstructError

SHORTEST_REASON = 8


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallException:
    """`rules` only count the requests of `host` below `path`; what else they match is blocked as before.

    `rules` are managed rules of AWS WAF, or a whole group by its name. `host` is one name; `path` is one
    path, or all that begin with it where its last character is `*`. One of the two will do; with both, a
    request must have both. `because` is the reason, for who reads it later. An exception of a rule that
    only counts has no effect: environments may share their exceptions, whatever their `mode` is.

    Raises ConstructError without a host and a path, for one that no request has, and without a reason.
    """

    rules: Sequence[str]
    host: str | None = None
    path: str | None = None
    because: str

    def __post_init__(self) -> None:
        if not self.rules:
            raise ConstructError(
                "rules of an exception of the firewall",
                got=list(self.rules),
                allowed="the names of one or more managed rules, such as SizeRestrictions_BODY",
            )
        check_scope(
            "an exception of the firewall",
            self.host,
            self.path,
            next_step='for every request, count the rule: rule_modes={"…": "count"}',
        )
        if len(self.because.strip()) < SHORTEST_REASON:
            raise ConstructError(
                "because of an exception of the firewall",
                got=self.because,
                allowed=f"a reason of {SHORTEST_REASON} characters or more",
                next_step="write why these requests are honest",
            )
