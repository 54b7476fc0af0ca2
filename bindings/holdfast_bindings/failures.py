"""Says more of an error than jsii: which references make a cycle, and what an app's own function raised.

Of an exception that a Python function raises (an aspect, a validation, a value that is computed late), jsii
hands only the text to JavaScript, and what comes back has lost the line. Here that exception is the cause.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsii._kernel

from holdfast_bindings import cycle
from holdfast_bindings.lines import Lines


class Failures:
    """Explains the errors of one Python process."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._lines = Lines()
        self._report = report
        self._raised: BaseException | None = None
        self._is_explaining = False
        self._remember_what_functions_raise()

    def note(self, request: Any, response: Any) -> None:
        """Note the user's line of a request that was answered."""
        self._lines.note(request, response)

    def explain(self, error: BaseException, request: Any) -> bool:
        """Give the error the cause that jsii lost, and report the cycle that it is about.

        Returns whether it certainly has nothing to do with how the bindings were loaded.
        """
        if self._is_explaining:
            return True
        self._is_explaining = True
        is_the_apps = False
        try:
            is_the_apps = self._give_cause(error)
            if (known := cycle.explain(str(error), request, self._lines)) is not None:
                self._report(f"cycle {json.dumps(known)}")
        except Exception as problem:  # noqa: BLE001 - the error itself is what counts
            self._report(f"unexplained {problem!r}")
        finally:
            self._is_explaining = False
        return is_the_apps

    def _give_cause(self, error: BaseException) -> bool:
        raised, self._raised = self._raised, None
        if raised is None or str(raised) not in str(error):
            return False
        last = error
        while last.__cause__ is not None:
            last = last.__cause__
        last.__cause__ = raised
        return True

    def _remember_what_functions_raise(self) -> None:
        original: Any = getattr(jsii._kernel, "_handle_callback", None)  # noqa: SLF001 - no public door
        if original is None:
            return

        def handle(kernel: Any, callback: Any) -> Any:
            try:
                return original(kernel, callback)
            except Exception as error:
                self._raised = error
                raise

        jsii._kernel._handle_callback = handle  # noqa: SLF001
