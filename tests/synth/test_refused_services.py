"""What a service refuses of the properties that go together, and of those in production."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import ConstructError, Image, Scale, ScheduledScale, Sidecar
from holdfast_constructs.testing import Synthesis

PINNED = Image.digest("otel/collector@sha256:" + "2" * 64)


def _sidecar(**changes: Any) -> Sidecar:
    fields: dict[str, Any] = {"name": "otel", "image": PINNED}
    return Sidecar(**(fields | changes))


def _night(min_tasks: int) -> Scale:
    night = ScheduledScale(name="night", at="rate(1 day)", min_tasks=min_tasks, max_tasks=2)
    return Scale(2, 4, schedules=[night])


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"exec": True}, "exec of api needs a cluster that records what is typed; create the Cluster with"),
        ({"spot_share": 101}, "spot_share must be 0-100"),
        ({"spot_share": -1}, "spot_share must be 0-100"),
        ({"spot_share": 100}, "spot_share in prod must be less than 100"),
        ({"drain_seconds": 121}, "drain_seconds must be 0-120"),
        (
            {"drain_seconds": 90},
            r"stop_seconds must be 90 \(what requests in flight are given\) to 120, got 60",
        ),
        ({"command": [""]}, "command must be a list of words that are not empty"),
        ({"entry_point": ["a", ""]}, "entry_point must be a list of words"),
        ({"scale": _night(1)}, "min_tasks in prod must be at least 2, got 1"),
        ({"scale": _night(0)}, "min_tasks of scheduled scale night must be at least 1, got 0"),
        ({"writable_paths": ["cache"]}, "writable_paths must be absolute"),
        ({"writable_paths": ["/"]}, "writable_paths must be absolute"),
        ({"writable_paths": ["/a/../etc"]}, "writable_paths must be absolute"),
        ({"writable_paths": ["/etc/app"]}, "writable_paths must be absolute"),
        ({"writable_paths": ["/tmp"]}, "/tmp is writable already; remove it"),
        ({"writable_paths": ["/srv", "/srv"]}, "/srv is writable already"),
        ({"sidecars": [_sidecar(name="api")]}, "two containers of api are called 'api'; rename the sidecar"),
        ({"sidecars": [_sidecar(), _sidecar()]}, "two containers of api are called 'otel'"),
        ({"sidecars": [_sidecar(port=8080)]}, "port 8080 of sidecar otel is the port of the main container"),
        (
            {"sidecars": [_sidecar(port=9), _sidecar(name="b", port=9)]},
            "port 9 of sidecar b is the port of sidecar otel",
        ),
        (
            {"sidecars": [_sidecar(name=f"s{number}") for number in range(10)]},
            "sidecars of api must be at most 9, because ECS runs 10 containers in a task, got 10",
        ),
        ({"sidecars": [_sidecar(image=Image.tag("otel:1"))]}, "image in prod must be given by digest"),
        ({"sidecars": [_sidecar(user="root")]}, "user must be a user that is not root"),
        ({"sidecars": [_sidecar(environment={"API_TOKEN": "x"})]}, "API_TOKEN is called like a secret"),
        ({"sidecars": [_sidecar(secrets={"A_KEY": "hunter2"})]}, r"secrets\['A_KEY'\] must be the ARN"),
    ],
)
def test_what_does_not_go_together_is_refused(
    on_site: Callable[..., Synthesis], properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        on_site(lambda site: site.service(**properties))
