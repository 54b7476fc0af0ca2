"""Remembers which line of the app created an object, set a property, or made a stack depend on another.

jsii's own stack traces are of JavaScript and end in its runtime. The line is that of the innermost Python
frame which belongs to neither an installed package, the standard library nor Holdfast.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from jsii._kernel.types import CreateResponse, InvokeRequest, SetRequest

_NOT_THE_USERS = (
    str(Path(__file__).parent),
    f"{os.sep}holdfast_constructs{os.sep}",
    "site-packages",
    "dist-packages",
    str(Path(os.__file__).parent),
)

_is_users: dict[str, bool] = {}


class Lines:
    """The lines that asked for something, as `file:line`, by the reference of the object in the kernel."""

    def __init__(self) -> None:
        self._created: dict[str, str] = {}
        self._set: dict[tuple[str, str], str] = {}
        self._needs: dict[tuple[str, str], str] = {}

    def note(self, request: Any, response: Any) -> None:
        """Note the calling line of a request that was answered."""
        if isinstance(response, CreateResponse):
            self._created[response.ref] = calling_line()
        elif isinstance(request, SetRequest):
            self._set[request.objref.ref, _snake(request.property)] = calling_line()
        elif isinstance(request, InvokeRequest) and request.args:
            self._note_call(request.objref.ref, request.method, request.args[0])

    def creation(self, thing: Any) -> str:
        """Return the line that created an object; empty where it is not known."""
        return self._created.get(_reference(thing), "")

    def assignment(self, thing: Any, attribute: str) -> str:
        """Return the line that gave an attribute its value: that of an assignment, else of the creation."""
        return self._set.get((_reference(thing), attribute)) or self.creation(thing)

    def dependency(self, stack: Any, needed: Any) -> str | None:
        """Return the line that called `stack.add_dependency(needed)`; None where none did."""
        return self._needs.get((_reference(stack), _reference(needed)))

    def _note_call(self, reference: str, method: str, first: Any) -> None:
        if method == "addDependency":
            self._needs[reference, _reference(first)] = calling_line()
        elif method == "addOverride":
            self._set[reference, str(first).partition(".")[0]] = calling_line()
        elif method.startswith("put"):
            self._set[reference, _snake(method[3:]).lstrip("_")] = calling_line()


def calling_line() -> str:
    """Return the innermost line of the app on the stack as `file:line`; empty where there is none."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - a frame costs a hundredth of inspect.stack()
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def is_users(filename: str) -> bool:
    """Whether a file is the app's own."""
    if filename not in _is_users:
        _is_users[filename] = not (
            filename.startswith("<") or any(part in filename for part in _NOT_THE_USERS)
        )
    return _is_users[filename]


def _reference(thing: Any) -> str:
    return str(getattr(getattr(thing, "__jsii_ref__", None), "ref", ""))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
