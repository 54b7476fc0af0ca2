"""The queue between a rule of EventBridge and the tasks that work on its events, and that of dead letters.

Both are encrypted with SQS's own key: EventBridge may not use another without a policy of that key. Their
policies are part of them, because each resource of its own takes the provider half a minute more.
"""

from dataclasses import dataclass

from cdktf import Fn
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.naming import aws_name, limited
from holdfast_constructs.security.policy import Condition, Statement, policy_json

# Amazon SQS: the longest name of a queue, and the longest time that it keeps a message.
_LONGEST_NAME, _FORTNIGHT_SECONDS = 80, 1_209_600


@dataclass(frozen=True, slots=True)
class Source:
    """A queue as a worker wants it."""

    arn: str
    url: str
    queue_name: str


class EventQueue(Construct):
    """The queue `name` of what the rule `rule_arn` delivers, seen again after `visibility_seconds`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        rule_arn: str,
        visibility_seconds: int,
        max_receives: int,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._rule_arn = rule_arn
        dead = self._named(name, "events-dead")
        self.dead_letters = SqsQueue(
            self,
            "dead-letters",
            name=dead,
            sqs_managed_sse_enabled=True,
            message_retention_seconds=_FORTNIGHT_SECONDS,
            policy=self._policy("dead-letters-policy", dead),
        )
        self.queue_name = self._named(name, "events")
        self.queue = SqsQueue(
            self,
            "queue",
            name=self.queue_name,
            sqs_managed_sse_enabled=True,
            message_retention_seconds=_FORTNIGHT_SECONDS,
            visibility_timeout_seconds=visibility_seconds,
            redrive_policy=Fn.jsonencode(
                {"deadLetterTargetArn": self.dead_letters.arn, "maxReceiveCount": max_receives}
            ),
            policy=self._policy("policy", self.queue_name),
        )
        if self._stack.target.delete_protection:
            self._stack.protect(self.queue)
            self._stack.protect(self.dead_letters)

    @property
    def source(self) -> Source:
        """The queue as its worker wants it."""
        return Source(self.queue.arn, self.queue.url, self.queue_name)

    def _named(self, *parts: str) -> str:
        return limited(aws_name("cluster", self._stack.target, self._stack.service, *parts), _LONGEST_NAME)

    def _policy(self, id_: str, queue_name: str) -> str:
        target = self._stack.target
        arn = f"arn:{target.partition}:sqs:{target.region}:{target.account}:{queue_name}"
        deliver = Statement(
            sid="Deliver",
            actions=("sqs:SendMessage",),
            resources=(arn,),
            services=("events.amazonaws.com",),
            conditions=(Condition("ArnEquals", "aws:SourceArn", (self._rule_arn,)),),
        )
        encrypted = Statement(
            sid="OverTlsOnly",
            effect="Deny",
            actions=("sqs:*",),
            resources=(arn,),
            principals=("*",),
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        )
        return policy_json(self, id_, deliver, encrypted)
