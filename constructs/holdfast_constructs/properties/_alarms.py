"""The properties that alarms and their sets have in common."""

from holdfast_constructs.properties import Property, Theme

ALERTS = Property(
    why="who is told, and where the runbooks are; without a route of its severity no alarm is made",
    controls=("FSBP CloudWatch.15",),
    theme=Theme.OBSERVED,
)
RUNBOOK = Property(why="what to do when it fires; without its file, an owner and a deputy no alarm is made")
OWNER = Property(why="who answers for it where that is not whom the runbook names")
DASHBOARD = Property(why="what its description links to; without it the page of the alarm itself")
OF_A_SET = {"runbook": RUNBOOK, "owner": OWNER, "dashboard": DASHBOARD}
SEVERITY = Property(why="whom it wakes and how soon the next one is called")
REASON = Property(why="why the threshold is what it is: the person who is woken asks that first")
NOTIFY = Property(why="False for the parts of a composite alarm, so that one cause is told once")
LOAD_BALANCER = Property(why="its ARN suffix, the dimension of its metrics")
TARGET_GROUP = Property(why="its ARN suffix: on a shared load balancer only this service's requests count")


def diagram(*lines: str) -> str:
    """Return the drawing of a set: its signals, and the alarms on them."""
    return "\n" + "\n".join(lines) + "\n"
