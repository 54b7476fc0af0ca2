"""The ids of hosted zones, which settings and programs check.

moto 5.2.1 makes an id of 22 capitals and digits that begins with any of them.
AWS begins each with a Z.
So do we.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap


def close() -> None:
    """Begin each id of a hosted zone with a Z."""

    @wrap(moto("route53.models"), "create_route53_zone_id")
    def begins_with_z(original: Any, *args: Any, **given: Any) -> str:
        return f"Z{original(*args, **given)[1:]}"
