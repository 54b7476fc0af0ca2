"""A topic that services publish to, and whose messages go to every queue that subscribes.

publisher ──▶ topic ──▶ queue ──▶ consumer
│         └─ cannot be handled ──▶ the queue's dead letters
└─ cannot be delivered ────────────▶ the queue's dead letters
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription
from constructs import Construct

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.app._connections import note_connection
from holdfast_constructs.app._stack_order import wait_for
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.messaging._deliveries import check_combinations, check_delivery
from holdfast_constructs.messaging._fifo import SUFFIX, message_name
from holdfast_constructs.messaging.queue import Queue
from holdfast_constructs.security._any_key import AnyKey, check_key, key_arn, use_key
from holdfast_constructs.security._arns import ANY_REGION, parse_arn
from holdfast_constructs.security._granting import AnyGrantee, grant_to, kind_of_name, part_name, refuse_user
from holdfast_constructs.security._resource_policy import ResourcePolicy, encrypted_transport_only, sid
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.policy import Condition, Statement, from_this_account

_EXAMPLE = "arn:aws:sns:eu-west-1:210987654321:orders-prod-events"
# Amazon SNS signs with SHA-256; 1 is SHA-1.
_SIGNATURE = 2
# Amazon SNS, Subscribe: a filter policy has at most five attributes.
_MOST_FILTERS = 5
# Amazon SNS Developer Guide, "Creating an Amazon SNS topic".
_LONGEST_DISPLAY_NAME = 100
# EventBridge sends no source account (Amazon EventBridge User Guide, "Using resource-based policies").
_WITHOUT_ACCOUNT = frozenset({"events.amazonaws.com"})


class TopicAccess:
    """What all topics offer: `arn`, and permission to publish."""

    name: str
    arn: str
    # None where only a deploy knows.
    fifo: bool | None
    _key_arn: str | None
    _region: str
    _source_arn: str

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "TOPIC"

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs to publish: the variable ARN. A topic has no users."""
        refuse_user(user, "a topic")
        return Access(environment={"ARN": self.arn}, statements=self._publish())

    def grant_publish(self, grantee: AnyGrantee) -> None:
        """Allow a service, or a role, to publish messages."""
        grant_to(grantee, self, "publish-to", *self._publish())

    def subscribe(
        self, queue: Queue, *, raw: bool = True, attributes: Mapping[str, Sequence[str]] | None = None
    ) -> SnsTopicSubscription:
        """Deliver every message to `queue`, and what cannot be delivered to its dead letters.

        Both of the queue's policies let this topic in, and nobody else. `raw` leaves out the envelope of SNS.
        With `attributes` only messages are delivered that have one of the values of each. The subscription is
        in the queue's stack, which goes without the topic. Raises ConstructError where SNS cannot deliver.
        """
        name = f"from-{self.name}"
        self._check_subscription(queue, name, attributes or {})
        check_combinations(attributes or {})
        wait_for(queue, self, self.name)
        queue.allow_service(name, "sns.amazonaws.com", source_arn=self._source_arn)
        note_connection(self, queue, word="deliver")
        return SnsTopicSubscription(
            queue,
            name,
            topic_arn=self.arn,
            protocol="sqs",
            endpoint=queue.arn,
            raw_message_delivery=raw,
            redrive_policy=_compact({"deadLetterTargetArn": queue.dead_letter.arn}),
            filter_policy=_compact({key: list(values) for key, values in attributes.items()})
            if attributes
            else None,
        )

    def _publish(self) -> tuple[Statement, ...]:
        publish = Statement(sid="Publish", actions=("sns:Publish",), resources=(self.arn,))
        return (publish, *use_key(self._key_arn, "sns", self._region, "kms:Decrypt", "kms:GenerateDataKey"))

    def _check_subscription(self, queue: Queue, name: str, attributes: Mapping[str, Sequence[str]]) -> None:
        if queue.fifo and self.fifo is False:
            raise ConstructError(
                f"topic {self.name} keeps no order, and {queue.name} is a FIFO queue",
                next_step="give the topic fifo=True, or the queue none",
            )
        if queue.node.try_find_child(name) is not None:
            raise ConstructError(
                f"{queue.name} subscribes to {self.name} already", next_step="remove one of the two calls"
            )
        if len(attributes) > _MOST_FILTERS or not all(attributes.values()):
            raise ConstructError(
                "attributes",
                got=dict(attributes),
                allowed=f"at most {_MOST_FILTERS} attributes, each with the values to let through",
            )


