"""Rules for a web service: one function each, whose error says what, got, allowed, next."""

import re

from holdfast_constructs.app.target import Target
from holdfast_constructs.compute.image import Image
from holdfast_constructs.compute.scale import Scale
from holdfast_constructs.errors import ConstructError

HIGHEST_PORT = 65535
# Elastic Load Balancing, CreateTargetGroup: HealthCheckPath.
LONGEST_PATH = 1024
# If one task or its zone fails, another task still answers.
SAFE_TASKS = 2

_PATH = re.compile(r"/[A-Za-z0-9/._~%!$&'()*+,;=:@?-]*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def check_request(host: str, domain: str, *, port: int, health: str) -> None:
    """Raise ConstructError unless `host` is one level below `domain`, and port and path are valid."""
    label = host.removesuffix(f".{domain}")
    if label == host or _LABEL.fullmatch(label) is None:
        allowed = f"a lower-case name one level below {domain}, such as api.{domain}"
        raise ConstructError("host", got=host, allowed=allowed)
    if not 1 <= port <= HIGHEST_PORT:
        raise ConstructError("port", got=port, allowed=f"1-{HIGHEST_PORT}")
    if _PATH.fullmatch(health) is None or len(health) > LONGEST_PATH:
        raise ConstructError(
            "health",
            got=health,
            allowed="a path that begins with '/', such as /healthz",
            next_step="answer 200 there when the service can take requests",
        )


def check_production(target: Target, image: Image, scale: Scale) -> None:
    """Raise ConstructError for settings that are not allowed in production."""
    if not target.production:
        return
    if not image.pinned:
        raise ConstructError(
            f"image in {target.environment}",
            got=image.reference,
            allowed="given by digest",
            next_step="a tag can be pushed over; write repository@sha256:<digest>",
        )
    if scale.min_tasks < SAFE_TASKS:
        raise ConstructError(
            f"min_tasks in {target.environment}", got=scale.min_tasks, allowed=f"at least {SAFE_TASKS}"
        )
