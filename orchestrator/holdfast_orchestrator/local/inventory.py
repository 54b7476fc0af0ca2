"""Everything that exists in a cloud, by kind: "destroy leaves nothing behind" as something to look at.

What an account has by itself does not count: the default VPC and what belongs to it, AWS-managed
policies and keys, default parameter groups, inactive task definitions, keys waiting to be deleted.
Written for the local cloud, where everything fits on one page of each listing; it only ever lists.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from holdfast_orchestrator.local.environment import ACCOUNT, STATE_BUCKET

ClientFactory = Callable[[str], Any]
Listing = Callable[[Any], Iterable[str]]


def inventory(
    client: ClientFactory, *, state_buckets: Collection[str] = (STATE_BUCKET,)
) -> dict[str, list[str]]:
    """Return what exists: kind (such as `vpc`, `ecs service`) -> sorted ids or names; empty kinds left out.

    `client` makes a boto3 client of a service by its name. `state_buckets` are not counted.
    """
    by_kind = {kind: sorted(listing(client(service))) for kind, (service, listing) in _LISTINGS.items()}
    by_kind["s3 bucket"] = [name for name in by_kind["s3 bucket"] if name not in state_buckets]
    return {kind: names for kind, names in by_kind.items() if names}


def _plain(operation: str, key: str, name: str, **arguments: str) -> Listing:
    """List what one call returns under `key`, each by its field `name` ("" where it is a string itself)."""

    def listing(api: Any) -> Iterable[str]:
        return [item[name] if name else item for item in getattr(api, operation)(**arguments)[key]]

    return listing


def _pages(operation: str, key: str, name: str) -> Listing:
    def listing(api: Any) -> Iterable[str]:
        pages = api.get_paginator(operation).paginate()
        return [item[name] if name else item for page in pages for item in page[key]]

    return listing


def _own(listing: Callable[[Any], Iterable[Mapping[str, Any]]], name: str) -> Listing:
    """List an EC2 kind without what lies in the account's default VPC."""

    def outside(api: Any) -> Iterable[str]:
        default = {v["VpcId"] for v in api.describe_vpcs()["Vpcs"] if v["IsDefault"]}
        return [item[name] for item in listing(api) if item.get("VpcId") not in default]

    return outside


def _security_groups(api: Any) -> Iterable[Mapping[str, Any]]:
    # Every VPC has a group called default, which goes with it.
    return [g for g in api.describe_security_groups()["SecurityGroups"] if g["GroupName"] != "default"]


def _not_deleted(operation: str, key: str, name: str) -> Listing:
    """List what one call returns and AWS has not deleted, and does not delete."""

    def listing(api: Any) -> Iterable[str]:
        items = getattr(api, operation)()[key]
        return [item[name] for item in items if item["State"] not in {"deleted", "deleting"}]

    return listing


def _route_tables(api: Any) -> Iterable[Mapping[str, Any]]:
    tables = api.describe_route_tables()["RouteTables"]
    return [t for t in tables if not any(a.get("Main") for a in t["Associations"])]


def _services(api: Any) -> Iterable[str]:
    arns = [
        arn
        for cluster in api.list_clusters()["clusterArns"]
        for arn in api.list_services(cluster=cluster)["serviceArns"]
    ]
    return [arn for arn in arns if _active(api, arn)]


def _active(api: Any, arn: str) -> bool:
    cluster = arn.split("/")[1]
    described = api.describe_services(cluster=cluster, services=[arn])["services"]
    return any(service["status"] == "ACTIVE" for service in described)


def _clusters(api: Any) -> Iterable[str]:
    arns = api.list_clusters()["clusterArns"]
    described = api.describe_clusters(clusters=arns)["clusters"] if arns else ()
    return [c["clusterArn"] for c in described if c["status"] == "ACTIVE"]


def _parameter_groups(api: Any) -> Iterable[str]:
    names = _pages("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName")(api)
    return [name for name in names if not name.startswith("default.")]


def _cache_users(api: Any) -> Iterable[str]:
    return [user["UserId"] for user in api.describe_users()["Users"] if user["UserId"] != "default"]


def _keys(api: Any) -> Iterable[str]:
    described = [api.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in api.list_keys()["Keys"]]
    gone = {"PendingDeletion", "PendingReplicaDeletion"}
    return [k["KeyId"] for k in described if k["KeyManager"] == "CUSTOMER" and k["KeyState"] not in gone]


def _aliases(api: Any) -> Iterable[str]:
    names = _plain("list_aliases", "Aliases", "AliasName")(api)
    return [name for name in names if not name.startswith("alias/aws/")]


def _schedule_groups(api: Any) -> Iterable[str]:
    names = _pages("list_schedule_groups", "ScheduleGroups", "Name")(api)
    return [name for name in names if name != "default"]


def _alarms(api: Any) -> Iterable[str]:
    alarms = api.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    # Those of a scaling policy come and go with it.
    listed = (*alarms["MetricAlarms"], *alarms["CompositeAlarms"])
    return [a["AlarmName"] for a in listed if not a["AlarmName"].startswith("TargetTracking-")]


