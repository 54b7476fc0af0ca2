"""The orchestrator's own cost: 100, 1,000 and 10,000 shards with an engine that sleeps.

    python bench/simulation.py [--shards 100 1000 10000] [--parallel 16] [--sleep 0.005] [--profile FILE]

Each size is a process of its own: a first deploy with everything on (lease, journal, backup, verify, audit),
then a second one that finds nothing changed. The bucket is a double on disk. Told apart are wall time less
what the engine slept (spread over the threads that slept), the double's CPU in it, and what is left: its own
cost.
"""

import argparse
import cProfile
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simulated import ENVIRONMENT, SimulatedTools, app
from simulated_store import SimulatedStore

from holdfast_orchestrator.app.manifest import Manifest
from holdfast_orchestrator.app.selection import labels
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.order import Order
from holdfast_orchestrator.deploy.run import carry_out
from holdfast_orchestrator.events import Emitter
from holdfast_orchestrator.report.lines import Lines
from holdfast_orchestrator.report.transcript import Transcript
from holdfast_orchestrator.run_id import new_run_id
from holdfast_orchestrator.system.process import Completed
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import Runtime, SystemClock
from holdfast_orchestrator.system.stop import StopSignal
from holdfast_orchestrator.testing import ScriptedProcesses, refusing_runtime

SIZES = (100, 1_000, 10_000)
HEADER = """| shards | work | wall s | of it asleep | awake ms a shard | of it the bucket's double \
| **own** | S3 requests a shard | peak MiB |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one deploy cost; seconds, but for `mebibytes`, the peak of the process so far."""

    shards: int
    work: str
    wall: float
    asleep: float
    bucket_cpu: float
    requests: int
    mebibytes: float

    def row(self) -> str:
        each = 1000 / self.shards
        awake = self.wall - self.asleep
        return (
            f"| {self.shards:,} | {self.work} | {self.wall:.2f} | {self.asleep:.2f} "
            f"| {awake * each:.2f} | {self.bucket_cpu * each:.2f} "
            f"| **{(awake - self.bucket_cpu) * each:.2f}** "
            f"| {self.requests / self.shards:.1f} | {self.mebibytes:.0f} |"
        )


class _Processes(ScriptedProcesses):
    def birth(self, pid: int) -> str | None:  # noqa: ARG002 - whoever asks, it lives
        return "born"


class _Caller:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::123456789012:user/somebody"}


class _Aws:
    def client(self, *_service: Any, **_given: Any) -> Any:
        return _Caller()


def simulate(shards: int, *, parallel: int, sleep: float, profile: cProfile.Profile | None) -> list[Cost]:
    """Deploy so many shards for the first time, then once more."""
    with tempfile.TemporaryDirectory(prefix="holdfast-simulation-") as made:
        folder = Path(made)
        tools = SimulatedTools(folder / "work", SimulatedStore(folder / "bucket.sqlite"), sleep)
        tools.folder_of_all.mkdir()
        manifest = app(shards)
        costs = []
        for work in ("first deploy", "nothing changed"):
            if profile is not None:
                profile.enable()
            costs.append(_deploy(manifest, tools, _runtime(folder), parallel=parallel, work=work))
            if profile is not None:
                profile.disable()
        tools.bucket.close()
        return costs


def _runtime(folder: Path) -> Runtime:
    return refusing_runtime(
        clock=SystemClock(),
        aws=_Aws(),
        processes=_Processes(lambda command: Completed(command=command, code=128)),
        cwd=folder,
        cache=folder / "cache",
    )


def _deploy(manifest: Manifest, tools: SimulatedTools, runtime: Runtime, *, parallel: int, work: str) -> Cost:
    bucket = tools.bucket
    slept, bucket_cpu, requests = tools.slept, bucket.cpu, bucket.requests.total()
    began = time.perf_counter()
    result = carry_out(
        Order(transcribe=Transcript, shards=manifest.shards, max_parallel=parallel),
        _run(manifest, tools, runtime),
    )
    assert result.is_good, result
    return Cost(
        shards=len(manifest.shards),
        work=work,
        wall=time.perf_counter() - began,
        asleep=(tools.slept - slept) / parallel,
        bucket_cpu=bucket.cpu - bucket_cpu,
        requests=bucket.requests.total() - requests,
        mebibytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _run(manifest: Manifest, tools: SimulatedTools, runtime: Runtime) -> Run:
    redactor, shown = Redactor(), labels(manifest.shards)
    return Run(
        id=new_run_id(runtime.clock.now()),
        manifest=manifest,
        tools=tools,
        runtime=runtime,
        redactor=redactor,
        emit=Emitter(runtime.clock, redactor, Lines(io.StringIO())),
        stop=StopSignal(),
        label=shown.__getitem__,
        project=ENVIRONMENT,
    )


def _in_its_own_process(shards: int, given: argparse.Namespace) -> list[Cost]:
    words = [sys.executable, __file__, "--one", "--shards", str(shards), "--parallel", str(given.parallel)]
    words += ["--sleep", str(given.sleep)]
    if given.profile is not None:
        words += ["--profile", f"{given.profile}.{shards}"]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return [Cost(**cost) for cost in json.loads(done.stdout)]


def _one(given: argparse.Namespace) -> None:
    profile = None if given.profile is None else cProfile.Profile()
    costs = simulate(given.shards[0], parallel=given.parallel, sleep=given.sleep, profile=profile)
    if profile is not None:
        profile.dump_stats(given.profile)
    print(json.dumps([asdict(cost) for cost in costs]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, nargs="+", default=SIZES, help="the sizes to measure")
    parser.add_argument("--parallel", type=int, default=16, help="shards at once (default: 16)")
    parser.add_argument("--sleep", type=float, default=0.005, help="seconds a command sleeps")
    parser.add_argument("--profile", help="write a profile of the run's own thread to FILE.<shards>")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        _one(given)
        return
    costs = [cost for shards in given.shards for cost in _in_its_own_process(shards, given)]
    print("\n".join((HEADER, *(cost.row() for cost in costs))))


if __name__ == "__main__":
    main()
