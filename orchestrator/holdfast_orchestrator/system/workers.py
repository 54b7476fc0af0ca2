"""Threads and pools of threads that make do with what the machine has.

A machine may refuse a thread at any moment: too little memory, too many processes. A pool then goes on with
the threads it has, or does the work itself; only a thread that is needed for its own sake is an error.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from holdfast_orchestrator.errors import MachineError

T = TypeVar("T")
Worker = threading.Thread


class WorkerPool(ThreadPoolExecutor):
    """A pool that uses fewer threads where the machine refuses one; without any, `submit` does the work."""

    def __init__(self, max_workers: int, thread_name_prefix: str = "") -> None:
        super().__init__(max_workers, thread_name_prefix)
        self._submitting = threading.Lock()

    def submit(self, work: Callable[..., T], /, *args: Any, **named: Any) -> Future[T]:
        """Return the future of a call; it has been made already where no thread could be started."""
        with self._submitting:
            try:
                return super().submit(work, *args, **named)
            except MachineError:
                # What was queued for a thread that never came.
                self._work_queue.get_nowait()
        future: Future[T] = Future()
        settle(future, work, *args, **named)
        return future

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except (RuntimeError, MemoryError) as error:
            if not self._threads:
                raise MachineError.behind(error) or error from None


def settle(future: Future[T], work: Callable[..., T], *args: Any, **named: Any) -> None:
    """Do work here and now, and let its future have the result, or what it raised."""
    try:
        future.set_result(work(*args, **named))
    except BaseException as error:  # noqa: BLE001 - as a pool's thread does it
        future.set_exception(error)


def start_worker(target: Callable[..., object], *args: object, name: str) -> threading.Thread:
    """Start a thread that ends with the process. Raises MachineError where the machine refuses it."""
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        raise MachineError.behind(error) or error from None
    return thread


def start_helper(target: Callable[..., object], *args: object, name: str) -> threading.Thread | None:
    """Start a thread for work that only saves time; None where the machine refuses it."""

    def work() -> None:
        # Out of memory, say: the code that needs the result does the work again, and gets the error.
        with suppress(Exception):
            target(*args)

    try:
        return start_worker(work, name=name)
    except MachineError:
        return None
