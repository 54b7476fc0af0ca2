"""Names of queues and topics: those that keep the order end in `.fifo`."""

from holdfast_constructs.app.target import Target
from holdfast_constructs.naming import LIMITS, Kind, aws_name, limited

SUFFIX = ".fifo"


def message_name(kind: Kind, target: Target, service: str, *parts: str, fifo: bool) -> str:
    """Return the name of a queue or a topic, within its limit with the suffix that FIFO asks for."""
    name = aws_name(kind, target, service, *parts)
    return f"{limited(name, LIMITS[kind] - len(SUFFIX))}{SUFFIX}" if fifo else name
