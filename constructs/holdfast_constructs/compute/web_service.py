"""A web service in one call: hardened tasks on Fargate behind the shared load balancer.

    load balancer ── rules for hosts ── target group ── tasks in private subnets ── what it is connected to

A deploy that does not become healthy is undone by ECS itself, without taking the old tasks away first. What
the service may reach and do is said with `connect_to` and `grant`, and shows up in its own stack.
"""

import re
from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_aws.ecs_service import EcsServiceLoadBalancer
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from holdfast_constructs.app._connections import Outside, note_connection
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute import _web_service_rules as rules
from holdfast_constructs.compute._autoscaling import Autoscaling
from holdfast_constructs.compute._calls import LONGEST_LABEL, NamedServices, register
from holdfast_constructs.compute._container_rules import DEREGISTRATION_SECONDS, SHORTEST_STOP_SECONDS
from holdfast_constructs.compute._fargate_service import FargateService
from holdfast_constructs.compute._routing import Routing
from holdfast_constructs.compute._task_options import SMALL, UNPRIVILEGED, Architecture, TaskOptions
from holdfast_constructs.compute.container_health import ContainerHealth
from holdfast_constructs.compute.image import Image
from holdfast_constructs.compute.migrations import Migrations
from holdfast_constructs.compute.platform import Platform
from holdfast_constructs.compute.scale import Scale, Size
from holdfast_constructs.compute.sidecar import Sidecar
from holdfast_constructs.compute.target_health import TargetHealth
from holdfast_constructs.edge._listener_rules import WILDCARD
from holdfast_constructs.edge.load_balancer import LoadBalancer
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import limited, name_in_cluster
from holdfast_constructs.security.secret_value import SecretValue


