"""Adds and removes tasks: by CPU, by requests per task if `scale` says so, and at the times it names."""

from collections.abc import Sequence

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicy,
    AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration,
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecification,
)
from cdktf_cdktf_provider_aws.appautoscaling_scheduled_action import (
    AppautoscalingScheduledAction,
    AppautoscalingScheduledActionScalableTargetAction,
)
from cdktf_cdktf_provider_aws.appautoscaling_target import AppautoscalingTarget
from constructs import Construct

from holdfast_constructs.compute.scale import BacklogScale, Scale, ScheduledScale

# Tasks are added quickly and removed slowly, because one spike often follows another.
OUT_SECONDS, IN_SECONDS = 60, 300


class TaskCount(Construct):
    """How many tasks of the service `service` of cluster `cluster` (both names) may run, and when."""

    def __init__(
        self, scope: Construct, id_: str, *, cluster: str, service: str, scale: Scale | BacklogScale
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
            # A schedule sets them in AWS, and the next plan would set them back.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["min_capacity", "max_capacity"])
            if scale.schedules
            else None,
        )
        self._set_at_times(scale.schedules)

    def _policy(
        self, name: str, tracking: AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration
    ) -> None:
        AppautoscalingPolicy(
            self,
            name,
            name=f"{self._service}-{name}",
            policy_type="TargetTrackingScaling",
            service_namespace=self.target.service_namespace,
            scalable_dimension=self.target.scalable_dimension,
            resource_id=self.target.resource_id,
            target_tracking_scaling_policy_configuration=tracking,
        )

    def _set_at_times(self, schedules: Sequence[ScheduledScale]) -> None:
        for each in schedules:
            AppautoscalingScheduledAction(
                self,
                f"at-{each.name}",
                name=f"{self._service}-{each.name}",
                service_namespace=self.target.service_namespace,
                scalable_dimension=self.target.scalable_dimension,
                resource_id=self.target.resource_id,
                schedule=each.at,
                timezone=each.timezone,
                scalable_target_action=AppautoscalingScheduledActionScalableTargetAction(
                    min_capacity=str(each.min_tasks), max_capacity=str(each.max_tasks)
                ),
            )


class Autoscaling(TaskCount):
    """Keeps a service that answers requests within `scale`.

    `request_label` is what CloudWatch counts requests by: load balancer and target group.
    """

    def __init__(
        self, scope: Construct, id_: str, *, cluster: str, service: str, scale: Scale, request_label: str
    ) -> None:
        super().__init__(scope, id_, cluster=cluster, service=service, scale=scale)
        self._track("cpu", scale.cpu_percent, "ECSServiceAverageCPUUtilization")
        if scale.requests_per_task is not None:
            self._track("requests", scale.requests_per_task, "ALBRequestCountPerTarget", request_label)

    def _track(self, name: str, value: int, metric: str, label: str | None = None) -> None:
        specification = (
            AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecification(
                predefined_metric_type=metric, resource_label=label
            )
        )
        tracking = AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration(
            predefined_metric_specification=specification,
            target_value=value,
            scale_in_cooldown=IN_SECONDS,
            scale_out_cooldown=OUT_SECONDS,
        )
        self._policy(name, tracking)
