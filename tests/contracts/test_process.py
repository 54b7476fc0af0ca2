"""What every program started through `process.py` can rely on, and what its starter can."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.system.process import Command, SystemProcesses

ENVIRON = {"PATH": os.environ["PATH"], "WORD": "hello"}


@pytest.fixture
def processes() -> SystemProcesses:
    return SystemProcesses()


def python(program: str, cwd: Path, **options: object) -> Command:
    code = textwrap.dedent(program)
    return Command(argv=(sys.executable, "-c", code), cwd=cwd, environ=ENVIRON, **options)  # type: ignore[arg-type]


def wait_for(path: Path, processes: SystemProcesses) -> None:
    ready = f"import time, os\nwhile not os.path.exists({str(path)!r}): time.sleep(0.01)"
    assert processes.run(python(ready, path.parent, timeout=60, on_timeout="kill"))


def wait_until_gone(pid: int, processes: SystemProcesses) -> None:
    deadline = time.monotonic() + 10
    while processes.birth(pid) is not None:
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.01)


def test_a_program_gives_back_its_output_its_errors_and_its_code(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    program = "import os, sys; print(os.environ['WORD']); print('no', file=sys.stderr); sys.exit(2)"

    completed = processes.run(python(program, tmp_path))

    assert (completed.stdout, completed.stderr, completed.code) == ("hello\n", "no\n", 2)
    assert not completed


def test_the_caller_says_which_codes_are_fine(processes: SystemProcesses, tmp_path: Path) -> None:
    assert processes.run(python("raise SystemExit(2)", tmp_path, accept=frozenset({0, 2})))


def test_only_the_environment_given_is_seen(processes: SystemProcesses, tmp_path: Path) -> None:
    completed = processes.run(python("import os; print('HOME' in os.environ)", tmp_path))

    assert completed.stdout == "False\n"


def test_a_program_starts_in_a_session_of_its_own_with_nothing_to_read(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    program = "import os, sys; print(os.getsid(0) == os.getpid(), repr(sys.stdin.read()))"

    completed = processes.run(python(program, tmp_path))

    assert completed.stdout == "True ''\n"


def test_a_hang_up_is_ignored_by_the_program_and_by_what_it_starts(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    program = """
        import os, signal, subprocess
        os.kill(os.getpid(), signal.SIGHUP)
        subprocess.run(["sh", "-c", "kill -HUP $$; echo alive"])
    """

    completed = processes.run(python(program, tmp_path))

    assert completed.code == 0
    assert completed.stdout == "alive\n"


def test_what_a_program_writes_is_private(processes: SystemProcesses, tmp_path: Path) -> None:
    processes.run(python("open('made', 'w').close()", tmp_path))

    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600


def test_output_goes_to_a_new_private_file_where_one_is_named(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    events = tmp_path / "events"
    program = "import os, stat; print(stat.S_ISREG(os.fstat(1).st_mode), stat.S_ISREG(os.fstat(2).st_mode))"

    completed = processes.run(python(program, tmp_path, stdout=events))

    assert completed.stdout == ""
    assert events.read_text() == "True True\n"
    assert stat.S_IMODE(events.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_that_is_there_already_is_not_written_to(
    processes: SystemProcesses, tmp_path: Path, kind: str
) -> None:
    events, other = tmp_path / "events", tmp_path / "other"
    other.write_text("precious")
    events.symlink_to(other) if kind == "link" else events.write_text("precious")

    with pytest.raises(OSError, match=r"File exists|symbolic link"):
        processes.run(python("print('x')", tmp_path, stdout=events))

    assert events.read_text() == "precious"


def test_a_program_that_is_not_there_is_named(processes: SystemProcesses, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="there is no program 'no-such-thing'"):
        processes.run(Command(argv=("no-such-thing",), cwd=tmp_path, environ=ENVIRON))


def test_an_interrupt_is_sent_once_however_often_it_is_asked_for(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    program = """
        import signal, time, pathlib
        count = 0
        def hear(number, frame):
            global count
            count += 1
        signal.signal(signal.SIGINT, hear)
        pathlib.Path("ready").touch()
        while count == 0: time.sleep(0.01)
        pathlib.Path("heard").touch()
        while not pathlib.Path("stop").exists(): time.sleep(0.01)
        print(count)
    """
    running = processes.start(python(program, tmp_path))
    wait_for(tmp_path / "ready", processes)
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(running.interrupt())) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(tmp_path / "heard", processes)
    running.interrupt()
    (tmp_path / "stop").touch()
    completed = running.wait()

    assert completed is not None
    assert completed.stdout == "1\n"
    assert sorted(answers) == [False] * 7 + [True]


def test_a_program_that_has_ended_is_not_interrupted(processes: SystemProcesses, tmp_path: Path) -> None:
    running = processes.start(python("pass", tmp_path))
    running.wait()

    assert not running.interrupt()


def test_a_process_that_somebody_else_started_is_interrupted_by_id_and_birth(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    program = """
        import pathlib, time
        try:
            pathlib.Path("ready").touch()
            time.sleep(60)
        except KeyboardInterrupt:
            print("heard")
    """
    running = SystemProcesses().start(python(program, tmp_path))
    wait_for(tmp_path / "ready", processes)

    strangers = processes.interrupt(running.pid, born="another time")
    asked = processes.interrupt(running.pid, born=processes.birth(running.pid) or "")
    completed = running.wait()

    assert (strangers, asked) == (False, True)
    assert completed is not None
    assert completed.stdout == "heard\n"
    assert not processes.interrupt(running.pid, born="another time")


def test_waiting_for_a_while_does_not_stop_a_program(processes: SystemProcesses, tmp_path: Path) -> None:
    program = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\nprint('done')"
    running = processes.start(python(program, tmp_path))

    assert running.wait(0.01) is None
    (tmp_path / "go").touch()
    completed = running.wait()

    assert completed is not None
    assert completed.stdout == "done\n"
    assert running.wait() is completed


def test_a_program_out_of_time_gets_one_sigint_and_all_the_time_it_needs(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    program = """
        import time
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(0.5)
            print("saved")
    """

    completed = processes.run(python(program, tmp_path, timeout=1.0))

    assert completed.timed_out
    assert not completed
    assert completed.stdout == "saved\n"


def test_a_command_that_changes_nothing_may_be_killed_with_its_children(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    program = """
        import pathlib, signal, subprocess
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "60"])
        pathlib.Path("child").write_text(str(child.pid))
        child.wait()
    """

    completed = processes.run(python(program, tmp_path, timeout=2.0, on_timeout="kill"))

    assert completed.code == -signal.SIGKILL
    wait_until_gone(int((tmp_path / "child").read_text()), processes)


def test_a_program_outlives_a_starter_that_is_killed(tmp_path: Path) -> None:
    starter = f"""
        import os, pathlib, signal
        from holdfast_orchestrator.system.process import Command, SystemProcesses
        here = pathlib.Path({str(tmp_path)!r})
        code = "import time; time.sleep(0.5); print('state saved', flush=True); open('done', 'w').close()"
        SystemProcesses().start(Command(
            argv=({sys.executable!r}, "-c", code), cwd=here, environ={ENVIRON!r}, stdout=here / "events"
        ))
        os.kill(os.getpid(), signal.SIGKILL)
    """

    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(starter)], check=False)
    wait_for(tmp_path / "done", SystemProcesses())

    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "events").read_text() == "state saved\n"


def test_ctrl_c_while_waiting_stops_the_program_politely_and_is_passed_on(tmp_path: Path) -> None:
    starter = f"""
        import os, pathlib, signal, threading, time
        from holdfast_orchestrator.system.process import Command, SystemProcesses
        here = pathlib.Path({str(tmp_path)!r})
        code = (
            "import pathlib, time\\n"
            "try:\\n pathlib.Path('ready').touch(); time.sleep(60)\\n"
            "except KeyboardInterrupt: pathlib.Path('polite').touch()"
        )
        def ctrl_c():
            while not (here / "ready").exists(): time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=ctrl_c).start()
        try:
            argv = ({sys.executable!r}, "-c", code)
            SystemProcesses().run(Command(argv=argv, cwd=here, environ={ENVIRON!r}))
        except KeyboardInterrupt:
            print("passed on", (here / "polite").exists())
    """

    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(starter)], capture_output=True, text=True, check=False
    )

    assert ran.stdout == "passed on True\n", ran.stderr


@pytest.fixture
def daemon(processes: SystemProcesses, tmp_path: Path) -> Iterator[int]:
    program = "import time; print('up', flush=True); open('up', 'w').close(); time.sleep(600)"
    pid = processes.start_detached(python(program, tmp_path), log=tmp_path / "log")
    wait_for(tmp_path / "up", processes)
    yield pid
    processes.terminate(pid, grace=0)


def test_a_daemon_writes_its_log_and_is_known_by_its_birth(
    processes: SystemProcesses, tmp_path: Path, daemon: int
) -> None:
    assert (tmp_path / "log").read_text() == "up\n"
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    born = processes.birth(daemon)
    assert born is not None
    assert processes.birth(daemon) == born
    assert SystemProcesses().birth(daemon) == born


def test_asking_whether_a_program_lives_does_not_lose_how_it_ended(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    running = processes.start(python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", tmp_path))
    while processes.birth(running.pid) is not None:
        time.sleep(0.01)

    ended = running.wait()

    assert ended is not None
    assert ended.code == -signal.SIGKILL


def test_a_daemon_that_was_stopped_is_gone(processes: SystemProcesses, daemon: int) -> None:
    assert processes.terminate(daemon, grace=30)

    assert processes.birth(daemon) is None
    assert not processes.terminate(daemon, grace=30)


def test_a_daemon_that_will_not_stop_is_killed_after_the_grace(
    processes: SystemProcesses, tmp_path: Path
) -> None:
    program = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("deaf", "w").close()
        time.sleep(600)
    """
    pid = processes.start_detached(python(program, tmp_path), log=tmp_path / "log")
    wait_for(tmp_path / "deaf", processes)

    processes.terminate(pid, grace=0.2)

    # It is deaf to everything else.
    wait_until_gone(pid, processes)


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="there is no ps on this machine")
def test_ps_tells_the_same_as_proc(processes: SystemProcesses, daemon: int) -> None:
    """Where there is no /proc (macOS), `ps` says when a process started."""
    assert processes._birth_from_ps(daemon)
    assert processes._birth_from_ps(2**22 + 1) is None


def test_a_command_prints_itself_without_its_environment(tmp_path: Path) -> None:
    command = Command(argv=("terraform", "plan", "a b"), cwd=tmp_path, environ={"SECRET": "s3cr3t"})

    assert str(command) == "terraform plan 'a b'"
    assert "s3cr3t" not in repr(command)
