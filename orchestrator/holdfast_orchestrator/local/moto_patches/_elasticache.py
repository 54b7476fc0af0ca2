"""What the gaps of ElastiCache share: errors with AWS's codes, ARNs with tags, groups kept by name."""

import re
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto

# moto knows five of the kinds that have tags.
_ANY_ARN = re.compile(r"^arn:aws:elasticache:.*:[0-9]*:[a-z]+:.*$")


def not_found(code: str, what: str) -> Exception:
    """Return AWS's error for a thing that does not exist."""
    base = moto("elasticache.exceptions").ElastiCacheException
    # moto reads the service's name from the module of an error's class.
    kind = type(code, (base,), {"code": code, "__module__": base.__module__})
    error: Exception = kind(f"{what} not found.")
    return error


def kept(backend: Any, kind: str) -> dict[Any, Any]:
    """Return what there is of a kind, by name."""
    return memory(backend, kind)


def tagged(backend: Any, kind: str, name: str, tags: Any) -> str:
    """Return the ARN of a thing of ours, which has these tags from now on."""
    arn = f"arn:aws:elasticache:{backend.region_name}:{backend.account_id}:{kind}:{name}"
    backend.arn_regex = _ANY_ARN
    backend.tagging_service.tag_resource(arn, tags or [])
    return arn


def chosen(things: dict[Any, Any], name: str | None, code: str) -> list[Any]:
    """Return all things, or the one that is asked for; raises AWS's error where that does not exist."""
    if name is None:
        return list(things.values())
    if name not in things:
        raise not_found(code, name)
    return [things[name]]
