"""Rules for a web service: one function each, whose error says what, got, allowed, next."""

import re
from collections.abc import Sequence

from holdfast_constructs._tokens import is_number_token
from holdfast_constructs.app.target import Target
from holdfast_constructs.compute._container_rules import LONGEST_STOP_SECONDS
from holdfast_constructs.compute._fargate_service import SAFE_TASKS
from holdfast_constructs.compute.platform import Platform
from holdfast_constructs.compute.scale import Scale
from holdfast_constructs.edge._listener_rules import WILDCARD
from holdfast_constructs.edge._path_patterns import check_paths
from holdfast_constructs.edge.imported_load_balancer import ApplicationLoadBalancer
from holdfast_constructs.errors import ConstructError

HIGHEST_PORT = 65535
# Elastic Load Balancing, CreateTargetGroup: HealthCheckPath.
LONGEST_PATH = 1024
# Amazon ECS, CreateService: healthCheckGracePeriodSeconds.
LONGEST_GRACE_SECONDS = 2_147_483_647
_ALL = 100

_PATH = re.compile(r"/[A-Za-z0-9/._~%!$&'()*+,;=:@?-]*")


def gateway_of(platform: Platform, service: str) -> ApplicationLoadBalancer:
    """Return the load balancer of a platform; raises ConstructError where there is none."""
    if platform.gateway is None:
        raise ConstructError(
            f"the platform of web service {service} has no load balancer",
            next_step="give Platform(…, gateway=LoadBalancer(…)), or make a Worker or a ScheduledJob of it",
        )
    return platform.gateway


def check_hosts(hosts: Sequence[str], paths: Sequence[str], gateway: ApplicationLoadBalancer) -> None:
    """Raise ConstructError for hosts that the load balancer has no certificate for, and for bad patterns."""
    check_paths(paths)
    for host in hosts:
        gateway.domain_of(host)
        if hosts.count(host) > 1:
            raise ConstructError(f"host {host!r} is given twice", next_step="remove one of the two")
        if paths and host.startswith(WILDCARD):
            raise ConstructError(
                f"host {host!r} has a wildcard, and paths are for hosts by name",
                next_step="name the hosts, or leave paths out",
            )


def check_request(*, port: int, health: str) -> None:
    """Raise ConstructError unless port and health check are valid."""
    if not 1 <= port <= HIGHEST_PORT:
        raise ConstructError("port", got=port, allowed=f"1-{HIGHEST_PORT}")
    if _PATH.fullmatch(health) is None or len(health) > LONGEST_PATH:
        raise ConstructError(
            "health",
            got=health,
            allowed="a path that begins with '/', such as /healthz",
            next_step="answer 200 there when the service can take requests",
        )


def check_production(target: Target, scale: Scale, spot_share: int) -> None:
    """Raise ConstructError for settings that are not allowed in production."""
    if not target.production:
        return
    fewest = min((scale.min_tasks, *(each.min_tasks for each in scale.schedules)))
    if fewest < SAFE_TASKS:
        raise ConstructError(
            f"min_tasks in {target.environment}", got=fewest, allowed=f"at least {SAFE_TASKS}"
        )
    if spot_share == _ALL:
        raise ConstructError(
            f"spot_share in {target.environment}",
            got=spot_share,
            allowed="less than 100",
            next_step="AWS may take every task on Spot away within two minutes; keep some on demand",
        )


def check_grace(grace_seconds: int) -> None:
    """Raise ConstructError for a time without health checks that ECS does not take."""
    if not is_number_token(grace_seconds) and not 0 <= grace_seconds <= LONGEST_GRACE_SECONDS:
        allowed = f"0-{LONGEST_GRACE_SECONDS:,}"
        raise ConstructError("grace_seconds", got=grace_seconds, allowed=allowed)


def check_drain(drain_seconds: int) -> None:
    """Raise ConstructError for a time for requests in flight that a task cannot be given."""
    longest = LONGEST_STOP_SECONDS
    if not 0 <= drain_seconds <= longest:
        allowed = f"0-{longest}, because Fargate ends a task {longest} seconds after it is told to stop"
        raise ConstructError("drain_seconds", got=drain_seconds, allowed=allowed)


def check_scale(name: str, scale: Scale) -> None:
    """Raise ConstructError for a schedule that leaves nobody to answer."""
    for each in scale.schedules:
        if each.min_tasks < 1:
            raise ConstructError(
                f"min_tasks of scheduled scale {each.name}",
                got=each.min_tasks,
                allowed="at least 1",
                next_step=f"without a task, {name} answers 503, and no request starts one",
            )
