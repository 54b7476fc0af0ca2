"""Objects only the event file knows: import blocks that bring them back into a state.

An event has the provider's `id`; an import wants the import id. For most types they are the same; the
table names those where they differ, from the "Import" section of each type's page in the provider's
documentation (hashicorp/aws 5.100.0), and those that cannot be imported at all. A wrong import id does no
harm: the plan with the import blocks is only read, and `judge_import_plan` accepts nothing but the
imports asked for (at the recorded id) and creates that had not begun.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.rollback.addresses import escape_template
from holdfast_orchestrator.rollback.changes import Action, Change, read_plan
from holdfast_orchestrator.rollback.documents import Document, as_list
from holdfast_orchestrator.rollback.progress import Step


@dataclass(frozen=True, slots=True)
class ImportBlock:
    """One object to import. `id` is the provider's id of it where that is known, to check against."""

    address: str
    import_id: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What to do with objects that have to come into a state.

    `blocks` can be imported. `create_again` live in a state only (a random value, `terraform_data`):
    nothing in the cloud is lost by making them anew. `by_hand` wants a person; a second object of one
    address (an old one that waited for its destruction) is among them.
    """

    blocks: tuple[ImportBlock, ...]
    create_again: tuple[Step, ...]
    by_hand: tuple[Step, ...]


# Types whose import id is made of other attributes: a format over the planned values.
TEMPLATES: Mapping[str, str] = {
    "aws_api_gateway_authorizer": "{rest_api_id}/{id}",
    "aws_api_gateway_deployment": "{rest_api_id}/{id}",
    "aws_api_gateway_integration": "{rest_api_id}/{resource_id}/{http_method}",
    "aws_api_gateway_method": "{rest_api_id}/{resource_id}/{http_method}",
    "aws_api_gateway_resource": "{rest_api_id}/{id}",
    "aws_api_gateway_stage": "{rest_api_id}/{stage_name}",
    "aws_apigatewayv2_authorizer": "{api_id}/{id}",
    "aws_apigatewayv2_deployment": "{api_id}/{id}",
    "aws_apigatewayv2_integration": "{api_id}/{id}",
    "aws_apigatewayv2_route": "{api_id}/{id}",
    "aws_apigatewayv2_stage": "{api_id}/{name}",
    "aws_appautoscaling_policy": "{service_namespace}/{resource_id}/{scalable_dimension}/{name}",
    "aws_appautoscaling_target": "{service_namespace}/{resource_id}/{scalable_dimension}",
    "aws_autoscaling_lifecycle_hook": "{autoscaling_group_name}/{name}",
    "aws_autoscaling_policy": "{autoscaling_group_name}/{name}",
    "aws_autoscaling_schedule": "{autoscaling_group_name}/{scheduled_action_name}",
    "aws_backup_selection": "{plan_id}|{id}",
    "aws_cloudwatch_log_metric_filter": "{log_group_name}:{name}",
    "aws_cloudwatch_log_stream": "{log_group_name}:{name}",
    "aws_cloudwatch_log_subscription_filter": "{log_group_name}|{name}",
    "aws_cognito_user_pool_client": "{user_pool_id}/{id}",
    "aws_db_instance": "{identifier}",
    "aws_ecs_cluster": "{name}",
    "aws_iam_group_policy_attachment": "{group}/{policy_arn}",
    "aws_iam_role_policy_attachment": "{role}/{policy_arn}",
    "aws_iam_user_policy_attachment": "{user}/{policy_arn}",
    "aws_lambda_alias": "{function_name}/{name}",
    "aws_route_table_association": "{subnet_id}/{route_table_id}",
    "aws_s3_bucket_object": "{bucket}/{key}",
    "aws_s3_object": "{bucket}/{key}",
    "aws_volume_attachment": "{device_name}:{volume_id}:{instance_id}",
    "aws_vpc_endpoint_route_table_association": "{vpc_endpoint_id}/{route_table_id}",
    "aws_vpc_endpoint_subnet_association": "{vpc_endpoint_id}/{subnet_id}",
    "aws_wafv2_ip_set": "{id}/{name}/{scope}",
    "aws_wafv2_regex_pattern_set": "{id}/{name}/{scope}",
    "aws_wafv2_rule_group": "{id}/{name}/{scope}",
    "aws_wafv2_web_acl": "{id}/{name}/{scope}",
}

# Objects of a state only: nothing outside Terraform exists, so making them anew loses nothing.
STATE_ONLY_PREFIXES = ("null_", "random_", "time_", "tls_", "terraform_data", "local_")

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


def plan_imports(steps: Iterable[Step], planned: Mapping[str, Document]) -> ImportPlan:
    """The import blocks for creates that no state knows.

    Args:
        steps: the creates, each with the id its event gave.
        planned: address to planned values, from the forward plan (`planned_values_by_address`).
    """
    blocks, again, by_hand = dict[str, ImportBlock](), list[Step](), list[Step]()
    for step in steps:
        found = import_id(step.kind, step.id_value, planned.get(step.address) or {})
        if step.kind.startswith(STATE_ONLY_PREFIXES):
            again.append(step)
        elif found is None or step.address in blocks:
            by_hand.append(step)
        else:
            blocks[step.address] = ImportBlock(step.address, found, step.id_value)
    return ImportPlan(tuple(blocks.values()), tuple(again), tuple(by_hand))


def import_id(kind: str, id_value: str | None, planned: Document) -> str | None:
    """The import id of an object, or None where it cannot be told from its id and planned values.

    An AWS type that is in no table is imported by its id; types of unknown providers are not.
    """
    if kind in NOT_IMPORTABLE or not kind.startswith("aws_"):
        return None
    if kind in _COMPUTED:
        return _COMPUTED[kind](planned)
    if kind not in TEMPLATES:
        return id_value
    values = {name: value for name, value in planned.items() if isinstance(value, str | int) and value != ""}
    try:
        return TEMPLATES[kind].format_map({**values, **({"id": id_value} if id_value else {})})
    except KeyError:
        return None


def planned_values_by_address(plan: Document) -> dict[str, Document]:
    """The values a plan knows beforehand for each object it would create or update."""
    return {change.address: change.after for change in read_plan(plan) if change.after is not None}


def with_imports(configuration: Document, blocks: Iterable[ImportBlock]) -> dict[str, Any]:
    """The configuration with an import block for each object, in place of one for the same address."""
    added = {block.address: block for block in blocks}
    kept = [each for each in as_list(configuration.get("import")) if each.get("to") not in added]
    new = [{"to": block.address, "id": escape_template(block.import_id)} for block in added.values()]
    return {**configuration, "import": [*kept, *new]}


def judge_import_plan(
    plan: Document, *, expected: Collection[ImportBlock], may_create: Collection[str]
) -> tuple[str, ...]:
    """Why a plan with import blocks must not be applied (empty: nothing against it).

    It may import what is expected, at the recorded id and without a replacement, and create what had
    not begun. An imported object may be updated in place: some arguments exist in the configuration
    only and are written at the first apply.
    """
    wanted, planned = {block.address: block for block in expected}, read_plan(plan)
    problems = [problem for change in planned if (problem := _import_problem(change, wanted, may_create))]
    imported = {change.address for change in planned if change.importing}
    absent = [f"{address} would not be imported." for address in wanted if address not in imported]
    return (*planned.problems, *problems, *absent)


def _import_problem(
    change: Change, wanted: Mapping[str, ImportBlock], may_create: Collection[str]
) -> str | None:
    if not change.touches:
        return None
    if change.importing and change.address in wanted:
        recorded, found = wanted[change.address].id, str((change.before or {}).get("id") or "")
        if change.action not in (Action.NOTHING, Action.UPDATE):
            return f"{change.address} would be imported and then change: {change.action}."
        if recorded is not None and found != recorded:
            return f"{change.address}: the import found {found!r}, the event file says {recorded!r}."
        return None
    if change.action is Action.CREATE and change.address in may_create:
        return None
    return f"{change.address} is no import and had not been left to create: {change.action}."


def _route(planned: Document) -> str | None:
    names = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")
    target = next((planned[name] for name in names if planned.get(name)), None)
    table = planned.get("route_table_id")
    return f"{table}_{target}" if table and target else None


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
    "aws_route": _route,
}