_LISTINGS: dict[str, tuple[str, Listing]] = {
    "vpc": ("ec2", _own(lambda api: api.describe_vpcs()["Vpcs"], "VpcId")),
    "subnet": ("ec2", _own(lambda api: api.describe_subnets()["Subnets"], "SubnetId")),
    "security group": ("ec2", _own(_security_groups, "GroupId")),
    "route table": ("ec2", _own(_route_tables, "RouteTableId")),
    "internet gateway": (
        "ec2",
        _plain("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ),
    "elastic ip": ("ec2", _plain("describe_addresses", "Addresses", "AllocationId")),
    "nat gateway": ("ec2", _not_deleted("describe_nat_gateways", "NatGateways", "NatGatewayId")),
    "vpc endpoint": ("ec2", _not_deleted("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId")),
    "flow log": ("ec2", _plain("describe_flow_logs", "FlowLogs", "FlowLogId")),
    "load balancer": ("elbv2", _plain("describe_load_balancers", "LoadBalancers", "LoadBalancerArn")),
    "target group": ("elbv2", _plain("describe_target_groups", "TargetGroups", "TargetGroupArn")),
    "ip set": ("wafv2", _plain("list_ip_sets", "IPSets", "ARN", Scope="REGIONAL")),
    "web acl": ("wafv2", _plain("list_web_acls", "WebACLs", "ARN", Scope="REGIONAL")),
    "ecs cluster": ("ecs", _clusters),
    "ecs service": ("ecs", _services),
    "task definition": ("ecs", _plain("list_task_definitions", "taskDefinitionArns", "")),
    "scalable target": (
        "application-autoscaling",
        _plain("describe_scalable_targets", "ScalableTargets", "ResourceId", ServiceNamespace="ecs"),
    ),
    "rds instance": ("rds", _pages("describe_db_instances", "DBInstances", "DBInstanceIdentifier")),
    "rds parameter group": ("rds", _parameter_groups),
    "rds subnet group": ("rds", _pages("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName")),
    "rds event subscription": (
        "rds",
        _plain("describe_event_subscriptions", "EventSubscriptionsList", "CustSubscriptionId"),
    ),
    "cache": ("elasticache", _pages("describe_cache_clusters", "CacheClusters", "CacheClusterId")),
    "replication group": (
        "elasticache",
        _plain("describe_replication_groups", "ReplicationGroups", "ReplicationGroupId"),
    ),
    "cache subnet group": (
        "elasticache",
        _plain("describe_cache_subnet_groups", "CacheSubnetGroups", "CacheSubnetGroupName"),
    ),
    "cache parameter group": (
        "elasticache",
        _plain("describe_cache_parameter_groups", "CacheParameterGroups", "CacheParameterGroupName"),
    ),
    "cache user": ("elasticache", _cache_users),
    "cache user group": ("elasticache", _plain("describe_user_groups", "UserGroups", "UserGroupId")),
    "kms key": ("kms", _keys),
    "kms alias": ("kms", _aliases),
    "log group": ("logs", _pages("describe_log_groups", "logGroups", "logGroupName")),
    "alarm": ("cloudwatch", _alarms),
    "dashboard": ("cloudwatch", _plain("list_dashboards", "DashboardEntries", "DashboardName")),
    "s3 bucket": ("s3", _plain("list_buckets", "Buckets", "Name")),
    "iam role": ("iam", _pages("list_roles", "Roles", "RoleName")),
    "iam policy": ("iam", _plain("list_policies", "Policies", "Arn", Scope="Local")),
    "oidc provider": ("iam", _plain("list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn")),
    "hosted zone": ("route53", _plain("list_hosted_zones", "HostedZones", "Name")),
    "certificate": ("acm", _plain("list_certificates", "CertificateSummaryList", "DomainName")),
    "ssm parameter": ("ssm", _pages("describe_parameters", "Parameters", "Name")),
    "secret": ("secretsmanager", _pages("list_secrets", "SecretList", "Name")),
    "sns topic": ("sns", _pages("list_topics", "Topics", "TopicArn")),
    "sqs queue": ("sqs", lambda api: api.list_queues().get("QueueUrls", ())),
    "dynamodb table": ("dynamodb", _pages("list_tables", "TableNames", "")),
    "ecr repository": ("ecr", _pages("describe_repositories", "repositories", "repositoryName")),
    "schedule": ("scheduler", _pages("list_schedules", "Schedules", "Name")),
    "schedule group": ("scheduler", _schedule_groups),
    "namespace": ("servicediscovery", _pages("list_namespaces", "Namespaces", "Name")),
    "event rule": ("events", _plain("list_rules", "Rules", "Name")),
    "backup plan": ("backup", _plain("list_backup_plans", "BackupPlansList", "BackupPlanId")),
    "backup vault": ("backup", _plain("list_backup_vaults", "BackupVaultList", "BackupVaultName")),
    "budget": ("budgets", _plain("describe_budgets", "Budgets", "BudgetName", AccountId=ACCOUNT)),
}
