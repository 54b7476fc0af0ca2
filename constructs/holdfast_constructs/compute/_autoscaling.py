"""Adds and removes tasks: by CPU, and by requests per task if `scale` says so."""

from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicy,
    AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration,
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecification,
)
from cdktf_cdktf_provider_aws.appautoscaling_target import AppautoscalingTarget
from constructs import Construct

from holdfast_constructs.compute.scale import Scale

# Tasks are added quickly and removed slowly, because one spike often follows another.
_OUT_SECONDS, _IN_SECONDS = 60, 300


class Autoscaling(Construct):
    """Keeps the service `service` of cluster `cluster` (both names) within `scale`.

    `request_label` is what CloudWatch counts requests by: load balancer and target group.
    """

    def __init__(
        self, scope: Construct, id_: str, *, cluster: str, service: str, scale: Scale, request_label: str
    ) -> None:
        super().__init__(scope, id_)
        self._service = service
        self.target = AppautoscalingTarget(
            self,
            "target",
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=f"service/{cluster}/{service}",
            min_capacity=scale.min_tasks,
            max_capacity=scale.max_tasks,
        )
        self._track("cpu", scale.cpu_percent, "ECSServiceAverageCPUUtilization")
        if scale.requests_per_task is not None:
            self._track("requests", scale.requests_per_task, "ALBRequestCountPerTarget", request_label)

    def _track(self, name: str, value: int, metric: str, label: str | None = None) -> None:
        specification = (
            AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecification(
                predefined_metric_type=metric, resource_label=label
            )
        )
        AppautoscalingPolicy(
            self,
            name,
            name=f"{self._service}-{name}",
            policy_type="TargetTrackingScaling",
            service_namespace=self.target.service_namespace,
            scalable_dimension=self.target.scalable_dimension,
            resource_id=self.target.resource_id,
            target_tracking_scaling_policy_configuration=AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration(
                predefined_metric_specification=specification,
                target_value=value,
                scale_in_cooldown=_IN_SECONDS,
                scale_out_cooldown=_OUT_SECONDS,
            ),
        )
