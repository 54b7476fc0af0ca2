"""Routes requests to a service: its target group, its rules on the load balancer's listener, its records."""

from collections.abc import Sequence

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.lb_listener_rule import (
    LbListenerRule,
    LbListenerRuleAction,
    LbListenerRuleCondition,
    LbListenerRuleConditionHostHeader,
    LbListenerRuleConditionPathPattern,
)
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from constructs import Construct

from holdfast_constructs.compute._container_rules import DEREGISTRATION_SECONDS
from holdfast_constructs.edge._listener_rules import ListenerRule, listener_rules
from holdfast_constructs.edge._records import write_record
from holdfast_constructs.edge.imported_load_balancer import ApplicationLoadBalancer
from holdfast_constructs.network.imported_network import VpcNetwork

_CHECK_SECONDS, _CHECK_TIMEOUT_SECONDS = 15, 5
_HEALTHY_AFTER, _UNHEALTHY_AFTER = 2, 3
# Elastic Load Balancing: a name prefix has at most 6 characters.
_PREFIX_LENGTH = 6


class Routing(Construct):
    """Sends requests to the tasks of `service`, on `port`, while they answer 200-299 on the path `health`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        service: str,
        network: VpcNetwork,
        gateway: ApplicationLoadBalancer,
        port: int,
        health: str,
    ) -> None:
        super().__init__(scope, id_)
        self._gateway = gateway
        self.target_group = LbTargetGroup(
            self,
            "target-group",
            name_prefix=f"{service[: _PREFIX_LENGTH - 1]}-",
            vpc_id=network.vpc_id,
            target_type="ip",
            protocol="HTTP",
            port=port,
            deregistration_delay=str(DEREGISTRATION_SECONDS),
            health_check=LbTargetGroupHealthCheck(
                path=health,
                matcher="200-299",
                interval=_CHECK_SECONDS,
                timeout=_CHECK_TIMEOUT_SECONDS,
                healthy_threshold=_HEALTHY_AFTER,
                unhealthy_threshold=_UNHEALTHY_AFTER,
            ),
            # The listener's rule uses the old group until the new group exists.
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )

    def claim(self, hosts: Sequence[str], paths: Sequence[str], priority: int | None) -> list[LbListenerRule]:
        """Add the rules for `paths` of `hosts`, all of them if empty, and the records of the hosts.

        Raises ConstructError when another service has them.
        """
        rules = listener_rules(hosts, paths)
        numbers = self._gateway.priorities.take(rules, self.node.path, priority)
        service = self.node.path.removesuffix(f"/{self.node.id}")
        for host in hosts:
            write_record(self, self._gateway, host, service=service)
        return [self._rule(rule, number) for rule, number in zip(rules, numbers, strict=True)]

    def _rule(self, rule: ListenerRule, priority: int) -> LbListenerRule:
        hosts = LbListenerRuleConditionHostHeader(values=list(rule.hosts))
        paths = LbListenerRuleConditionPathPattern(values=list(rule.paths))
        return LbListenerRule(
            self,
            rule.id,
            listener_arn=self._gateway.listener_arn,
            priority=priority,
            condition=[
                LbListenerRuleCondition(host_header=hosts),
                *([LbListenerRuleCondition(path_pattern=paths)] if rule.paths else []),
            ],
            action=[LbListenerRuleAction(type="forward", target_group_arn=self.target_group.arn)],
        )
