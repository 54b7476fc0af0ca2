"""What moto 5.2.1 leaves out of AWS and our stacks need: one module a gap, closed in the server.

Every module tells in its docstring what moto does, what AWS does and what we do, and has a
`close()` that changes moto's own classes. All of them only add: where a later moto has the operation
itself, ours steps aside (`_moto.operation`), and a test in `tests/contracts` that runs plain moto
fails, so that the module gets deleted.

What a gap has to remember is kept on moto's own objects, so that moto's reset forgets it too.
"""

from importlib import import_module

# moto's name of the service whose first request needs it -> the modules, in the order they are applied.
GAPS: dict[str, tuple[str, ...]] = {
    "acm": ("acm_options",),
    "applicationautoscaling": ("autoscaling_tags",),
    "awslambda": ("lambda_permissions",),
    "backup": ("backup",),
    "budgets": ("budgets",),
    "cloudtrail": ("cloudtrail_arns",),
    "cloudwatch": ("cloudwatch_composites", "cloudwatch_evaluation"),
    "events": ("events_targets",),
    "ec2": ("ec2_rule_descriptions", "ec2_flow_logs"),
    "ecs": ("ecs_services", "ecs_one_off_tasks", "ecs_cluster_settings", "ecs_account_settings"),
    "elasticache": (
        *("elasticache_subnet_groups", "elasticache_parameter_groups"),
        *("elasticache_users", "elasticache_replication_groups"),
    ),
    # One name for both generations of load balancers.
    "elb": ("elbv2_target_health",),
    "guardduty": ("guardduty_features",),
    "iam": ("iam_oidc_clients",),
    "kms": ("kms_rotation",),
    "logs": ("logs", "logs_data_protection"),
    "rds": ("rds_instances", "rds_parameters", "rds_engine_versions", "rds_subnet_groups"),
    "route53": ("route53_zone_ids", "route53_records"),
    "s3": ("s3_lifecycle", "s3_notifications", "s3_policy_conditions", "s3_logging", "s3_documents"),
    "servicediscovery": ("servicediscovery_zones",),
    "sns": ("sns_topic_attributes", "sns_data_protection"),
    "sqs": ("sqs_queue_policies",),
}

_closed: set[str] = set()


def close_gaps(service: str) -> None:
    """Close the gaps of one service, named as moto names it; again and again is fine."""
    for name in GAPS.get(service, ()):
        if name not in _closed:
            _closed.add(name)
            import_module(f"{__name__}.{name}").close()
