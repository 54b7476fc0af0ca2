"""The gaps of CloudWatch, CloudWatch Logs and Budgets.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

from tests.support.gaps import Clients, Gaps, Probes

# One server of each kind is enough for all of them.

ACCOUNT = "123456789012"
LIMIT = {"Amount": "100", "Unit": "USD"}
MONTHLY = {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": LIMIT}
ALERT = {
    "NotificationType": "FORECASTED",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}
MAIL = {"SubscriptionType": "EMAIL", "Address": "ops@example.com"}


def a_composite_alarm_from_birth_to_death(clients: Clients) -> object:
    watch = clients("cloudwatch")
    watch.put_composite_alarm(
        AlarmName="both", AlarmRule="ALARM(x)", AlarmDescription="page", Tags=[{"Key": "a", "Value": "1"}]
    )
    watch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(y)", OKActions=["arn:aws:sns:eu-west-1:1:t"])
    seen = watch.describe_alarms(AlarmNames=["both"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
    tags = watch.list_tags_for_resource(ResourceARN=seen["AlarmArn"])["Tags"]
    watch.delete_alarms(AlarmNames=["both"])
    left = watch.describe_alarms(AlarmNames=["both"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    return seen["AlarmRule"], seen["OKActions"], seen["ActionsEnabled"], tags, left


def a_log_group_gets_and_loses_a_key(clients: Clients) -> object:
    logs = clients("logs")
    logs.create_log_group(logGroupName="keyed")
    logs.associate_kms_key(logGroupName="keyed", kmsKeyId="arn:aws:kms:eu-west-1:1:key/k")
    with_key = logs.describe_log_groups(logGroupNamePrefix="keyed")["logGroups"][0]["kmsKeyId"]
    logs.disassociate_kms_key(logGroupName="keyed")
    return with_key, "kmsKeyId" in logs.describe_log_groups(logGroupNamePrefix="keyed")["logGroups"][0]


def the_tags_of_a_deleted_log_group(clients: Clients) -> object:
    logs = clients("logs")
    logs.create_log_group(logGroupName="again", tags={"Service": "shop"})
    logs.delete_log_group(logGroupName="again")
    logs.create_log_group(logGroupName="again")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="again")["logGroups"]
    return logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"]


def a_saved_query(clients: Clients) -> object:
    logs = clients("logs")
    made = logs.put_query_definition(name="errors", queryString="fields @message")["queryDefinitionId"]
    seen = logs.describe_query_definitions(queryDefinitionNamePrefix="err")["queryDefinitions"]
    gone = logs.delete_query_definition(queryDefinitionId=made)["success"]
    return [query["queryString"] for query in seen], gone


def a_budget_can_be_updated(clients: Clients) -> object:
    budgets = clients("budgets")
    budgets.create_budget(AccountId=ACCOUNT, Budget={"BudgetName": "changed", **MONTHLY})
    new = {"BudgetName": "changed", **MONTHLY, "BudgetLimit": {"Amount": "200", "Unit": "USD"}}
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=new)
    return budgets.describe_budget(AccountId=ACCOUNT, BudgetName="changed")["Budget"]["BudgetLimit"]["Amount"]


def tags_of_a_budget(clients: Clients) -> object:
    budgets, arn = clients("budgets"), f"arn:aws:budgets::{ACCOUNT}:budget/tagged"
    budgets.create_budget(
        AccountId=ACCOUNT,
        Budget={"BudgetName": "tagged", **MONTHLY},
        ResourceTags=[{"Key": "a", "Value": "1"}],
    )
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "b", "Value": "2"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["a"])
    return budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]


def subscribers_of_a_notification(clients: Clients) -> object:
    budgets = clients("budgets")
    budgets.create_budget(
        AccountId=ACCOUNT,
        Budget={"BudgetName": "told", **MONTHLY},
        NotificationsWithSubscribers=[{"Notification": ALERT, "Subscribers": [MAIL]}],
    )
    topic = {"SubscriptionType": "SNS", "Address": "arn:aws:sns:eu-west-1:1:t"}
    where = {"AccountId": ACCOUNT, "BudgetName": "told", "Notification": ALERT}
    budgets.create_subscriber(**where, Subscriber=topic)
    budgets.delete_subscriber(**where, Subscriber=MAIL)
    return budgets.describe_subscribers_for_notification(**where)["Subscribers"]


def a_data_protection_policy(clients: Clients) -> object:
    logs = clients("logs")
    logs.create_log_group(logGroupName="masked")
    logs.put_data_protection_policy(logGroupIdentifier="masked", policyDocument="{}")
    seen = logs.get_data_protection_policy(logGroupIdentifier="masked")["policyDocument"]
    logs.delete_data_protection_policy(logGroupIdentifier="masked")
    return seen, "policyDocument" in logs.get_data_protection_policy(logGroupIdentifier="masked")


def a_trail_is_started_by_its_arn(clients: Clients) -> object:
    clients("s3").create_bucket(
        Bucket="trails", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    trails = clients("cloudtrail")
    arn = trails.create_trail(Name="everything", S3BucketName="trails")["TrailARN"]
    trails.start_logging(Name=arn)
    return trails.get_trail_status(Name=arn)["IsLogging"]


def features_of_a_detector_change_one_by_one(clients: Clients) -> object:
    guard = clients("guardduty")
    detector = guard.create_detector(Enable=True)["DetectorId"]
    for name in ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS"):
        guard.update_detector(DetectorId=detector, Features=[{"Name": name, "Status": "ENABLED"}])
    features = guard.get_detector(DetectorId=detector)["Features"]
    return sorted(one["Name"] for one in features if one["Name"] in ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS"))


def a_topic_masks_data(clients: Clients) -> object:
    sns = clients("sns")
    topic = sns.create_topic(Name="masked")["TopicArn"]
    seen = []
    for policy in ("{}", ""):
        sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=policy)
        seen.append(sns.get_data_protection_policy(ResourceArn=topic).get("DataProtectionPolicy", ""))
    return seen


PROBES: Probes = {
    features_of_a_detector_change_one_by_one: (
        ["RDS_LOGIN_EVENTS", "S3_DATA_EVENTS"],
        "guardduty_features",
    ),
    a_topic_masks_data: (["{}", ""], "sns_data_protection"),
    a_composite_alarm_from_birth_to_death: (
        ("ALARM(y)", ["arn:aws:sns:eu-west-1:1:t"], True, [{"Key": "a", "Value": "1"}], []),
        "cloudwatch_composites",
    ),
    a_log_group_gets_and_loses_a_key: (("arn:aws:kms:eu-west-1:1:key/k", False), "logs"),
    the_tags_of_a_deleted_log_group: ({}, "logs"),
    a_saved_query: ((["fields @message"], True), "logs"),
    a_budget_can_be_updated: ("200", "budgets"),
    tags_of_a_budget: ([{"Key": "b", "Value": "2"}], "budgets"),
    subscribers_of_a_notification: (
        [{"SubscriptionType": "SNS", "Address": "arn:aws:sns:eu-west-1:1:t"}],
        "budgets",
    ),
    a_data_protection_policy: (("{}", False), "logs_data_protection"),
    a_trail_is_started_by_its_arn: (True, "cloudtrail_arns"),
}


class TestGaps(Gaps):
    probes = PROBES
