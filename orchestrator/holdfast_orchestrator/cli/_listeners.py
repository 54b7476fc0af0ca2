"""Who hears the events of a command: the terminal's view, and `--events FILE`."""

import threading
from typing import TextIO

from holdfast_orchestrator.events import Event, Listener
from holdfast_orchestrator.visible import json_text


class Listeners:
    """Hands events to several listeners, one event at a time; one that cannot write any more is left out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """Tell this one too from now on."""
        with self._lock:
            self._listeners.append(listener)

    def clear(self) -> None:
        """Tell nobody any more."""
        with self._lock:
            self._listeners.clear()

    def __call__(self, event: Event) -> None:
        with self._lock:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except OSError:
                    self._listeners.remove(listener)


class EventFile:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __call__(self, event: Event) -> None:
        self._file.write(json_text(event.to_json()) + "\n")
