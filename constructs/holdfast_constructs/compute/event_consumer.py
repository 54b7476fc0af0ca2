"""A consumer of events: a rule of EventBridge, a queue, and a worker.

event bus ── rule ── queue ── worker
└───────┴── dead_letters
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import (
    CloudwatchEventTarget,
    CloudwatchEventTargetDeadLetterConfig,
    CloudwatchEventTargetRetryPolicy,
)
from constructs import Construct

from holdfast_constructs.app._connections import Outside, note_connection
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute import _event_rules as rules
from holdfast_constructs.compute._container_rules import LONGEST_STOP_SECONDS
from holdfast_constructs.compute._task_options import SMALL, UNPRIVILEGED, Architecture
from holdfast_constructs.compute.container_health import ContainerHealth
from holdfast_constructs.compute.image import Image
from holdfast_constructs.compute.platform import Platform
from holdfast_constructs.compute.scale import BacklogScale, Size
from holdfast_constructs.compute.sidecar import Sidecar
from holdfast_constructs.compute.worker import Worker
from holdfast_constructs.messaging.queue import Queue
from holdfast_constructs.naming import aws_name, limited
from holdfast_constructs.network.connections import Connectable
from holdfast_constructs.security.access import OffersAccess
from holdfast_constructs.security.policy import Statement
from holdfast_constructs.security.secret_value import SecretValue

DEFAULT_BUS = "default"
# Amazon EventBridge, PutRule: the longest name of a rule. RetryPolicy: a day, which is also the default.
_LONGEST_NAME, _DAY_SECONDS, _MOST_RETRIES = 64, 86_400, 185


@checked
class EventConsumer(Construct):
    """Tasks that work on the events of `bus_name` that `pattern` matches: `{"source": ["aws.s3"]}`.

    EventBridge puts each event into a Queue of the consumer's own, whose URL is `QUEUE_URL`; the message is
    the event as JSON. `visibility_seconds` and `max_receives` are that queue's. What was tried too often goes
    to `dead_letters`, as does an event that EventBridge could not deliver for a day. Events come at least
    once, and in no order. The other properties are those of a Worker. Raises ConstructError for what AWS
    would refuse.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        platform: Platform,
        image: Image,
        pattern: Mapping[str, Any],
        scale: BacklogScale,
        bus_name: str = DEFAULT_BUS,
        visibility_seconds: int = 300,
        max_receives: int = 5,
        size: Size = SMALL,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str | SecretValue] | None = None,
        user: str = UNPRIVILEGED,
        stop_seconds: int = LONGEST_STOP_SECONDS,
        command: Sequence[str] = (),
        entry_point: Sequence[str] = (),
        container_health: ContainerHealth | None = None,
        architecture: Architecture = "X86_64",
        spot_share: int = 0,
        sidecars: Sequence[Sidecar] = (),
        writable_paths: Sequence[str] = (),
        exec: bool = False,  # noqa: A002 - what AWS calls it, and a property more than a variable
    ) -> None:
        super().__init__(scope, id_)
        rules.check_pattern(pattern)
        self._stack = ServiceStack.of(self)
        self.name = id_
        self._rule_name = limited(
            aws_name("cluster", self._stack.target, self._stack.service, id_), _LONGEST_NAME
        )
        self.queue = Queue(
            self, f"{id_}-events", visibility_seconds=visibility_seconds, max_receives=max_receives
        )
        self.queue.allow_service("rule", "events.amazonaws.com", source_arn=self._rule_arn(bus_name))
        self.dead_letters = self.queue.dead_letter
        self.rule = self._make_rule(bus_name, pattern)
        note_connection(Outside("EventBus", bus_name), self, word="deliver")
        self.worker = Worker(
            self,
            id_,
            platform=platform,
            image=image,
            queue=self.queue,
            scale=scale,
            size=size,
            environment=environment,
            secrets=secrets,
            user=user,
            stop_seconds=stop_seconds,
            command=command,
            entry_point=entry_point,
            container_health=container_health,
            architecture=architecture,
            spot_share=spot_share,
            sidecars=sidecars,
            writable_paths=writable_paths,
            exec=exec,
        )

    @property
    def security_group_id(self) -> str:
        """The id of the security group of its tasks."""
        return self.worker.security_group_id

    def connect_to(
        self,
        part: Connectable | OffersAccess,
        *,
        port: int | None = None,
        prefix: str | None = None,
        user: str | None = None,
    ) -> None:
        """Let the program use `part`, as `Worker.connect_to` does."""
        self.worker.connect_to(part, port=port, prefix=prefix, user=user)

    def grant(self, name: str, *statements: Statement) -> None:
        """Allow the program what `statements` say; `name` is unique in this block and becomes an id."""
        self.worker.grant(name, *statements)

    def _rule_arn(self, bus_name: str) -> str:
        """The ARN as a text: the queue's policy names the rule before the rule can name the queue."""
        target = self._stack.target
        bus = "" if bus_name == DEFAULT_BUS else f"{bus_name}/"
        return f"arn:{target.partition}:events:{target.region}:{target.account}:rule/{bus}{self._rule_name}"

    def _make_rule(self, bus_name: str, pattern: Mapping[str, Any]) -> CloudwatchEventRule:
        rule = CloudwatchEventRule(
            self,
            "rule",
            name=self._rule_name,
            description=f"Events for {self._stack.service}/{self.name}",
            event_bus_name=bus_name,
            event_pattern=json.dumps(pattern, sort_keys=True, separators=(",", ":")),
        )
        CloudwatchEventTarget(
            self,
            "target",
            target_id="queue",
            rule=rule.name,
            event_bus_name=bus_name,
            arn=self.queue.arn,
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=_DAY_SECONDS, maximum_retry_attempts=_MOST_RETRIES
            ),
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=self.dead_letters.arn),
        )
        return rule
