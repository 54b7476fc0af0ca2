"""Encryption keys: one customer-managed KMS key for each kind of thing worth losing separately.

`logs` is used by AWS services that write logs and alarms for us, so they are let in, each only on behalf of
this account. `messages` is used by those that deliver to our queues and topics. `data` is used by nobody but
principals of this account whose own policies say so. The key rotates every year, and is deleted only after a
window in which a mistake shows.
"""

import re
from typing import Literal, Protocol

from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from constructs import Construct

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Target
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security.policy import Condition, Statement, from_this_account, literal_policy

Purpose = Literal["logs", "data", "messages"]

# AWS KMS, ScheduleKeyDeletion: 7 to 30 days.
LONGEST_WINDOW_DAYS, SHORTEST_WINDOW_DAYS = 30, 7

_USE = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")

_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")


class EncryptionKey(Protocol):
    """A KMS key: a Key of ours, an imported one, or one of cdktf's bindings."""

    @property
    def arn(self) -> str:
        """The key's ARN."""

    @property
    def key_id(self) -> str:
        """The key's id."""


@checked
class Key(Construct):
    """A KMS key with rotation, an explicit policy and an alias.

    `purpose` is `logs` (CloudWatch Logs, alarms and topics may use it), `messages` (the services that deliver
    to queues and topics of this account may use it) or `data` (only principals of the account). With the
    target's `delete_protection` the key is protected, and takes 30 days to delete instead of 7.
    """

    def __init__(self, scope: Construct, id_: str, *, purpose: Purpose) -> None:
        super().__init__(scope, id_)
        stack = ServiceStack.of(self)
        target = stack.target
        name = aws_name("key_alias", target, stack.service, id_)
        self.purpose: Purpose = purpose
        self.key = KmsKey(
            self,
            "key",
            description=f"{purpose} of {stack.service} in {target.environment}",
            enable_key_rotation=True,
            deletion_window_in_days=LONGEST_WINDOW_DAYS if target.delete_protection else SHORTEST_WINDOW_DAYS,
            policy=literal_policy(*_statements(purpose, target)),
            tags={"Name": name},
        )
        self.alias = KmsAlias(self, "alias", name=f"alias/{name}", target_key_id=self.key.key_id)
        if target.delete_protection:
            stack.protect(self.key)

    @property
    def arn(self) -> str:
        """The key's ARN; other resources refer to the key by it."""
        return self.key.arn

    @property
    def key_id(self) -> str:
        """The key's id."""
        return self.key.key_id

    @staticmethod
    def import_(scope: Construct, id_: str, *, arn: str) -> "ImportedKey":
        """Return a key that exists already, by its ARN; nothing of it is managed.

        Its own policy decides who may use it: CloudWatch Logs must be let in where it encrypts logs.
        """
        return ImportedKey(scope, id_, arn=arn)


@checked
class ImportedKey(Construct):
    """A key that somebody else manages. Raises ConstructError for anything but a key's ARN in this region."""

    def __init__(self, scope: Construct, id_: str, *, arn: str) -> None:
        super().__init__(scope, id_)
        region = ServiceStack.of(self).target.region
        match = _ARN.fullmatch(arn)
        if not is_text_token(arn) and (match is None or match["region"] != region):
            raise ConstructError(
                "arn",
                got=arn,
                allowed=f"the ARN of a key in {region}: arn:aws:kms:{region}:<account>:key/<id>",
                next_step="`aws kms describe-key` shows the key of an alias, which has its own ARN",
            )
        self.arn = arn

    @property
    def key_id(self) -> str:
        """The key's id, which AWS also takes as an ARN."""
        return self.arn


def _statements(purpose: Purpose, target: Target) -> tuple[Statement, ...]:
    match purpose:
        case "data":
            return (_account(target),)
        case "logs":
            return (_account(target), _log_groups(target), _alarms(target))
        case "messages":
            return (_account(target), _to_queues(target), _to_topics(target))


def _account(target: Target) -> Statement:
    """Leave it to IAM: without this no policy of the account counts, and the key may become unmanageable."""
    root = f"arn:{target.partition}:iam::{target.account}:root"
    return Statement(sid="AccountDecidesByIam", actions=("kms:*",), principals=(root,))


def _log_groups(target: Target) -> Statement:
    groups = f"arn:{target.partition}:logs:{target.region}:{target.account}:log-group:*"
    return Statement(
        sid="LogGroupsOfThisAccount",
        actions=_USE,
        services=(f"logs.{target.region}.amazonaws.com",),
        conditions=(Condition("ArnLike", "kms:EncryptionContext:aws:logs:arn", (groups,)),),
    )


def _alarms(target: Target) -> Statement:
    return Statement(
        sid="AlarmsAndTopics",
        actions=("kms:Decrypt", "kms:GenerateDataKey*"),
        services=("cloudwatch.amazonaws.com", "sns.amazonaws.com"),
        conditions=(from_this_account(target),),
    )


def _to_queues(target: Target) -> Statement:
    services = ("events.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com")
    return _deliver("ServicesToQueues", services, "sqs", "kms:EncryptionContext:aws:sqs:arn", target)


def _to_topics(target: Target) -> Statement:
    services = (
        "backup.amazonaws.com",
        "budgets.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "costalerts.amazonaws.com",
        "events.amazonaws.com",
        "s3.amazonaws.com",
    )
    return _deliver("ServicesToTopics", services, "sns", "kms:EncryptionContext:aws:sns:topicArn", target)


def _deliver(sid: str, services: tuple[str, ...], to: str, context: str, target: Target) -> Statement:
    """Let services write to queues or topics of this account, whose ARN is in the encryption context.

    EventBridge's requests have no source account (Amazon SNS Developer Guide, "Securing Amazon SNS data with
    server-side encryption"), so that a condition on it would lose its events without a word.
    """
    own = f"arn:{target.partition}:{to}:{target.region}:{target.account}:*"
    return Statement(
        sid=sid,
        actions=("kms:Decrypt", "kms:GenerateDataKey*"),
        services=services,
        conditions=(Condition("ArnLike", context, (own,)),),
    )