@checked
class ImportedTopic(TopicAccess):
    """A topic that somebody else manages; `Topic.import_` returns one."""

    def __init__(self, arn: str, *, key: AnyKey | None = None, name: str | None = None) -> None:
        parts = parse_arn(arn, "sns", what="arn", example=_EXAMPLE)
        if parts is None and name is None:
            raise ConstructError(
                "the ARN of this topic is known only after a deploy, and so is its name",
                next_step='give a name to tell it by: Topic.import_(topic.arn, name="events")',
            )
        self.arn = self._source_arn = arn
        topic_name = parts.resource if parts else ""
        self.name = name or kind_of_name(re.sub(r"[^A-Za-z0-9-]", "-", topic_name), "topic")
        self.fifo = arn.endswith(SUFFIX) if parts else None
        self._key_arn = None if key is None else key_arn(key)
        self._region = parts.region if parts else ANY_REGION


@checked
class Topic(Construct, TopicAccess):
    """An SNS topic, encrypted with `key` (a Key with the purpose `messages`).

    SNS has no key of its own that services could publish with, so that a key is required. With `fifo`
    messages of a group keep their order; `deduplicate_by_content` takes equal messages for one.
    `display_name` is what people see who get them by e-mail. Raises ConstructError for what SNS would refuse.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: AnyKey,
        fifo: bool = False,
        deduplicate_by_content: bool = False,
        display_name: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        _check_order(fifo=fifo, by_content=deduplicate_by_content)
        _check_display_name(display_name)
        self._stack = ServiceStack.of(self)
        self._target = self._stack.target
        self.name = part_name(self._stack, id_, "topic")
        self.fifo = fifo
        self.key = key
        self._key_arn = key_arn(key, self._stack.target.region)
        self._region = self._target.region
        self.topic_name = message_name("topic", self._target, self._stack.service, id_, fifo=fifo)
        place = f"{self._target.partition}:sns:{self._target.region}:{self._target.account}"
        # As a text: its own policy cannot refer to the topic, nor a queue's policy to another stack's.
        self._source_arn = f"arn:{place}:{self.topic_name}"
        # A topic's policy has no wildcard for actions.
        self._policy = ResourcePolicy(
            self, "permissions", encrypted_transport_only("sns:Publish", self._source_arn)
        )
        order: dict[str, Any] = (
            {"fifo_topic": True, "content_based_deduplication": deduplicate_by_content} if fifo else {}
        )
        self.topic = SnsTopic(
            self,
            "topic",
            name=self.topic_name,
            display_name=display_name,
            kms_master_key_id=self._key_arn,
            policy=self._policy.json,
            signature_version=_SIGNATURE,
            **order,
        )
        self.arn = self.topic.arn

    @classmethod
    def import_(cls, arn: str, *, key: AnyKey | None = None, name: str | None = None) -> ImportedTopic:
        """Return a topic that exists, by its ARN; `key` is what encrypts it.

        `name` becomes part of the ids of what is granted; it is needed only where the ARN is known only after
        a deploy.
        """
        return ImportedTopic(arn, key=key, name=name)

    def allow_service(self, name: str, service: str, *, source_arn: str | None) -> None:
        """Let an AWS service publish, such as `cloudwatch.amazonaws.com` on behalf of an alarm.

        `source_arn` may have wildcards; None is for services that send none, and lets them in for all of this
        account. `name` is unique in this topic. Raises ConstructError where nothing would say for whom.
        """
        check_delivery(service, source_arn)
        check_key(self.key, f"topic {self.node.id}")
        own = () if service in _WITHOUT_ACCOUNT else (from_this_account(self._target),)
        if source_arn is None and not own:
            raise ConstructError(
                "source_arn",
                got=None,
                allowed=f"an ARN for {service}, which does not say for which account it publishes",
            )
        source = () if source_arn is None else (Condition("ArnLike", "aws:SourceArn", (source_arn,)),)
        self._policy.allow(
            Statement(
                sid=sid(name),
                actions=("sns:Publish",),
                resources=(self._source_arn,),
                services=(service,),
                conditions=(*source, *own),
            )
        )


def _check_order(*, fifo: bool, by_content: bool) -> None:
    if by_content and not fifo:
        raise ConstructError(
            "deduplicate_by_content",
            got=True,
            allowed="False for a standard topic",
            next_step="only a FIFO topic has that: add fifo=True, or remove it",
        )


def _check_display_name(name: str | None) -> None:
    if name is not None and not is_text_token(name) and len(name) > _LONGEST_DISPLAY_NAME:
        raise ConstructError("display_name", got=name, allowed=f"at most {_LONGEST_DISPLAY_NAME} characters")


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
