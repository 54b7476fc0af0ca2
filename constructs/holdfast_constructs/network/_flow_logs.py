"""Flow logs of a VPC: who talked to whom, kept encrypted in CloudWatch Logs."""

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.flow_log import FlowLog
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security.keys import EncryptionKey
from holdfast_constructs.security.policy import (
    Condition,
    Statement,
    assumed_by,
    from_this_account,
    policy_json,
)

# The two intervals Amazon VPC offers, in seconds. The short one shows more, and costs more to keep.
FINE_INTERVAL, COARSE_INTERVAL = 60, 600


class FlowLogs(Construct):
    """All traffic of the VPC `vpc_id`, accepted and rejected, into a log group of `network`'s own."""

    def __init__(
        self, scope: Construct, id_: str, *, vpc_id: str, network: str, logs_key: EncryptionKey
    ) -> None:
        super().__init__(scope, id_)
        stack = ServiceStack.of(self)
        target = stack.target
        self.group = CloudwatchLogGroup(
            self,
            "group",
            name=f"{target.log_prefix}/{stack.service}/{network}/flow-logs",
            retention_in_days=target.log_retention_days,
            kms_key_id=logs_key.arn,
        )
        role, policy = self._writer(stack, network)
        self.flow_log = FlowLog(
            self,
            "flow-log",
            vpc_id=vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=self.group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=FINE_INTERVAL if target.production else COARSE_INTERVAL,
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
