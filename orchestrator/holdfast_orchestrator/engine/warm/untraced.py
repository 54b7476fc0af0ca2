"""Applies of which the gateway may not see everything that they change.

An apply that is not attached, that runs a provisioner, or that changes objects of other providers may change
what a plan of the same run has read, and nobody sees it. What was read before such an apply ended proves
nothing about what there is after it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast_orchestrator.terraform.reads import Reading


class Untraced:
    """The untraced applies of a run, for all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = self._ended = 0
        self._seen_by: dict[str, int] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """An untraced apply runs."""
        with self._lock:
            self._begun += 1
        try:
            yield
        finally:
            with self._lock:
                self._ended += 1

    def allows(self, reading: Reading) -> bool:
        """Say whether reads may be remembered now, or recalled: whether no untraced apply came between."""
        with self._lock:
            if self._begun != self._ended:
                self._seen_by.pop(reading.key, None)
                return False
            if not reading.recalls:
                self._seen_by[reading.key] = self._begun
            return self._seen_by.get(reading.key) == self._begun
