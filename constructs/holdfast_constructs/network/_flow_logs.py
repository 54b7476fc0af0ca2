"""Flow logs of a VPC: who talked to whom, kept encrypted in CloudWatch Logs, or in a bucket for less."""

import re

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.flow_log import FlowLog, FlowLogDestinationOptions
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security.keys import EncryptionKey
from holdfast_constructs.security.policy import (
    Condition,
    Statement,
    assumed_by,
    from_this_account,
    policy_json,
)

_BUCKET_ARN = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^\s]*)?")
# The two intervals Amazon VPC offers, in seconds. The short one shows more, and costs more to keep.
FINE_INTERVAL, COARSE_INTERVAL = 60, 600


class FlowLogs(Construct):
    """All traffic of the VPC `vpc_id`, accepted and rejected, into a log group of `network`'s own.

    With `bucket_arn` it goes to that S3 bucket in place of a log group, as Parquet in folders by hour.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        vpc_id: str,
        network: str,
        logs_key: EncryptionKey,
        bucket_arn: str | None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        production = self._stack.target.production
        self._interval = FINE_INTERVAL if production else COARSE_INTERVAL
        if bucket_arn is None:
            self.flow_log = self._to_log_group(vpc_id, network, logs_key)
        else:
            self.flow_log = self._to_bucket(vpc_id, network, _checked_bucket(bucket_arn))

    def _to_bucket(self, vpc_id: str, network: str, bucket_arn: str) -> FlowLog:
        return FlowLog(
            self,
            "flow-log",
            vpc_id=vpc_id,
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination=bucket_arn,
            max_aggregation_interval=self._interval,
            destination_options=FlowLogDestinationOptions(
                file_format="parquet", hive_compatible_partitions=True, per_hour_partition=True
            ),
            tags=self._tags(network),
        )

    def _tags(self, network: str) -> dict[str, str]:
        return {"Name": aws_name("tag", self._stack.target, self._stack.service, network)}

    def _to_log_group(self, vpc_id: str, network: str, logs_key: EncryptionKey) -> FlowLog:
        stack = self._stack
        target = stack.target
        self.group = CloudwatchLogGroup(
            self,
            "group",
            name=f"{target.log_prefix}/{stack.service}/{network}/flow-logs",
            retention_in_days=target.log_retention_days,
            kms_key_id=logs_key.arn,
        )
        role, policy = self._writer(stack, network)
        return FlowLog(
            self,
            "flow-log",
            vpc_id=vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=self.group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=self._interval,
            tags=self._tags(network),
            # The first minutes would be lost: the role may not write yet.
            depends_on=[policy],
        )

    def _writer(self, stack: ServiceStack, network: str) -> tuple[IamRole, IamRolePolicy]:
        target = stack.target
        flow_logs = f"arn:{target.partition}:ec2:{target.region}:{target.account}:vpc-flow-log/*"
        trust = assumed_by(
            "vpc-flow-logs.amazonaws.com",
            from_this_account(target),
            Condition("ArnLike", "aws:SourceArn", (flow_logs,)),
        )
        role = IamRole(
            self,
            "writer",
            name=aws_name("role", target, stack.service, network, "flow-logs"),
            description="Writes flow logs to CloudWatch Logs",
            assume_role_policy=policy_json(self, "trust", trust),
            permissions_boundary=target.permissions_boundary,
        )
        write = Statement(
            sid="Write",
            actions=(
                "logs:CreateLogStream",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ),
            resources=(self.group.arn, f"{self.group.arn}:*"),
        )
        policy = IamRolePolicy(
            self, "write", name="write", role=role.id, policy=policy_json(self, "permissions", write)
        )
        return role, policy


def _checked_bucket(arn: str) -> str:
    if not is_text_token(arn) and _BUCKET_ARN.fullmatch(arn) is None:
        raise ConstructError(
            "flow_logs_bucket_arn",
            got=arn,
            allowed="the ARN of an S3 bucket, with a folder if you like: arn:aws:s3:::logs/network",
        )
    return arn
