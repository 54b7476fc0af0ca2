"""Which types change what they do not name."""

import pytest

from holdfast_orchestrator.terraform.far_reaching import reaches_far


@pytest.mark.parametrize(
    "kind",
    [
        "aws_ebs_encryption_by_default",
        "aws_ecs_account_setting_default",
        "aws_iam_account_password_policy",
        "aws_organizations_policy_attachment",
        "aws_ssm_service_setting",
        "aws_cloudformation_stack",
        "aws_lambda_invocation",
        "aws_ssm_association",
        "aws_default_security_group",
        "aws_vpc_block_public_access_options",
    ],
)
def test_settings_of_accounts_and_programs_reach_far(kind: str) -> None:
    assert reaches_far(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "aws_ecr_repository",
        "aws_ecs_service",
        "aws_iam_role_policy_attachment",
        "aws_lambda_function",
        "aws_s3_bucket_policy",
        "aws_security_group_rule",
        "aws_sns_topic",
        "aws_ssm_parameter",
    ],
)
def test_what_most_stacks_consist_of_does_not(kind: str) -> None:
    assert not reaches_far(kind)
