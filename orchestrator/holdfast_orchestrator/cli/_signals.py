"""Ctrl-C and SIGTERM (CI cancels so) of this process, turned into the demands of a `StopSignal`."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from holdfast_orchestrator.events import StopRequested
from holdfast_orchestrator.system.stop import StopSignal, Urgency
from holdfast_orchestrator.system.workers import start_worker

_MESSAGES = {
    Urgency.FINISH: "stopping: nothing new starts, what runs is left to finish (again: interrupt Terraform)",
    Urgency.INTERRUPT: "interrupting: Terraform ends its current calls and saves its state; please wait",
}
_AGAIN = "already interrupting; Terraform is saving its state, please wait"
_STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heeding_signals(stop: StopSignal, emit: Callable[[StopRequested], object]) -> Iterator[None]:
    """While inside, each signal asks `stop` once more and says so; a closed terminal stops nothing.

    Before anything is at stake a signal raises KeyboardInterrupt; once the last of it has ended, none does
    anything. Does nothing outside the main thread, which alone gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, tripped = os.pipe()
    os.set_blocking(tripped, False)
    teller = start_worker(_ask_for_each, heard, stop, emit, name="signals")

    def handle(_number: int, _frame: object) -> None:
        # What is at stake is the teller's: it hears of a signal at once. This thread hears of it only when it
        # next wakes, and where the signal came just before it fell asleep that is when something has ended.
        if not stop.at_stake and not stop.is_over:
            raise KeyboardInterrupt

    handlers: dict[signal.Signals, Any] = {
        **dict.fromkeys(_STOPPING, handle),
        signal.SIGHUP: signal.SIG_IGN,
    }
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    woken_before = signal.set_wakeup_fd(tripped, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(tripped)
        teller.join()
        os.close(heard)


def _ask_for_each(heard: int, stop: StopSignal, emit: Callable[[StopRequested], object]) -> None:
    """Ask `stop`, and say so, for each signal whose number the pipe brings, until its other end is closed."""
    while number := os.read(heard, 1):
        if number[0] not in _STOPPING or not stop.at_stake:
            continue
        before = stop.urgency
        urgency = stop.ask()
        message = _AGAIN if before is Urgency.INTERRUPT else _MESSAGES[urgency]
        emit(StopRequested(urgency=int(urgency), message=message))
