"""Where alarms go: a topic for each severity, the ways from it to people, and whom to call after how long.

alarm, event, budget, backup ──▶ topic of its severity ──▶ e-mail, PagerDuty, Slack, queue
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cdktf_cdktf_provider_aws.chatbot_slack_channel_configuration import ChatbotSlackChannelConfiguration
from cdktf_cdktf_provider_aws.data_aws_ssm_parameter import DataAwsSsmParameter
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Target
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.messaging.topic import Topic
from holdfast_constructs.naming import aws_name
from holdfast_constructs.observability.responsibility import (
    DEFAULT_ESCALATION,
    SEVERITIES,
    Escalation,
    Runbook,
    Severity,
    read_runbook,
)
from holdfast_constructs.observability.routes import EmailRoute, HttpsRoute, QueueRoute, Route, SlackRoute
from holdfast_constructs.security._any_key import AnyKey
from holdfast_constructs.security.policy import Statement, assumed_by, policy_json

# Amazon SNS: words that people see as the sender.
_DISPLAY = "{service} {environment} {severity}"
# AWS managed policy: what may be asked for from a channel at most, whatever its role allows.
_GUARDRAIL = "policy/ReadOnlyAccess"
# Amazon CloudWatch: what the bot needs to show the graph of an alarm.
_SHOW = ("cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*")
_CHATBOT = "chatbot.amazonaws.com"


@checked
class Alerts(Construct):
    """Encrypted topics by severity, which AWS's services may publish to, and the ways from there to people.

    `routes` says for each severity where its messages go, `escalation` whom to call after how many minutes:
    both have the same severities (`sev1`, `sev2`, `sev3`, `security`). CloudWatch's alarms, EventBridge's
    rules, budgets, cost anomalies and AWS Backup of this account may publish. `key` is a Key with the
    purpose `messages`. `runbooks` is the folder of the runbooks in the project, `runbooks_url` where people
    read them: it comes before the file in an alarm's description. Raises ConstructError for a severity
    without a route, and for a route twice.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: AnyKey,
        routes: Mapping[Severity, Sequence[Route]],
        escalation: Mapping[Severity, Escalation] | None = None,
        runbooks: str = "docs/runbooks",
        runbooks_url: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.escalation = _matching(routes, escalation)
        self._stack = ServiceStack.of(self)
        self._runbooks, self._url = runbooks.strip("/"), runbooks_url
        self.topics: dict[Severity, Topic] = {
            severity: self._make_topic(severity, key) for severity in SEVERITIES if severity in routes
        }
        for severity, topic in self.topics.items():
            for route in routes[severity]:
                self._lead(severity, topic, route)
        self.channels = self._make_channels(routes)

    def topic(self, severity: Severity) -> Topic:
        """Return the topic of a severity; raises ConstructError for one without a route."""
        if severity not in self.topics:
            raise ConstructError(
                f"severity {severity} has no route in {self.node.id}",
                next_step=f'add "{severity}": [EmailRoute("…")] to its routes',
            )
        return self.topics[severity]

    def runbook(self, name: str, *, alarm: str) -> Runbook:
        """Return the runbook `name` of the folder; raises ConstructError without file, owner or deputy."""
        return read_runbook(f"{self._runbooks}/{name}", alarm=alarm, project=Path.cwd())

    def runbook_link(self, runbook: Runbook) -> str:
        """Return what people open: the file, after `runbooks_url` where that is given."""
        return runbook.file if self._url is None else f"{self._url.rstrip('/')}/{runbook.file}"

    def _make_topic(self, severity: Severity, key: AnyKey) -> Topic:
        target = self._stack.target
        display = _DISPLAY.format(
            service=self._stack.service, environment=target.environment, severity=severity
        )
        topic = Topic(self, f"{self.node.id}-{severity}", key=key, display_name=display[:100])
        for name, (service, source) in _senders(target).items():
            topic.allow_service(name, service, source_arn=source)
        return topic

    def _lead(self, severity: Severity, topic: Topic, route: Route) -> None:
        match route:
            case QueueRoute():
                topic.subscribe(route.queue, raw=False)
            case EmailRoute():
                self._subscribe(severity, topic, "email", route.address, route.address)
            case HttpsRoute():
                endpoint = self._parameter(route.parameter) if route.parameter else route.url or ""
                told = route.parameter or endpoint
                self._subscribe(
                    severity, topic, "https", endpoint, told, confirms_itself=route.confirms_itself
                )

    def _subscribe(
        self,
        severity: Severity,
        topic: Topic,
        protocol: str,
        endpoint: str,
        told: str,
        *,
        confirms_itself: bool | None = None,
    ) -> None:
        id_ = f"{severity}-{protocol}-{_short(told)}"
        if self.node.try_find_child(id_) is not None:
            raise ConstructError(f"{told} is a route of {severity} twice", next_step="remove one of the two")
        SnsTopicSubscription(
            self,
            id_,
            topic_arn=topic.arn,
            protocol=protocol,
            endpoint=endpoint,
            endpoint_auto_confirms=confirms_itself,
        )

    def _parameter(self, name: str) -> str:
        id_ = f"parameter-{_short(name)}"
        found = self.node.try_find_child(id_)
        if isinstance(found, DataAwsSsmParameter):
            return found.value
        return DataAwsSsmParameter(self, id_, name=name, with_decryption=True).value

    def _make_channels(
        self, routes: Mapping[Severity, Sequence[Route]]
    ) -> list[ChatbotSlackChannelConfiguration]:
        """Make one configuration for each channel, as Amazon Q Developer asks."""
        channels: dict[SlackRoute, list[Topic]] = {}
        for severity, topic in self.topics.items():
            for route in routes[severity]:
                if isinstance(route, SlackRoute):
                    channels.setdefault(route, []).append(topic)
        role = self._make_role() if channels else None
        return [
            self._make_channel(role, route, topics) for route, topics in channels.items() if role is not None
        ]

    def _make_channel(
        self, role: IamRole, route: SlackRoute, topics: Sequence[Topic]
    ) -> ChatbotSlackChannelConfiguration:
        target, service = self._stack.target, self._stack.service
        return ChatbotSlackChannelConfiguration(
            self,
            f"slack-{_short(route.team_id + route.channel_id)}",
            configuration_name=aws_name(
                "chat_configuration", target, service, self.node.id, route.channel_id
            ),
            iam_role_arn=role.arn,
            slack_team_id=route.team_id,
            slack_channel_id=route.channel_id,
            sns_topic_arns=[topic.arn for topic in dict.fromkeys(topics)],
            guardrail_policy_arns=[f"arn:{target.partition}:iam::aws:{_GUARDRAIL}"],
            logging_level="ERROR",
        )

    def _make_role(self) -> IamRole:
        target, service = self._stack.target, self._stack.service
        role = IamRole(
            self,
            "slack-role",
            name=aws_name("role", target, service, self.node.id, "slack"),
            description=f"Shows graphs of alarms of {service} in Slack",
            assume_role_policy=policy_json(self, "slack-trust", assumed_by(_CHATBOT)),
        )
        show = Statement(sid="ShowGraphs", actions=_SHOW)
        IamRolePolicy(
            self,
            "slack-permissions",
            name="show-graphs",
            role=role.id,
            policy=policy_json(self, "slack-show", show),
        )
        return role


