"""The properties of `Topic`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
publisher ──▶ topic ──▶ queues that subscribe
                └── cannot be delivered ──▶ their dead letters
"""

PROPERTIES = {
    "key": Property(
        why="SNS has no key of its own that AWS services could publish with",
        controls=("CKV_AWS_26",),
        theme=Theme.ENCRYPTED,
    ),
    "fifo": Property(why="order in a group of messages, for queues that keep it"),
    "deduplicate_by_content": Property(why="takes equal messages within five minutes for one"),
    "display_name": Property(why="what people see who get its messages by e-mail"),
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
