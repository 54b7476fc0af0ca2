"""Routes requests to a service: its target group, and its rule on the load balancer's listener."""

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.lb_listener_rule import (
    LbListenerRule,
    LbListenerRuleAction,
    LbListenerRuleCondition,
    LbListenerRuleConditionHostHeader,
)
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from constructs import Construct

from holdfast_constructs.compute._container_rules import DEREGISTRATION_SECONDS
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

    def claim(self, host: str, priority: int | None) -> LbListenerRule:
        """Add the rule for `host` to the load balancer; raises ConstructError when it is taken."""
        return LbListenerRule(
            self,
            "rule",
            listener_arn=self._gateway.listener_arn,
            priority=self._gateway.priorities.take(host, self.node.path, priority),
            condition=[LbListenerRuleCondition(host_header=LbListenerRuleConditionHostHeader(values=[host]))],
            action=[LbListenerRuleAction(type="forward", target_group_arn=self.target_group.arn)],
        )
