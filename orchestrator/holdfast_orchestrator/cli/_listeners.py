"""The listeners of a command's events: the view on the terminal, and `--events FILE`.

A listener that fails gets no more events; the others get one notice of it. The exit code stays the same.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path

from holdfast_orchestrator.cli._outputs import write_all
from holdfast_orchestrator.events import Event, Listener, Notice
from holdfast_orchestrator.system.visible import json_text


class Listeners:
    """Hands events to several listeners, one event at a time; a listener that fails gets no more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._left_out: set[int] = set()

    def add(self, listener: Listener) -> None:
        """Hand events to this listener too, unless it has failed before."""
        with self._lock:
            if id(listener) not in self._left_out:
                self._listeners.append(listener)

    def clear(self) -> None:
        """Hand events to no listener any more."""
        with self._lock:
            self._listeners.clear()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - whatever a listener raises, the run goes on
                self._listeners.remove(listener)
                self._left_out.add(id(listener))
                reason = (error.strerror if isinstance(error, OSError) else None) or repr(error)
                self._tell(Notice(at=event.at, message=f"{named(listener)} gets no more events: {reason}"))


class EventFile:
    """The file of `--events`, open as a descriptor: nothing is buffered that could be lost later."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    def __call__(self, event: Event) -> None:
        write_all(self._descriptor, json_text(event.to_json()) + "\n")

    def close(self) -> None:
        """Close the file, and ignore a failure to close it."""
        with suppress(OSError):
            os.close(self._descriptor)


def named(listener: Listener) -> str:
    """Return the name of a listener in a sentence."""
    return f"--events {listener.path}" if isinstance(listener, EventFile) else "the screen"
