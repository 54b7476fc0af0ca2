"""Pools and threads on a machine that refuses threads or memory, or has no room left."""

import errno
import threading
from pathlib import Path

import pytest

from holdfast_orchestrator.cli import invoke
from holdfast_orchestrator.errors import HoldfastError, MachineError, UsageError
from holdfast_orchestrator.system.workers import WorkerPool, start_helper, start_worker
from holdfast_orchestrator.testing import captured_terminal, refusing_runtime


def refuse_threads_after(number: int, monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[str]:
    """Let `number` more threads start, and none after them; return the names of those that were refused."""
    start, begun, refused = threading.Thread.start, [0], list[str]()

    def limited(thread: threading.Thread) -> None:
        if begun[0] >= number:
            refused.append(thread.name)
            raise error
        begun[0] += 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    return refused


REFUSALS = [RuntimeError("can't start new thread"), MemoryError()]


@pytest.mark.parametrize("error", REFUSALS, ids=["threads", "memory"])
@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_a_pool_does_all_of_its_work_once_with_the_threads_that_it_gets(
    allowed: int, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = refuse_threads_after(allowed, monkeypatch, error)
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return number * number

    with WorkerPool(8, "test") as pool:
        futures = [pool.submit(work, number) for number in range(30)]

        assert [future.result(timeout=20) for future in futures] == [number**2 for number in range(30)]
    assert sorted(done) == list(range(30))
    assert refused


def test_what_fails_in_a_pool_without_threads_is_the_futures_own(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_threads_after(0, monkeypatch, REFUSALS[0])

    with WorkerPool(2) as pool:
        future = pool.submit(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        future.result()


def test_a_thread_that_is_needed_is_an_error_with_a_reason_and_a_helper_is_done_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuse_threads_after(0, monkeypatch, REFUSALS[0])

    assert start_helper(print, name="helper") is None
    with pytest.raises(MachineError, match="no more threads") as refused:
        start_worker(print, name="worker")
    assert "--max-parallel 1" in str(refused.value)


def test_a_helper_that_fails_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    helper = start_helper(int, "no number", name="helper")

    assert helper is not None
    helper.join()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("can't start new thread"), "threads"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "ulimit -u"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (OSError(errno.ENOSPC, "No space left on device", "/place"), "/place"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "quota"),
        (OSError(errno.EROFS, "Read-only file system"), "HOLDFAST_CACHE_DIR"),
        (ImportError("x.so: failed to map segment from shared object"), "memory"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_machine_refuses_is_no_defect(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr("holdfast_orchestrator.api.project.Project.load", refuse)
    terminal = captured_terminal()

    code = invoke(["list"], refusing_runtime(terminal=terminal, cwd=Path("/")))

    said = terminal.err.getvalue()  # type: ignore[attr-defined]
    assert code == 1, said
    assert words in said
    assert "  next: " in said


def test_a_defect_stays_one_even_while_an_error_of_the_machine_is_handled() -> None:
    defect = KeyError("x")
    defect.__context__ = OSError(errno.ENOSPC, "No space left on device")
    caused = RuntimeError("wrapped")
    caused.__cause__ = MemoryError()

    assert MachineError.behind(defect) is None
    assert MachineError.behind(caused) is not None
    assert MachineError.behind(UsageError("no")) is None
    assert isinstance(MachineError.behind(MachineError("so")), HoldfastError)
