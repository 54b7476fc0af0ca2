"""Turns Ctrl-C and SIGTERM (which CI sends to cancel) into requests to a `StopSignal`."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from holdfast_orchestrator.cli._interrupts import STOPPING, run_is_over
from holdfast_orchestrator.events import StopRequested
from holdfast_orchestrator.system.stop import StopSignal, Urgency
from holdfast_orchestrator.system.workers import start_worker

_MESSAGES = {
    Urgency.FINISH: "stopping: nothing new starts, and running shards finish (again: interrupt Terraform)",
    Urgency.INTERRUPT: "interrupting: Terraform ends its current calls and saves its state; please wait",
}
_AGAIN = "already interrupting; Terraform is saving its state, please wait"


@contextmanager
def heeding_signals(stop: StopSignal, emit: Callable[[StopRequested], object]) -> Iterator[None]:
    """While inside, each signal asks `stop` once more and emits an event; a closed terminal stops nothing.

    Before a run changes anything, a signal raises KeyboardInterrupt; after its last change, a signal does
    nothing. Outside the main thread, which alone gets signals, this function does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading_end, writing_end = os.pipe()
    os.set_blocking(writing_end, False)
    worker = start_worker(_ask_for_each, reading_end, stop, emit, name="signals")

    def handle(_number: int, _frame: object) -> None:
        # During changes the worker thread acts, because it gets the signal at once. This thread gets it only
        # when it next wakes, which may be after a shard has ended.
        if not stop.at_stake and not stop.is_over:
            raise KeyboardInterrupt

    handlers: dict[signal.Signals, Any] = {
        **dict.fromkeys(STOPPING, handle),
        signal.SIGHUP: signal.SIG_IGN,
    }
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    previous_wakeup = signal.set_wakeup_fd(writing_end, warn_on_full_buffer=False)
    try:
        yield
    finally:
        if stop.is_over:
            run_is_over.set()
        signal.set_wakeup_fd(previous_wakeup)
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(writing_end)
        worker.join()
        os.close(reading_end)


def _ask_for_each(reading_end: int, stop: StopSignal, emit: Callable[[StopRequested], object]) -> None:
    """Ask `stop`, and emit an event, for each signal number in the pipe, until its other end is closed."""
    while number := os.read(reading_end, 1):
        if number[0] not in STOPPING or not stop.at_stake:
            continue
        before = stop.urgency
        urgency = stop.ask()
        message = _AGAIN if before is Urgency.INTERRUPT else _MESSAGES[urgency]
        emit(StopRequested(urgency=int(urgency), message=message))
