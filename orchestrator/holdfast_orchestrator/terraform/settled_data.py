"""Data sources whose answer their arguments, the account and the region decide."""

# What they answer is told by their arguments, the account and the region; other states are compared by what
# is read of them. Any other data source may answer something else tomorrow.
SETTLED = frozenset({
    "aws_arn",
    "aws_caller_identity",
    "aws_default_tags",
    "aws_iam_policy_document",
    "aws_partition",
    "aws_region",
    "aws_service_principal",
    "cloudinit_config",
    "terraform_remote_state",
})  # fmt: skip
