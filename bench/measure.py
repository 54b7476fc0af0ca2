"""Whole processes, timed and weighed: the one way every benchmark here measures.

Times are from the start of a process to its end. Memory is the largest sum, over all processes of a run, of
what they hold in RAM; pages that processes share count once for each, so the true figure is smaller. CPU
time is that of all processes of a run as last seen: what one used after the last look is not in it.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
HEADER = """| {title} | runs | seconds (median) | from, to | against the first row | peak MiB |
|---|---|---|---|---|---|"""
SAMPLING_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Sample:
    """One whole process and its children."""

    seconds: float
    mebibytes: float
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """All samples of one way to run something."""

    title: str
    samples: tuple[Sample, ...]

    @property
    def seconds(self) -> float:
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def mebibytes(self) -> float:
        return max(sample.mebibytes for sample in self.samples)

    def row(self, base: "Case") -> str:
        seconds = sorted(sample.seconds for sample in self.samples)
        spread = f"{seconds[0]:.2f} to {seconds[-1]:.2f}"
        ratio = self.seconds / base.seconds
        return (
            f"| {self.title} | {len(seconds)} | {self.seconds:.2f} | {spread} | {ratio:.1f}x "
            f"| {self.mebibytes:.0f} |"
        )


def table(title: str, cases: Sequence[Case]) -> str:
    """Return the cases as Markdown, each with its ratio to the first."""
    return "\n".join((HEADER.format(title=title), *(case.row(cases[0]) for case in cases)))


class CommandFailedError(Exception):
    """A command that was measured did not end well: which, how, and the end of what it said."""


def run(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Sample:
    """Run a command to its end; a failure ends the benchmark with what it said."""
    cleared = {
        name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "JSII_"))
    }
    try:
        return attempt(argv, cleared | dict(environ or {}))
    except CommandFailedError as failed:
        sys.exit(str(failed))


def attempt(
    argv: Sequence[str], environ: Mapping[str, str], *, cwd: Path = ROOT, every: float = SAMPLING_SECONDS
) -> Sample:
    """Run a command in exactly this environment, its memory looked at every so many seconds.

    Raises CommandFailedError where it does not end with 0.
    """
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        process = subprocess.Popen(
            argv, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
        watch = Watch(process.pid, every)
        try:
            code = process.wait()
        finally:
            sample = Sample(time.monotonic() - started, *watch.end())
        if code != 0:
            said.seek(0)
            end = said.read().decode(errors="replace")[-4000:]
            raise CommandFailedError(f"{' '.join(argv)} ended with {code}:\n{end}")
    return sample


class Watch:
    """Looks at a tree of processes in a thread, every so many seconds, until `end`."""

    def __init__(self, pid: int, every: float) -> None:
        self._ended = threading.Event()
        self._most = 0
        self._used: dict[int, int] = {}
        self._thread = threading.Thread(target=self._look, args=(pid, every))
        self._thread.start()

    def end(self) -> tuple[float, float]:
        """Return the most MiB of all processes together, and the seconds of CPU that they used."""
        self._ended.set()
        self._thread.join()
        return self._most / 1024, sum(self._used.values()) / os.sysconf("SC_CLK_TCK")

    def _look(self, pid: int, every: float) -> None:
        while not self._ended.wait(every):
            tree = _tree(pid)
            self._most = max(self._most, sum(map(_resident, tree)))
            self._used |= {each: max(self._used.get(each, 0), _ticks(each)) for each in tree}


def _tree(pid: int) -> list[int]:
    found = [pid]
    for each in found:  # grows while it is walked
        with suppress(OSError):  # it has ended meanwhile
            for task in Path(f"/proc/{each}/task").iterdir():
                with suppress(OSError):  # so has one of its threads
                    found.extend(map(int, (task / "children").read_text().split()))
    return found


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return 0
    return int(fields[11]) + int(fields[12])
