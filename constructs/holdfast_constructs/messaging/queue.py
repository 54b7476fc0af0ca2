"""A queue that loses nothing: encrypted, over TLS only, with a queue of its own for what cannot be handled.

    producer ── send ──▶ queue ── receive ──▶ consumer
                           └─ after `max_receives` attempts ──▶ dead_letter

Policies and redrive are part of the queues themselves: each resource of its own would take the provider
25 seconds more, one after another.
"""

import json
import re
from typing import Any

from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.messaging._deliveries import check_delivery
from holdfast_constructs.messaging._fifo import SUFFIX, message_name
from holdfast_constructs.messaging._queue_rules import DAY, LONGEST_RETENTION_DAYS, Settings
from holdfast_constructs.security._any_key import AnyKey, check_key, key_arn, use_key
from holdfast_constructs.security._arns import ANY_REGION, name_in, parse_arn
from holdfast_constructs.security._granting import AnyGrantee, grant_to, kind_of_name, part_name, refuse_user
from holdfast_constructs.security._resource_policy import ResourcePolicy, encrypted_transport_only, sid
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.policy import Condition, Statement

_FIND = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")
_CONSUME = ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage")
_EXAMPLE = "arn:aws:sqs:eu-west-1:210987654321:orders-prod-jobs"


class QueueAccess:
    """What all queues offer: `arn`, `url`, `queue_name`, and permission to send and to consume."""

    name: str
    arn: str
    url: str
    queue_name: str
    fifo: bool
    _key_arn: str | None
    _region: str

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "QUEUE"

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs to send messages: the variable URL. A queue has no users."""
        refuse_user(user, "a queue")
        return Access(environment={"URL": self.url}, statements=self._send())

    def grant_send(self, grantee: AnyGrantee) -> None:
        """Allow a service, or a role, to send messages."""
        grant_to(grantee, self, "send-to", *self._send())

    def grant_consume(self, grantee: AnyGrantee) -> None:
        """Allow a service, or a role, to receive messages and to delete them."""
        grant_to(grantee, self, "consume", *self._consume())

    def _send(self) -> tuple[Statement, ...]:
        send = Statement(sid="Send", actions=(*_FIND, "sqs:SendMessage"), resources=(self.arn,))
        return (send, *use_key(self._key_arn, "sqs", self._region, "kms:Decrypt", "kms:GenerateDataKey"))

    def _consume(self) -> tuple[Statement, ...]:
        consume = Statement(sid="Consume", actions=(*_CONSUME, *_FIND), resources=(self.arn,))
        return (consume, *use_key(self._key_arn, "sqs", self._region, "kms:Decrypt"))


@checked
class ImportedQueue(QueueAccess):
    """A queue that somebody else manages; `Queue.import_` returns one."""

    def __init__(
        self, arn: str, *, url: str | None = None, key: AnyKey | None = None, name: str | None = None
    ) -> None:
        parts = parse_arn(arn, "sqs", what="arn", example=_EXAMPLE)
        if parts is None and (url is None or name is None):
            raise ConstructError(
                "the ARN of this queue is known only after a deploy, and so are its URL and its name",
                next_step='give them too: Queue.import_(queue.arn, url=queue.url, name="jobs")',
            )
        self.arn = arn
        if parts is None:
            self.queue_name, self.url, self._region = name_in(arn), url or "", ANY_REGION
        else:
            self.queue_name, self._region = parts.resource, parts.region
            self.url = url or f"https://sqs.{parts.region}.{parts.domain}/{parts.account}/{parts.resource}"
        self.name = name or kind_of_name(
            re.sub(r"[^A-Za-z0-9-]", "-", parts.resource if parts else ""), "queue"
        )
        self.fifo = arn.endswith(SUFFIX)
        self._key_arn = None if key is None else key_arn(key)


@checked
class Queue(Construct, QueueAccess):
    """An SQS queue, encrypted with `key` (a Key with the purpose `messages`), or with SQS's own key.

    A message that a consumer receives is hidden from others for `visibility_seconds` (0-43,200): longer than
    the work on it takes. After `max_receives` (1-1,000) attempts it goes to `dead_letter`, and stays there
    for 14 days since it was sent. `retention_days` (1-13) is how long it waits for a consumer,
    `delay_seconds` (0-900) how long until it can be received, `wait_seconds` (0-20) how long a consumer that
    finds nothing is held. With `fifo` messages of a group keep their order and each is delivered once;
    `deduplicate_by_content` takes equal messages for one, `high_throughput` limits per group.

    With the target's `delete_protection` both queues are protected. Raises ConstructError for what SQS would
    refuse.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: AnyKey | None = None,
        fifo: bool = False,
        deduplicate_by_content: bool = False,
        high_throughput: bool = False,
        visibility_seconds: int = 300,
        retention_days: int = 4,
        delay_seconds: int = 0,
        wait_seconds: int = 20,
        max_receives: int = 5,
    ) -> None:
        super().__init__(scope, id_)
        settings = Settings(
            fifo=fifo,
            deduplicate_by_content=deduplicate_by_content,
            high_throughput=high_throughput,
            visibility_seconds=visibility_seconds,
            retention_days=retention_days,
            delay_seconds=delay_seconds,
            wait_seconds=wait_seconds,
            max_receives=max_receives,
        )
        self._stack = ServiceStack.of(self)
        self.name = part_name(self._stack, id_, "queue")
        self.fifo = fifo
        self.visibility_seconds = visibility_seconds
        self.key = key
        self._key_arn = None if key is None else key_arn(key, self._stack.target.region)
        self._region = self._stack.target.region
        self.queue_name = self._named(id_)
        self._dead_name = self._named(id_, "dead")
        self._policy = self._make_policy("permissions", self.queue_name)
        self._dead_policy = self._make_policy("dead-letter-permissions", self._dead_name)
        self._dead = self._make_dead_letters(settings)
        self.queue = self._make_queue(settings)
        self.arn, self.url = self.queue.arn, self.queue.url
        if self._stack.target.delete_protection:
            self._stack.protect(self.queue)
            self._stack.protect(self._dead)

    @classmethod
    def import_(
        cls, arn: str, *, url: str | None = None, key: AnyKey | None = None, name: str | None = None
    ) -> ImportedQueue:
        """Return a queue that exists, by its ARN; `key` is what encrypts it, where that is a key of KMS.

        `name` becomes part of the ids of what is granted. It and `url` are needed only where the ARN is known
        only after a deploy.
        """
        return ImportedQueue(arn, url=url, key=key, name=name)

    @property
    def dead_letter(self) -> ImportedQueue:
        """The queue of messages that could not be handled."""
        name = part_name(self._stack, f"{self.node.id}-dead", "queue")
        dead = ImportedQueue(self._dead.arn, url=self._dead.url, key=self.key, name=name)
        dead.queue_name, dead.fifo = self._dead_name, self.fifo
        return dead

    def allow_service(self, name: str, service: str, *, source_arn: str) -> None:
        """Let an AWS service send, such as `events.amazonaws.com` on behalf of the rule `source_arn`.

        It may send what it cannot deliver to the dead letters. `name` is unique in this queue.
        """
        check_delivery(service, source_arn)
        check_key(self.key, f"queue {self.node.id}")
        for policy, queue_name in ((self._policy, self.queue_name), (self._dead_policy, self._dead_name)):
            policy.allow(
                Statement(
                    sid=sid(name),
                    actions=("sqs:SendMessage",),
                    resources=(self._arn_of(queue_name),),
                    services=(service,),
                    conditions=(Condition("ArnEquals", "aws:SourceArn", (source_arn,)),),
                )
            )

    def _named(self, *parts: str) -> str:
        return message_name("queue", self._stack.target, self._stack.service, *parts, fifo=self.fifo)

    def _arn_of(self, queue_name: str) -> str:
        """The ARN as a text: a queue's own policy cannot refer to the queue."""
        target = self._stack.target
        return f"arn:{target.partition}:sqs:{target.region}:{target.account}:{queue_name}"

    def _make_policy(self, id_: str, queue_name: str) -> ResourcePolicy:
        return ResourcePolicy(self, id_, encrypted_transport_only("sqs:*", self._arn_of(queue_name)))

    def _make_dead_letters(self, settings: Settings) -> SqsQueue:
        permission = {"redrivePermission": "byQueue", "sourceQueueArns": [self._arn_of(self.queue_name)]}
        return SqsQueue(
            self,
            "dead-letter",
            name=self._dead_name,
            message_retention_seconds=LONGEST_RETENTION_DAYS * DAY,
            receive_wait_time_seconds=settings.wait_seconds,
            visibility_timeout_seconds=settings.visibility_seconds,
            policy=self._dead_policy.json,
            redrive_allow_policy=json.dumps(permission, separators=(",", ":")),
            **self._encryption(),
            **settings.order(),
        )

    def _make_queue(self, settings: Settings) -> SqsQueue:
        redrive = {"deadLetterTargetArn": self._dead.arn, "maxReceiveCount": settings.max_receives}
        return SqsQueue(
            self,
            "queue",
            name=self.queue_name,
            message_retention_seconds=settings.retention_days * DAY,
            receive_wait_time_seconds=settings.wait_seconds,
            visibility_timeout_seconds=settings.visibility_seconds,
            delay_seconds=settings.delay_seconds,
            policy=self._policy.json,
            redrive_policy=json.dumps(redrive, separators=(",", ":")),
            **self._encryption(),
            **settings.order(),
        )

    def _encryption(self) -> dict[str, Any]:
        return (
            {"sqs_managed_sse_enabled": True}
            if self._key_arn is None
            else {"kms_master_key_id": self._key_arn}
        )
