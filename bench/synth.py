"""What synthesizing costs, as whole processes: the fast bindings against the stock ones, in one run.

    python bench/synth.py [--runs 3] [--skip-stock]

Fast and stock runs take turns, so that what else the machine does touches both. Times are medians from the
start of Python to its end. Memory is the largest sum, over all processes of a run, of what they hold in RAM;
pages that processes share count once for each, so the true figure is smaller.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLATFORM = ("-m", "holdfast_stacks")
FIFTY = ("bench/fifty_services.py",)
SAMPLING_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Sample:
    """One whole process and its children."""

    seconds: float
    mebibytes: float


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


def run(app: Sequence[str], scratch: Path, **environ: str) -> Sample:
    """Run the app to its end; a failure ends the benchmark with what it said."""
    cleared = {
        name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "JSII_"))
    }
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *app],
        cwd=ROOT,
        env=cleared | {"HOLDFAST_ENV": "prod", "CDKTF_OUTDIR": str(scratch / "out")} | environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    peak = _watch_memory(process.pid)
    _, stderr = process.communicate()
    sample = Sample(time.monotonic() - started, peak() / 1024)
    if process.returncode != 0:
        sys.exit(f"{' '.join(app)} ended with {process.returncode}:\n{stderr.decode()[-4000:]}")
    return sample


def _watch_memory(pid: int) -> Callable[[], int]:
    """Sample the process tree in a thread; the returned function stops it and gives the peak in KiB."""
    ended = threading.Event()
    sums = [0]

    def sample() -> None:
        while not ended.wait(SAMPLING_SECONDS):
            sums.append(sum(map(_resident, _tree(pid))))

    thread = threading.Thread(target=sample)
    thread.start()

    def peak() -> int:
        ended.set()
        thread.join()
        return max(sums)

    return peak


def _tree(pid: int) -> list[int]:
    found = [pid]
    for each in found:  # grows while it is walked
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found.extend(map(int, children.read_text().split()))
            except OSError:  # it has ended meanwhile
                continue
    return found


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)


def measure(runs: int, *, stock: bool) -> list[Case]:
    """All cases, the fast way of the platform first: the others are compared with it."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        scratch = Path(folder)
        warm = {"XDG_CACHE_HOME": str(scratch / "warm")}
        run(PLATFORM, scratch, **warm)
        run(FIFTY, scratch, **warm)
        fast, slow, first, fifty = [], [], [], []
        for number in range(runs):
            fast.append(run(PLATFORM, scratch, **warm))
            if stock:
                slow.append(run(PLATFORM, scratch, HOLDFAST_FAST_BINDINGS="0", **warm))
            first.append(run(PLATFORM, scratch, XDG_CACHE_HOME=str(scratch / f"first-{number}")))
            fifty.append(run(FIFTY, scratch, **warm))
    cases = {
        "platform, fast bindings": fast,
        "platform, stock bindings": slow,
        "platform, first run ever": first,
        "50 services, fast bindings": fifty,
    }
    return [Case(title, tuple(samples)) for title, samples in cases.items() if samples]


def main() -> None:
    parser = argparse.ArgumentParser(description="What synthesizing costs, fast bindings against stock.")
    parser.add_argument("--runs", type=int, default=3, help="samples of each case (default: 3)")
    parser.add_argument("--skip-stock", action="store_true", help="leave the slow peer out")
    options = parser.parse_args()
    cases = measure(options.runs, stock=not options.skip_stock)
    print("| synthesizing `prod` | runs | seconds (median) | from, to | against fast | peak MiB |")
    print("|---|---|---|---|---|---|")
    for case in cases:
        print(case.row(cases[0]))


if __name__ == "__main__":
    main()
