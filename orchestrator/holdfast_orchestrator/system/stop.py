"""Ctrl-C as a value: how urgently a run was asked to stop, and whom that concerns.

Asked once, nothing new starts and what runs is left to finish. Asked a second time, each running
Terraform gets its one SIGINT. Asked again, nothing more happens: a further signal would lose state.
The command line sets signals up; everything below knows only this value.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum


class Urgency(IntEnum):
    """What has been asked for so far."""

    NONE = 0
    FINISH = 1
    INTERRUPT = 2


class StopSignal:
    """Asked from any thread but not from a signal handler, read by the scheduler and the shards."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._urgency = Urgency.NONE
        self._interrupters: list[Callable[[], object]] = []
        self._at_stake = 0
        self._is_over = False

    @property
    def at_stake(self) -> bool:
        """Whether a run is under way that has to be brought to an orderly end."""
        return self._at_stake > 0

    @property
    def is_over(self) -> bool:
        """Whether such a run has come to its end and only has to report it."""
        return self._is_over and not self.at_stake

    @property
    def urgency(self) -> Urgency:
        """The strongest demand so far."""
        return self._urgency

    @property
    def asked(self) -> bool:
        """Whether nothing new may start."""
        return self._urgency > Urgency.NONE

    def ask(self) -> Urgency:
        """Ask once more; return what is in force now."""
        with self._lock:
            before = self._urgency
            self._urgency = Urgency(min(before + 1, Urgency.INTERRUPT))
            if before == Urgency.FINISH:
                for interrupt in self._interrupters:
                    interrupt()
            return self._urgency

    @contextmanager
    def guarding(self, *, is_last: bool = True) -> Iterator[None]:
        """While inside, something is at stake; after the last such part of a command, only its ending is."""
        with self._lock:
            self._at_stake += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_stake -= 1
                self._is_over |= is_last

    @contextmanager
    def interrupting(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """While inside, the second demand calls `interrupt`; at once where it was made before."""
        with self._lock:
            self._interrupters.append(interrupt)
            if self._urgency is Urgency.INTERRUPT:
                interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._interrupters.remove(interrupt)
