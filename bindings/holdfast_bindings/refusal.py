"""Tells an error of the app's own from one that a pruned copy may have caused.

What JavaScript throws on purpose (`There is already a Construct named vpc`) is the app's, and so is what
Python raises where JavaScript calls it. All else may be the copy's: an error of jsii itself, Node gone, and
errors of JavaScript that show that something is missing, or that were thrown by the bindings' own code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_THROWN_ON_PURPOSE = re.compile(r"(?:@jsii/kernel\.RuntimeError: )?Error: (?!Cannot find |ENOENT)")
_FRAME = re.compile(r"^\s*at .*", re.MULTILINE)
_CALLBACK = ("KernelHost.callbackHandler", "KernelHost.completeCallback")


def is_one(error: Exception, packages: Iterable[str]) -> bool:
    """Whether the error may come from a pruned copy of one of these jsii packages."""
    stack = getattr(error.__cause__, "stack", None)
    if type(error) is not RuntimeError or stack is None:
        return True
    frame = _FRAME.search(stack)
    innermost = "" if frame is None else frame[0]
    if any(name in innermost for name in _CALLBACK):
        return False
    places = ("@holdfast", *packages)
    is_of_bindings = any(f"/node_modules/{place}/" in innermost for place in places)
    return is_of_bindings or not _THROWN_ON_PURPOSE.match(stack)
