"""cdktf's tokens: they stand for values that are known only after a deploy, and are legal where those are.

A text is a text with a marker in it, a number is one that nobody writes, and a list has one such element. All
of them are recognized without asking cdktf.
"""

import struct

# The first two bytes of a number that stands for a number, and of one that stands for a list of them.
_MARKS = frozenset({b"\xfd\xff", b"\xfb\xff"})
_TEXT, _LIST = "{TfToken[", "#{TfToken["
# jsii's class for objects that no more is known of than their interfaces.
UNKNOWN_CLASS = "InterfaceDynamicProxy"


def is_number_token(value: object) -> bool:
    """Whether this is a number that cdktf puts something else in place of."""
    return isinstance(value, float) and struct.pack(">d", value)[:2] in _MARKS


def is_text_token(value: object) -> bool:
    """Whether a text has a part that cdktf puts something else in place of."""
    return isinstance(value, str) and _TEXT in value


def as_written(value: str) -> str:
    """Return a text so that Terraform keeps it as it is, a reference of cdktf unchanged."""
    return value if is_text_token(value) else value.replace("${", "$${").replace("%{", "%%{")


def is_list_token(value: object) -> bool:
    """Whether this is the one element of a list that cdktf puts another list in place of."""
    return isinstance(value, str) and value.startswith(_LIST)


def is_resolvable(value: object) -> bool:
    """Whether this is a token as an object, before it is made a text, a number or a list."""
    kind = type(value)
    has_its_members = hasattr(kind, "resolve") and hasattr(kind, "creation_stack")
    return has_its_members or (kind.__name__ == UNKNOWN_CLASS and hasattr(value, "resolve"))
