"""Tells an error of the app's own from one that a pruned copy may have caused.

What JavaScript throws on purpose (`There is already a Construct with name "vpc"`) is the app's. All else may
be the copy's: an error of jsii itself, Node gone, and errors of JavaScript that show that something is
missing, or that were thrown by the bindings' own code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_THROWN_ON_PURPOSE = re.compile(r"Error: (?!Cannot find module)")
_FRAME = re.compile(r"^\s*at .*", re.MULTILINE)


def is_one(error: Exception, packages: Iterable[str]) -> bool:
    """Whether the error may come from a pruned copy of one of these jsii packages."""
    stack = getattr(error.__cause__, "stack", None)
    if type(error) is not RuntimeError or stack is None or not _THROWN_ON_PURPOSE.match(stack):
        return True
    innermost = _FRAME.search(stack)
    places = ("@holdfast", *packages)
    return innermost is not None and any(f"/node_modules/{place}/" in innermost[0] for place in places)
