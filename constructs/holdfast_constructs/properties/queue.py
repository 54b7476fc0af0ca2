"""The properties of `Queue`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
sender ──▶ queue ── receive ──▶ consumer
             └── after max_receives attempts ──▶ dead letters
"""

PROPERTIES = {
    "key": Property(
        why="without it SQS uses its own; AWS services deliver with one for messages",
        controls=("CKV_AWS_27", "FSBP SQS.1"),
        theme=Theme.ENCRYPTED,
    ),
    "fifo": Property(why="order in a group of messages, with less throughput"),
    "deduplicate_by_content": Property(why="takes equal messages within five minutes for one"),
    "high_throughput": Property(why="limits count for each group of messages, and not for the queue"),
    "visibility_seconds": Property(why="longer than the work on a message takes, or it is done twice"),
    "retention_days": Property(
        why="a dead letter keeps the age of its message, so that 14 days would leave no time to read it",
        theme=Theme.RECOVERABLE,
    ),
    "delay_seconds": Property(why="messages can be received at once unless told otherwise"),
    "wait_seconds": Property(why="a consumer that finds nothing is held, and asks and pays less often"),
    "max_receives": Property(
        why="a message that nobody can handle stops being tried", theme=Theme.RECOVERABLE
    ),
}

ALWAYS = (
    Always(
        resource="aws_sqs_queue",
        argument="message_retention_seconds",
        value=1_209_600,
        part="dead-letter",
        why="two weeks to look at what could not be handled",
        theme=Theme.RECOVERABLE,
    ),
    Always(
        resource="aws_sqs_queue",
        argument="redrive_allow_policy.redrivePermission",
        value="byQueue",
        part="dead-letter",
        why="no other queue may leave its dead letters there",
        theme=Theme.ACCESS,
    ),
)
