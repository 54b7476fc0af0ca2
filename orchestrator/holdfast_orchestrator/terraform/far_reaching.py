"""Types of AWS whose objects change others that share no identifier with them.

They set what holds for a whole account, region or organization, run programs of their own, or act on what
they find by tags. Too many are named sooner than one too few: it costs the reads of one verify.
"""

from fnmatch import fnmatchcase

_SETTINGS = (
    "aws_*account*",
    "aws_*default*",
    "aws_*organization*",
    "aws_*_setting",
    "aws_*_settings",
    "aws_*block_public_access*",
    "aws_bedrock_model_invocation_logging_configuration",
    "aws_ec2_serial_console_access",
    "aws_ecr_registry_*",
    "aws_ecr_replication_configuration",
    "aws_ecr_repository_creation_template",
    "aws_servicequotas_*",
    "aws_xray_encryption_config",
)
_PROGRAMS = (
    "aws_*cloudformation_*",
    "aws_appconfig_deployment",
    "aws_cloudcontrolapi_resource",
    "aws_dms_replication_task",
    "aws_imagebuilder_image",
    "aws_lambda_invocation",
    "aws_redshiftdata_statement",
    "aws_servicecatalog_provisioned_product",
    "aws_ssm_association",
    "aws_ssm_maintenance_window_task",
)
_BY_TAGS_OR_RULES = (
    "aws_auditmanager_*",
    "aws_autoscalingplans_*",
    "aws_config_*",
    "aws_controltower_*",
    "aws_detective_*",
    "aws_fms_*",
    "aws_guardduty_*",
    "aws_inspector2_*",
    "aws_macie2_*",
    "aws_ram_*",
    "aws_securityhub_*",
)
PATTERNS = (*_SETTINGS, *_PROGRAMS, *_BY_TAGS_OR_RULES)


def reaches_far(kind: str) -> bool:
    """Say whether a change of such an object may change others that have nothing in common with it."""
    return any(fnmatchcase(kind, pattern) for pattern in PATTERNS)