@checked
class WebService(FargateService):
    """A service that answers HTTP on `port` for `host`, on the platform's load balancer and cluster.

    Required: `image`; `port`; `health`, the path that answers 200-299 when it can take requests; `host`, a
    domain of the load balancer or a name one level below it; `scale`. `hosts` are more names, also with a
    wildcard (`*.example.com`). With `paths`, such as `/api/*`, it answers only these, and other services the
    rest; where two match, the longer one counts. `size` is what one task gets. `environment` is plain text
    for anybody to read; `secrets` maps names to `secret.value()`, or to ARNs in Secrets Manager or SSM. The
    container runs as `user` (not root) and writes nowhere but to /tmp and `writable_paths`: an image that
    uses them as that user declares them as volumes. `command` and `entry_point` replace those of the image,
    which is of `architecture` (X86_64 or ARM64). `sidecars` run beside it.

    `target_health` says how the load balancer asks `health`, `container_health` how ECS asks inside of the
    container. `drain_seconds` (0-120) is how long requests in flight are given when a task goes,
    `stop_seconds` (to 120) how long the program may take to end, `grace_seconds` how long a new task may
    fail its health check. `spot_share` percent of the tasks run on Fargate Spot; a change from or to 0
    replaces the ECS service. `exec` lets people open a shell in a task, where the cluster has `exec_audit`.
    `migrations` run once for each version, in a stack of their own, before the service is touched.
    `priority` (1-50,000) places its rules, only needed when two rules collide.

    Raises ConstructError for what AWS would refuse, for what looks like a secret in `environment`, and in
    production for an image by tag or a single task.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        platform: Platform,
        image: Image,
        port: int,
        health: str,
        host: str,
        scale: Scale,
        size: Size = SMALL,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str | SecretValue] | None = None,
        user: str = UNPRIVILEGED,
        stop_seconds: int = 60,
        drain_seconds: int = DEREGISTRATION_SECONDS,
        grace_seconds: int = 60,
        priority: int | None = None,
        command: Sequence[str] = (),
        entry_point: Sequence[str] = (),
        container_health: ContainerHealth | None = None,
        target_health: TargetHealth | None = None,
        architecture: Architecture = "X86_64",
        spot_share: int = 0,
        sidecars: Sequence[Sidecar] = (),
        writable_paths: Sequence[str] = (),
        migrations: Migrations | None = None,
        exec: bool = False,  # noqa: A002 - what AWS calls it, and a property more than a variable
        hosts: Sequence[str] = (),
        paths: Sequence[str] = (),
    ) -> None:
        rules.check_drain(drain_seconds)
        rules.check_scale(id_, scale)
        options = TaskOptions(
            image=image,
            size=size,
            port=port,
            environment=environment,
            secrets=secrets,
            user=user,
            stop_seconds=stop_seconds,
            least_stop_seconds=max(drain_seconds, SHORTEST_STOP_SECONDS),
            command=command,
            entry_point=entry_point,
            container_health=container_health,
            architecture=architecture,
            sidecars=sidecars,
            writable_paths=writable_paths,
            shell=exec,
            spot_share=spot_share,
        )
        super().__init__(scope, id_, platform=platform, options=options)
        self.default_port = port
        self.host, self.hosts, self.paths = host, (host, *hosts), tuple(paths)
        self._gateway = rules.gateway_of(platform, id_)
        rules.check_request(port=port, health=health)
        rules.check_hosts(self.hosts, self.paths, self._gateway)
        rules.check_production(self._stack.target, scale, spot_share)
        self._routing = Routing(
            self,
            "routing",
            service=id_,
            network=platform.network,
            gateway=self._gateway,
            port=port,
            health=health,
        )
        self._check_addresses(scale)
        rules.check_grace(grace_seconds)
        self._ask_targets(health, target_health, drain_seconds)
        self._migrate(migrations)
        self.service = self._run(
            scale.min_tasks,
            # ECS refuses a target group without a listener.
            waits_for=self._routing.claim(self.hosts, self.paths, priority),
            behind=self._backend(),
            grace_seconds=grace_seconds,
        )
        self._gateway.reach(self, scope=self)
        self._note_requests()
        self.autoscaling = self._scale(scale)
        self._stack.add_health_check(
            "alb_targets_healthy", f"{self.name}-targets", target_group_arn=self.target_group.arn
        )

    @property
    def url(self) -> str:
        """The URL of the service: its first host by name, and what its first path begins with.

        Raises ConstructError where all hosts have a wildcard.
        """
        named = [host for host in self.hosts if not host.startswith(WILDCARD)]
        if not named:
            raise ConstructError(
                f"{self.name} has no URL, since all of its hosts have a wildcard",
                next_step="build the URL of the host that you mean yourself",
            )
        path = re.split("[*?]", self.paths[0])[0] if self.paths else ""
        return f"{self._gateway.scheme}://{named[0]}{path}"

    @property
    def target_group(self) -> LbTargetGroup:
        """The target group of its tasks."""
        return self._routing.target_group

    @property
    def calls_group_id(self) -> str:
        """The security group of the services that call it, and of those that are called."""
        return self._calls().group_id

    def accept_calls(self, port: int | None = None) -> str:
        """Let services of its cluster call it, on its port unless `port` is given; return the URL to call.

        `connect_to` asks for this. Where the caller is in an app of its own, call it here, and give the URL
        and `calls_group_id` there. Raises ConstructError for a cluster whose services do not call each other.
        """
        calls = self._calls()
        listening = self.default_port if port is None else port
        name = name_in_cluster(self._stack.target, self._stack.service, self.name)
        label = limited(name.lower(), LONGEST_LABEL)
        if self.node.try_find_child("discovery") is None:
            self.service.put_service_registries(registry_arn=register(self, label, calls=calls).arn)
            self._join(calls.group_id)
        if self.node.try_find_child(f"called-on-{listening}") is None:
            self._let_in(calls.group_id, listening)
        return f"http://{label}.{calls.domain}:{listening}"

    def _calls(self) -> NamedServices:
        calls = self._platform.cluster.calls
        if calls is None:
            raise ConstructError(
                f"{self.name} is in a cluster whose services do not call each other",
                next_step="create the Cluster with network=…, or import it with calls=…",
            )
        return calls

    def _note_requests(self) -> None:
        """Remember for `holdfast graph --connections` who sends which requests here."""
        gateway = self._gateway
        for host in self.hosts:
            for path in self.paths or ("",):
                note_connection(gateway, self, host=f"{host}{path}")
            # Who calls a load balancer of another app is not known here.
            if isinstance(gateway, LoadBalancer):
                callers = (
                    Outside("Network", "network") if gateway.internal else Outside("Internet", "internet")
                )
                note_connection(callers, gateway, port=gateway.default_port, host=host)

    def _let_in(self, group_id: str, port: int) -> None:
        if not 1 <= port <= rules.HIGHEST_PORT:
            raise ConstructError("port", got=port, allowed=f"1-{rules.HIGHEST_PORT}")
        VpcSecurityGroupIngressRule(
            self,
            f"called-on-{port}",
            security_group_id=self.security_group.id,
            referenced_security_group_id=group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="Calls from services of the cluster",
        )

    def _ask_targets(self, path: str, health: TargetHealth | None, drain_seconds: int) -> None:
        if drain_seconds != DEREGISTRATION_SECONDS:
            self.target_group.deregistration_delay = str(drain_seconds)
        if health is not None:
            self.target_group.put_health_check(
                path=path,
                matcher=health.codes,
                interval=health.interval_seconds,
                timeout=health.timeout_seconds,
                healthy_threshold=health.healthy_after,
                unhealthy_threshold=health.unhealthy_after,
            )

    def _backend(self) -> EcsServiceLoadBalancer:
        return EcsServiceLoadBalancer(
            container_name=self.name, container_port=self.default_port, target_group_arn=self.target_group.arn
        )

    def _scale(self, scale: Scale) -> Autoscaling:
        gateway, group = self._gateway, self.target_group
        return Autoscaling(
            self,
            "autoscaling",
            cluster=self._platform.cluster.name,
            service=self.service.name,
            scale=scale,
            request_label=f"{gateway.load_balancer_arn_suffix}/{group.arn_suffix}",
        )
