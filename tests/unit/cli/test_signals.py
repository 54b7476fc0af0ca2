import signal
import threading
from queue import SimpleQueue

import pytest

from holdfast_orchestrator.cli._signals import heeding_signals
from holdfast_orchestrator.events import StopRequested
from holdfast_orchestrator.system.stop import StopSignal, Urgency

PATIENCE_SECONDS = 10


def test_signals_are_heeded_while_the_main_thread_sleeps() -> None:
    # The kernel may hand a signal to any thread, and one that comes just before the main thread falls asleep
    # does not wake it: Python's own handlers run only when something else does.
    stop, said, interrupted = StopSignal(), SimpleQueue[StopRequested](), SimpleQueue[None]()

    def press() -> None:
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
            said.get(timeout=PATIENCE_SECONDS)

    pressing = threading.Thread(target=press)
    with heeding_signals(stop, said.put), stop.guarding(), stop.interrupting(lambda: interrupted.put(None)):
        pressing.start()
        interrupted.get(timeout=PATIENCE_SECONDS)

    pressing.join()
    assert stop.urgency is Urgency.INTERRUPT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_where_nothing_is_at_stake(number: signal.Signals) -> None:
    stop = StopSignal()

    with pytest.raises(KeyboardInterrupt), heeding_signals(stop, said_nothing):
        signal.raise_signal(number)

    assert not stop.asked


def test_a_signal_after_the_end_does_nothing() -> None:
    stop = StopSignal()

    with heeding_signals(stop, said_nothing):
        with stop.guarding():
            pass
        signal.raise_signal(signal.SIGINT)

    assert not stop.asked


def test_a_closed_terminal_stops_nothing() -> None:
    stop = StopSignal()

    with heeding_signals(stop, said_nothing), stop.guarding():
        signal.raise_signal(signal.SIGHUP)

    assert not stop.asked


def test_other_signals_and_their_handlers_are_left_alone() -> None:
    stop, alarms = StopSignal(), SimpleQueue[int]()
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: alarms.put(number))
    stopping = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    try:
        with heeding_signals(stop, said_nothing), stop.guarding():
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert alarms.get(timeout=PATIENCE_SECONDS) == signal.SIGUSR1
    assert not stop.asked
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == stopping


def said_nothing(event: StopRequested) -> None:
    pytest.fail(f"said {event.message!r}")