def _matching(
    routes: Mapping[Severity, Sequence[Route]], escalation: Mapping[Severity, Escalation] | None
) -> Mapping[Severity, Escalation]:
    """Return the escalation of each severity; raises ConstructError unless each has a route and steps."""
    if not routes:
        raise ConstructError("routes", got={}, allowed="a route for each severity that alarms have")
    if escalation is None:
        escalation = {severity: DEFAULT_ESCALATION[severity] for severity in routes}
    for severity in escalation:
        if not routes.get(severity):
            raise ConstructError(
                f"severity {severity} of escalation has no route",
                next_step=f'add "{severity}": [EmailRoute("…")] to routes, or remove it from escalation',
            )
    for severity, ways in routes.items():
        if severity not in escalation:
            raise ConstructError(
                f"severity {severity} of routes has no steps in escalation",
                next_step=f'add "{severity}": Escalation((Step("primary on-call", 0),))',
            )
        if not ways:
            raise ConstructError(f"routes[{severity!r}]", got=[], allowed="at least one way to somebody")
    return dict(escalation)


def _senders(target: Target) -> Mapping[str, tuple[str, str | None]]:
    """Return who may publish, by a name: the service, and the ARNs on behalf of which.

    Each from its own page of AWS's documentation of who may publish to a topic. EventBridge sends no
    account, so that its rules are told by their ARNs alone; cost anomalies and backups have only the
    account.
    """
    partition, region, account = target.partition, target.region, target.account
    return {
        "alarms": ("cloudwatch.amazonaws.com", f"arn:{partition}:cloudwatch:{region}:{account}:alarm:*"),
        "rules": ("events.amazonaws.com", f"arn:{partition}:events:{region}:{account}:rule/*"),
        "budgets": ("budgets.amazonaws.com", f"arn:{partition}:budgets::{account}:*"),
        "cost-anomalies": ("costalerts.amazonaws.com", None),
        "backups": ("backup.amazonaws.com", None),
    }


def _short(text: str) -> str:
    """Return letters that stand for an endpoint in an id, the same in each run."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{words[:24].strip('-')}-{digest}"
