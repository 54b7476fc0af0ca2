"""The properties of `Alerts`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
alarms, rules of EventBridge, budgets, cost anomalies, backups
   └──▶ topic of the severity (encrypted) ──▶ e-mail, PagerDuty or Opsgenie, Slack, queue
"""

PROPERTIES = {
    "key": Property(
        why="SNS has no key of its own that AWS services could publish with: messages would be lost",
        controls=("CKV_AWS_26",),
        theme=Theme.ENCRYPTED,
    ),
    "routes": Property(why="a severity without a way to somebody would be silence", theme=Theme.OBSERVED),
    "escalation": Property(why="whom to call next, and when; by default that of responsibility.py"),
    "runbooks": Property(why="the folder in the project; each alarm's runbook is looked for in it"),
    "runbooks_url": Property(why="comes before the file in descriptions, so that people can open it"),
}

ALWAYS = (
    Always(
        resource="aws_sns_topic",
        argument="signature_version",
        value=2,
        why="what is delivered is signed with SHA-256, not with SHA-1",
        theme=Theme.IN_TRANSIT,
    ),
)
