"""Ways to people: e-mail, an https endpoint such as PagerDuty's, a channel of Slack, a queue."""

import re
from dataclasses import dataclass

from holdfast_constructs._secrets import known_secrets
from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.messaging.queue import Queue

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Keys of PagerDuty are 32 letters and digits, those of Opsgenie UUIDs.
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z0-9]{28,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![A-Za-z0-9])"
)
# AWS Chatbot API Reference, CreateSlackChannelConfiguration.
_TEAM, _CHANNEL = re.compile(r"[0-9A-Z]{1,255}"), re.compile(r"[A-Za-z0-9]{1,255}")


@checked
@dataclass(frozen=True, slots=True)
class EmailRoute:
    """An e-mail for each alarm. SNS asks the receiver by e-mail to confirm; until then nothing is sent."""

    address: str

    def __post_init__(self) -> None:
        if not is_text_token(self.address) and _ADDRESS.fullmatch(self.address) is None:
            raise ConstructError("address", got=self.address, allowed="an e-mail address")


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsRoute:
    """An endpoint that SNS posts to, such as those of PagerDuty and Opsgenie.

    Their addresses have a key in them: such a one is not written in code, but kept as a SecureString in
    Systems Manager, whose name is `parameter`. `confirms_itself` says that the endpoint answers SNS's
    question whether it wants messages, as both of these do; Terraform waits for that answer.
    """

    url: str | None = None
    parameter: str | None = None
    confirms_itself: bool = True

    def __post_init__(self) -> None:
        if (self.url is None) == (self.parameter is None):
            raise ConstructError("an HttpsRoute", allowed="given either url or parameter")
        if self.url is None or is_text_token(self.url):
            return
        if _KEY.search(self.url) or any(known_secrets(self.url)):
            raise ConstructError(
                "the url of an HttpsRoute has a key in it",
                next_step='keep it as a SecureString in Systems Manager, and write parameter="/its/name"',
            )
        if not self.url.startswith("https://"):
            raise ConstructError("url", got=self.url, allowed="one that begins with https://")


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class SlackRoute:
    """A channel of Slack, through Amazon Q Developer in chat applications (before: AWS Chatbot).

    Somebody authorizes the workspace once, in the console; `team_id` is its id (T…), `channel_id` the
    channel's (C…). A person who writes to the bot can read, and nothing else.
    """

    team_id: str
    channel_id: str

    def __post_init__(self) -> None:
        if _TEAM.fullmatch(self.team_id) is None:
            raise ConstructError(
                "team_id", got=self.team_id, allowed="capitals and digits, such as T0123ABCD"
            )
        if _CHANNEL.fullmatch(self.channel_id) is None:
            raise ConstructError(
                "channel_id",
                got=self.channel_id,
                allowed="letters and digits, such as C0123ABCD",
                next_step="Slack shows it below the details of the channel; a name such as #alarms is none",
            )


@checked
@dataclass(frozen=True, slots=True)
class QueueRoute:
    """A queue of ours that gets each message, in SNS's envelope."""

    queue: Queue

    def __post_init__(self) -> None:
        if self.queue.fifo:
            raise ConstructError(
                f"queue {self.queue.name} is FIFO, and topics of alarms keep no order",
                next_step="give it a queue without fifo",
            )


Route = EmailRoute | HttpsRoute | SlackRoute | QueueRoute
