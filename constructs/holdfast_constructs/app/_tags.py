"""What AWS allows of tags, which go on every resource of an environment."""

import re
from collections.abc import Mapping

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.errors import ConstructError

# AWS Tagging, "Best practices and strategies", "Tag naming limits": for most services alike.
MOST_TAGS, LONGEST_KEY, LONGEST_VALUE = 50, 128, 256
_TEXT = re.compile(r"[\w .:/=+@-]*")
# Service, Environment, ManagedBy, and the name that many resources have of their own.
_OWN = 4


def check_tags(tags: Mapping[str, str], project: str | None) -> None:
    """Raise ConstructError for tags that AWS refuses, or that leave no room for Holdfast's own."""
    room = MOST_TAGS - _OWN - (project is not None)
    if len(tags) > room:
        raise ConstructError("tags", got=f"{len(tags)} tags", allowed=f"at most {room} beside Holdfast's own")
    for key, value in tags.items():
        if not 1 <= len(key) <= LONGEST_KEY or key.lower().startswith("aws:") or not _TEXT.fullmatch(key):
            raise ConstructError(
                "the key of a tag",
                got=key,
                allowed=f"1-{LONGEST_KEY} letters, digits, spaces and _.:/=+-@, not beginning with aws:",
            )
        if not is_text_token(value) and (len(value) > LONGEST_VALUE or not _TEXT.fullmatch(value)):
            raise ConstructError(
                f"the tag {key}",
                got=value,
                allowed=f"at most {LONGEST_VALUE} letters, digits, spaces and _.:/=+-@",
            )
