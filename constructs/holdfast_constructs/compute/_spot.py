"""How the tasks are shared between Fargate and Fargate Spot, which costs less and may be taken away.

AWS gives two minutes of notice, and may have none to give at all. `base` tasks are on Fargate, whatever the
share.
"""

from dataclasses import dataclass
from math import gcd

ON_DEMAND, SPOT = "FARGATE", "FARGATE_SPOT"
_ALL = 100


@dataclass(frozen=True, slots=True)
class Capacity:
    """One part of a capacity provider strategy."""

    provider: str
    weight: int
    base: int | None = None


def shared(spot_share: int, *, base: int) -> list[Capacity]:
    """Return the strategy for `spot_share` percent on Spot, of the tasks above `base`; none for no share."""
    if spot_share == 0:
        return []
    if spot_share == _ALL:
        return [Capacity(SPOT, 1)]
    divisor = gcd(spot_share, _ALL)
    return [
        Capacity(ON_DEMAND, (_ALL - spot_share) // divisor, base or None),
        Capacity(SPOT, spot_share // divisor),
    ]
