"""The gaps of SQS and SNS."""

import json

from tests.support.gaps import Clients, Gaps, Probes

ARN = "arn:aws:sqs:eu-west-1:123456789012"
POLICY = {"Statement": [{"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "sqs:*"}]}
TRACED = {"TracingConfig": "Active", "SignatureVersion": "2"}


def a_redrive_policy_has_no_spaces(clients: Clients) -> object:
    sqs = clients("sqs")
    sqs.create_queue(QueueName="redriven-dead")
    redrive = json.dumps({"deadLetterTargetArn": f"{ARN}:redriven-dead", "maxReceiveCount": 5})
    url = sqs.create_queue(QueueName="redriven", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["RedrivePolicy"]


def who_may_redrive_to_a_queue(clients: Clients) -> object:
    sqs = clients("sqs")
    url = sqs.create_queue(QueueName="picky")["QueueUrl"]
    given = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [f"{ARN}:one"]})
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedriveAllowPolicy"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": given})
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedriveAllowPolicy"])
    return before.get("Attributes", {}), shown["Attributes"]["RedriveAllowPolicy"]


def a_policy_stays_when_something_else_changes(clients: Clients) -> object:
    sqs = clients("sqs")
    url = sqs.create_queue(QueueName="closed", Attributes={"Policy": json.dumps(POLICY)})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    after = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return json.loads(shown["Policy"]), shown["VisibilityTimeout"], "Policy" in after


def attributes_of_a_topic_when_it_is_made(clients: Clients) -> object:
    sns = clients("sns")
    arn = sns.create_topic(Name="traced", Attributes=TRACED)["TopicArn"]
    shown = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    return {name: shown.get(name) for name in TRACED}


def attributes_of_a_topic_that_are_set_and_taken_away(clients: Clients) -> object:
    sns = clients("sns")
    arn = sns.create_topic(Name="traced-later")["TopicArn"]
    sns.set_topic_attributes(TopicArn=arn, AttributeName="TracingConfig", AttributeValue="Active")
    during = sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("TracingConfig")
    sns.set_topic_attributes(TopicArn=arn, AttributeName="TracingConfig", AttributeValue="")
    return during, "TracingConfig" in sns.get_topic_attributes(TopicArn=arn)["Attributes"]


PROBES: Probes = {
    a_redrive_policy_has_no_spaces: (
        f'{{"deadLetterTargetArn":"{ARN}:redriven-dead","maxReceiveCount":5}}',
        "sqs_queue_policies",
    ),
    who_may_redrive_to_a_queue: (
        ({}, f'{{"redrivePermission":"byQueue","sourceQueueArns":["{ARN}:one"]}}'),
        "sqs_queue_policies",
    ),
    a_policy_stays_when_something_else_changes: (
        (POLICY, "60", False),
        "sqs_queue_policies",
    ),
    attributes_of_a_topic_when_it_is_made: (TRACED, "sns_topic_attributes"),
    attributes_of_a_topic_that_are_set_and_taken_away: (("Active", False), "sns_topic_attributes"),
}


class TestMessaging(Gaps):
    probes = PROBES
