"""Keeps the attributes of a block: a class derived from it that sets one of them by chance would break it.

`self.service = WebService(…)` in a stack would replace the name of the stack's service, and fail much later.
"""

import inspect
import re
import sys
from typing import Any

from holdfast_constructs.checking.kinds import with_article
from holdfast_constructs.errors import ConstructError

_OURS = "holdfast_constructs."
_MINE = "_holdfast_attributes"


def guard(block: type) -> None:
    """Make a class of constructs refuse that others than Holdfast set its attributes; leave other classes."""
    if not is_construct(block):
        return
    parent: Any = block.__setattr__

    def set_attribute(self: Any, name: str, value: object) -> None:
        if not name.startswith("__"):
            caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - microseconds
            _check(block, self, name, value, ours=caller.startswith(_OURS))
        parent(self, name, value)

    setattr(block, "__setattr__", set_attribute)  # noqa: B010 - mypy allows no assignment to it


def _check(block: type, thing: Any, name: str, value: object, *, ours: bool) -> None:
    mine: set[str] = vars(thing).setdefault(_MINE, set())
    taken = name in vars(thing)
    if ours and taken and name not in mine:
        raise ConstructError(
            f"self.{name} of {type(thing).__name__} was set before super().__init__(…), and {block.__name__}"
            " has an attribute of that name",
            next_step=_another_name(thing, name, getattr(thing, name)),
        )
    if ours:
        mine.add(name)
    elif name in mine or (not taken and _is_of(block, name)):
        what = "a method" if callable(inspect.getattr_static(block, name, None)) else "an attribute"
        raise ConstructError(
            f"self.{name} of {type(thing).__name__} is {what} of {with_article(block.__name__)} already, and"
            " must not be set",
            next_step=_another_name(thing, name, value),
        )


def is_construct(kind: type) -> bool:
    """Whether a class is one of constructs."""
    # Settings and images are read by programs that build nothing; where this is not loaded, nothing is one.
    constructs: Any = sys.modules.get("constructs")
    return constructs is not None and issubclass(kind, constructs.Construct)


def _is_of(block: type, name: str) -> bool:
    """Whether a class has a member of this name that may not be assigned to."""
    member = inspect.getattr_static(block, name, None)
    return member is not None and not (isinstance(member, property) and member.fset is not None)


def _another_name(thing: object, name: str, value: object) -> str:
    kind = type(value)
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()
    other = snake if is_construct(kind) and snake != name and not hasattr(thing, snake) else f"my_{name}"
    return f"give it another name, such as self.{other}"
