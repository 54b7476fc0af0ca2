"""What Ctrl-C and SIGTERM do to this process where no run heeds them: they end it, until a run is over.

From then on the process only reports what came of the run. An interrupt there would say that nothing was
changed, or end the process by the signal, and its exit code would be another than that of the run.
"""

import signal
import threading

STOPPING = (signal.SIGINT, signal.SIGTERM)
# Set once the last change of a run was made.
run_is_over = threading.Event()


def interrupt_at_signals() -> None:
    """Let both signals raise KeyboardInterrupt in this process, unless a run is over.

    A shell starts jobs in the background with SIGINT ignored, and that stays.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


def ignore_signals() -> None:
    """Let both signals do nothing: Python's own ending would take the default, which kills."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: object) -> None:
    if not run_is_over.is_set():
        raise KeyboardInterrupt
