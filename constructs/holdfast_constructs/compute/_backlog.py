"""Adds and removes tasks of a worker by its backlog: the messages that wait, for each task that runs.

`AWS/SQS` says what waits, Container Insights how many tasks run. A policy that keeps a quotient cannot leave
0 tasks, because 0 times anything is 0: the first task is added by an alarm of its own.
"""

from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicy,
    AppautoscalingPolicyStepScalingPolicyConfiguration,
    AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment,
    AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration,
)
from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecification as Customized,
)
from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetrics as Entry,
)
from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricsMetricStat as Stat,  # noqa: E501 - as it is called
)
from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricsMetricStatMetric as Metric,  # noqa: E501 - as it is called
)
from cdktf_cdktf_provider_aws.appautoscaling_policy import (
    AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricsMetricStatMetricDimensions as Dimension,  # noqa: E501 - as it is called
)
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.compute._autoscaling import IN_SECONDS, OUT_SECONDS, TaskCount
from holdfast_constructs.compute.scale import BacklogScale
from holdfast_constructs.naming import aws_name

_MINUTE = 60
# A service without tasks has no number of running ones.
_RUNNING = "FILL(running, 0)"
_BACKLOG = f"visible / IF({_RUNNING} > 0, {_RUNNING}, 1)"
_WAITING_FOR_NOBODY = f"IF({_RUNNING} < 1, visible, 0)"


class Backlog(TaskCount):
    """Keeps the worker `service` of cluster `cluster` within `scale`, by what waits in `queue_name`."""

    def __init__(
        self, scope: Construct, id_: str, *, cluster: str, service: str, scale: BacklogScale, queue_name: str
    ) -> None:
        super().__init__(scope, id_, cluster=cluster, service=service, scale=scale)
        self._metrics = {
            "visible": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue_name}),
            "running": (
                "ECS/ContainerInsights",
                "RunningTaskCount",
                {"ClusterName": cluster, "ServiceName": service},
            ),
        }
        self._track(scale.backlog_per_task)
        if min((scale.min_tasks, *(each.min_tasks for each in scale.schedules))) == 0:
            self._start_from_nothing()

    def _track(self, backlog: int) -> None:
        entries = [
            Entry(
                id=name,
                return_data=False,
                metric_stat=Stat(
                    stat="Average",
                    metric=Metric(
                        namespace=namespace,
                        metric_name=metric,
                        dimensions=[Dimension(name=key, value=value) for key, value in dimensions.items()],
                    ),
                ),
            )
            for name, (namespace, metric, dimensions) in self._metrics.items()
        ]
        backlog_entry = Entry(
            id="backlog", label="messages that wait for each task", expression=_BACKLOG, return_data=True
        )
        self._policy(
            "backlog",
            AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration(
                customized_metric_specification=Customized(metrics=[*entries, backlog_entry]),
                target_value=backlog,
                scale_in_cooldown=IN_SECONDS,
                scale_out_cooldown=OUT_SECONDS,
            ),
        )

    def _alarm_name(self) -> str:
        stack, worker = ServiceStack.of(self), self.node.scope
        return aws_name(
            "alarm", stack.target, stack.service, "" if worker is None else worker.node.id, "waiting"
        )

    def _start_from_nothing(self) -> None:
        step = AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment(
            metric_interval_lower_bound="0", scaling_adjustment=1
        )
        policy = AppautoscalingPolicy(
            self,
            "first",
            name=f"{self._service}-first",
            policy_type="StepScaling",
            service_namespace=self.target.service_namespace,
            scalable_dimension=self.target.scalable_dimension,
            resource_id=self.target.resource_id,
            step_scaling_policy_configuration=AppautoscalingPolicyStepScalingPolicyConfiguration(
                # Not an exact number: that would also take tasks away from one that runs many.
                adjustment_type="ChangeInCapacity",
                cooldown=OUT_SECONDS,
                metric_aggregation_type="Average",
                step_adjustment=[step],
            ),
        )
        CloudwatchMetricAlarm(
            self,
            "waiting",
            # One name in an account and region, where a service's is one in its cluster.
            alarm_name=self._alarm_name(),
            alarm_description="Messages wait, and no task runs that could take them: the first is started.",
            comparison_operator="GreaterThanThreshold",
            evaluation_periods=1,
            threshold=0,
            treat_missing_data="notBreaching",
            alarm_actions=[policy.arn],
            metric_query=self._queries(),
        )

    def _queries(self) -> list[CloudwatchMetricAlarmMetricQuery]:
        metrics = [
            CloudwatchMetricAlarmMetricQuery(
                id=name,
                return_data=False,
                metric=CloudwatchMetricAlarmMetricQueryMetric(
                    namespace=namespace,
                    metric_name=metric,
                    dimensions=dimensions,
                    period=_MINUTE,
                    stat="Average",
                ),
            )
            for name, (namespace, metric, dimensions) in self._metrics.items()
        ]
        waiting = CloudwatchMetricAlarmMetricQuery(
            id="waiting",
            label="messages that wait for nobody",
            expression=_WAITING_FOR_NOBODY,
            return_data=True,
        )
        return [*metrics, waiting]
