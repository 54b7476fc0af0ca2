"""CloudTrail trails by ARN.

moto 5.2.1 starts, stops and deletes logging by a trail's name only; the AWS provider names it by its ARN,
so `aws_cloudtrail` fails (fixed in moto 5.2.3).
AWS takes either. So do we.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap


def close() -> None:
    """Take an ARN wherever a trail's name is wanted."""
    backend = moto("cloudtrail.models").CloudTrailBackend
    for method in ("start_logging", "stop_logging", "delete_trail"):
        wrap(backend, method)(_by_name)


def _by_name(original: Any, self: Any, name: str) -> Any:
    return original(self, name.rpartition(":trail/")[2])
