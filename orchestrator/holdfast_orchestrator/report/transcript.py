"""Keeps the output of a run as text for the audit trail."""

import io
import threading
from collections.abc import Callable

from holdfast_orchestrator.events import Event
from holdfast_orchestrator.report.lines import Lines


class Transcript:
    """Hands events on, and keeps them as lines; the audit trail redacts the text."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._lock = threading.RLock()
        self._text = io.StringIO()
        self._lines = Lines(self._text)

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._lines(event)
        self._emit(event)

    @property
    def text(self) -> str:
        """Everything so far."""
        with self._lock:
            return self._text.getvalue()
