"""Import ids: by what an object of each type is imported, and the `import` block that says so.

The table of `create_semantics.csv` has the templates of types whose attributes name the object. Here are
those that the table cannot have: the id that AWS has chosen is a part of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.terraform.addresses import escape_template
from holdfast_orchestrator.terraform.create_semantics import rule_of
from holdfast_orchestrator.terraform.json_values import Document, as_list
from holdfast_orchestrator.terraform.object_keys import route_name


@dataclass(frozen=True, slots=True)
class ImportBlock:
    """One object to import. `id` is the provider's id of it where that is known, to check against."""

    address: str
    import_id: str
    id: str | None = None


# Types whose import id is not their id: a format over the planned values and the id.
_TEMPLATES: Mapping[str, str] = {
    "aws_api_gateway_authorizer": "{rest_api_id}/{id}",
    "aws_api_gateway_deployment": "{rest_api_id}/{id}",
    "aws_api_gateway_resource": "{rest_api_id}/{id}",
    "aws_apigatewayv2_authorizer": "{api_id}/{id}",
    "aws_apigatewayv2_deployment": "{api_id}/{id}",
    "aws_apigatewayv2_integration": "{api_id}/{id}",
    "aws_apigatewayv2_route": "{api_id}/{id}",
    "aws_backup_selection": "{plan_id}|{id}",
    "aws_cognito_user_pool_client": "{user_pool_id}/{id}",
    "aws_vpc_endpoint_subnet_association": "{vpc_endpoint_id}/{subnet_id}",
    "aws_wafv2_ip_set": "{id}/{name}/{scope}",
    "aws_wafv2_regex_pattern_set": "{id}/{name}/{scope}",
    "aws_wafv2_rule_group": "{id}/{name}/{scope}",
    "aws_wafv2_web_acl": "{id}/{name}/{scope}",
}

# Types that are imported by the template of their row, and not by their id.
_BY_THEIR_ROW = frozenset({
    "aws_api_gateway_integration", "aws_api_gateway_method", "aws_api_gateway_stage",
    "aws_apigatewayv2_stage", "aws_appautoscaling_policy", "aws_appautoscaling_target",
    "aws_autoscaling_lifecycle_hook", "aws_autoscaling_policy", "aws_autoscaling_schedule",
    "aws_cloudwatch_log_metric_filter", "aws_cloudwatch_log_stream",
    "aws_cloudwatch_log_subscription_filter", "aws_db_instance", "aws_ecs_cluster",
    "aws_iam_group_policy_attachment", "aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment",
    "aws_lambda_alias", "aws_route_table_association", "aws_s3_bucket_object", "aws_s3_object",
    "aws_volume_attachment", "aws_vpc_endpoint_route_table_association",
})  # fmt: skip

# Documented as not importable, importable only with loss, or named by something no event tells.
NOT_IMPORTABLE = frozenset({
    "aws_acm_certificate_validation",
    "aws_autoscaling_attachment",
    "aws_db_instance_automated_backups_replication",
    "aws_dynamodb_table_item",
    "aws_ecs_task_definition",
    "aws_iam_access_key",
    "aws_iam_policy_attachment",
    "aws_lambda_invocation",
    "aws_lb_target_group_attachment",
    "aws_main_route_table_association",
    "aws_network_interface_attachment",
    "aws_s3_object_copy",
    "aws_security_group_rule",
    "aws_ses_domain_identity_verification",
})  # fmt: skip


def import_id(kind: str, id_value: str | None, planned: Document) -> str | None:
    """Return the import id of an object, None where its id and planned values do not give it.

    An AWS type that is in no table is imported by its id; types of unknown providers are not.
    """
    if kind in NOT_IMPORTABLE or not kind.startswith("aws_"):
        return None
    if kind in _COMPUTED:
        return _COMPUTED[kind](planned)
    template = _template(kind)
    if template is None:
        return id_value
    values = {name: value for name, value in planned.items() if isinstance(value, str | int) and value != ""}
    try:
        return template.format_map({**values, **({"id": id_value} if id_value else {})})
    except KeyError:
        return None


def _template(kind: str) -> str | None:
    rule = rule_of(kind) if kind in _BY_THEIR_ROW else None
    return _TEMPLATES.get(kind) if rule is None else rule.import_id


def with_imports(configuration: Document, blocks: Iterable[ImportBlock]) -> dict[str, Any]:
    """The configuration with an import block for each object, in place of one for the same address."""
    added = {block.address: block for block in blocks}
    kept = [each for each in as_list(configuration.get("import")) if each.get("to") not in added]
    new = [{"to": block.address, "id": escape_template(block.import_id)} for block in added.values()]
    return {**configuration, "import": [*kept, *new]}


def _ecs_service(planned: Document) -> str | None:
    cluster, name = planned.get("cluster"), planned.get("name")
    return f"{str(cluster).rpartition('/')[2]}/{name}" if cluster and name else None


def _lambda_permission(planned: Document) -> str | None:
    function, statement = planned.get("function_name"), planned.get("statement_id")
    qualifier = planned.get("qualifier")
    target = f"{function}:{qualifier}" if qualifier else function
    return f"{target}/{statement}" if function and statement else None


def _event_target(planned: Document) -> str | None:
    rule, target = planned.get("rule"), planned.get("target_id")
    bus = planned.get("event_bus_name") or "default"
    return f"{bus}/{rule}/{target}" if rule and target else None


_COMPUTED: Mapping[str, Callable[[Document], str | None]] = {
    "aws_cloudwatch_event_target": _event_target,
    "aws_ecs_service": _ecs_service,
    "aws_lambda_permission": _lambda_permission,
    "aws_route": route_name,
}
