"""What lease, backup, journal and audit cost, against the same shard deployed by plain Terraform.

    python bench/safety.py [--runs 5]

Holdfast's own deploy and `terraform init`, `plan`, `apply`, `plan` take turns on a local cloud, each for a
version of its own of the same five objects (SSM parameters, an SNS topic, an SQS queue). Counted is wall
time on the deploy's way, by function: whatever the run's thread and the shard's thread spend inside the
functions of `COUNTED`, waiting included, each moment once. Not counted is what happens behind their back
(the journal's copy to the bucket, until somebody waits for it) and the preflight, which is a row of its own.
A second part breaks deploys and reads from their journals how long after the verdict the rollback began.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from measure import ROOT

from holdfast_orchestrator import Outcome, Project, select
from holdfast_orchestrator.deploy.phases import state_machine as machine
from holdfast_orchestrator.deploy.run_recorder import RunRecorder
from holdfast_orchestrator.deploy.shard import deploy as shard
from holdfast_orchestrator.deploy.shard import start as launch
from holdfast_orchestrator.engine.cli_config import FILE, VARIABLE
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import STATE_BUCKET, towards_local
from holdfast_orchestrator.record.journal.entry import Entry, JournalName
from holdfast_orchestrator.record.journal.journal import Journal, read_journal
from holdfast_orchestrator.state.lease import Lease, Leases
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

TARGET_MILLISECONDS, TARGET_PERCENT, TARGET_ROLLBACK_SECONDS = 150, 5.0, 1.0
APP = ROOT / "tests" / "fixtures" / "fault_app" / "app.py"
SETTINGS = {
    "state_bucket": STATE_BUCKET,
    "region": "eu-west-1",
    "environment": "dev",
    "account": "123456789012",
}
PROVIDER = {
    "region": "eu-west-1",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "skip_requesting_account_id": True,
    "skip_region_validation": True,
    "max_retries": 5,
}
BACKEND_SWITCHES = (
    "use_lockfile",
    "use_path_style",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
)

Counted = tuple[str, Any, str]
COUNTED: tuple[Counted, ...] = (
    ("lease", Leases, "take"),
    ("lease", Lease, "check"),
    ("lease", Lease, "confirm"),
    ("lease", Lease, "now_doing"),
    ("lease", Lease, "release"),
    ("artifact, plan, backup, open record", launch, "_write_down"),
    ("journal", Journal, "begin"),
    ("journal", Journal, "append"),
    ("journal", Journal, "close"),
    ("last good, closed record", machine, "promote_shard"),
    ("last good, closed record", machine, "close_record"),
    ("run record, audit", RunRecorder, "begin"),
    ("run record, audit", RunRecorder, "end"),
    ("preflight", shard, "look"),
    ("preflight", launch, "refuse_other_state"),
    ("preflight", launch, "good_of"),
)
APART = "preflight"


@dataclass
class Meter:
    """Seconds by row; only the outermost counted function of a thread counts, in the deploy's threads."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _inside: threading.local = field(default_factory=threading.local)

    def timed(self, row: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any, **named: Any) -> Any:
            if getattr(self._inside, "row", None) or not _is_of_the_deploy(threading.current_thread()):
                return function(*args, **named)
            self._inside.row, began = row, time.perf_counter()
            try:
                return function(*args, **named)
            finally:
                self.seconds[row] += time.perf_counter() - began
                self._inside.row = None

        return measured

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count while this lasts."""
        kept = [(owner, name, owner.__dict__[name]) for _, owner, name in COUNTED]
        for (row, owner, name), (_, _, found) in zip(COUNTED, kept, strict=True):
            wrapped = self.timed(row, getattr(owner, name) if isinstance(found, classmethod) else found)
            setattr(owner, name, staticmethod(wrapped) if isinstance(found, classmethod) else wrapped)
        try:
            yield
        finally:
            for owner, name, found in kept:
                setattr(owner, name, found)

    def taken(self) -> Mapping[str, float]:
        """Return the rows so far, and begin again."""
        taken, self.seconds = self.seconds, defaultdict(float)
        return taken


def _is_of_the_deploy(thread: threading.Thread) -> bool:
    return thread is threading.main_thread() or thread.name.startswith("shard")


@dataclass(frozen=True)
class Place:
    """A project with a shard for Holdfast and one for plain Terraform, and a running local cloud."""

    folder: Path
    runtime: Runtime

    def write(self, version: str, *, broken: bool = False) -> None:
        stacks = {"ours": _stack("ours", version, broken=broken), "plain": _stack("plain", version)}
        (self.folder / "stacks.json").write_text(json.dumps(stacks))

    def deploy(self, meter: Meter) -> tuple[float, Mapping[str, float], Any]:
        """Deploy the shard `ours`; return how long that took, the meter's rows, and the result."""
        project = Project.load(".", runtime=self.runtime)
        manifest = project.synth()
        began = time.perf_counter()
        with meter.watching():
            result = project.deploy(select(stack="ours"), manifest=manifest)
        return time.perf_counter() - began, meter.taken(), result

    def plain(self) -> float:
        """Deploy the shard `plain` as one does without Holdfast; return how long that took."""
        folder = self.folder / "plain"
        stack = json.loads((self.folder / "stacks.json").read_text())["plain"]
        backend = {
            "bucket": STATE_BUCKET,
            "key": "plain/terraform.tfstate",
            "region": "eu-west-1",
            "encrypt": True,
            **dict.fromkeys(BACKEND_SWITCHES, True),
        }
        stack.setdefault("terraform", {})["backend"] = {"s3": backend}
        folder.mkdir(exist_ok=True)
        (folder / "main.tf.json").write_text(json.dumps(stack))
        began = time.perf_counter()
        for words in (
            ("init", "-input=false"),
            ("plan", "-out=plan"),
            ("apply", "plan"),
            ("plan", "-detailed-exitcode"),
        ):
            self._terraform(folder, *words)
        return time.perf_counter() - began

    def _terraform(self, folder: Path, *words: str) -> None:
        # The provider is installed from where Holdfast found it.
        (config,) = self.runtime.cache.rglob(FILE)
        environ = {**self.runtime.environ, "TF_IN_AUTOMATION": "1", VARIABLE: str(config)}
        argv = ("terraform", *words)
        done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    def journal(self, run: str) -> tuple[Entry, ...]:
        project = Project.load(".", runtime=self.runtime)
        (ours,) = project.list(select(stack="ours"))
        manifest_run = project.run(project.synth())
        return read_journal(manifest_run.tools.store(ours), JournalName(run, "ours"))


def _stack(name: str, version: str, *, broken: bool = False) -> dict[str, Any]:
    parameters = {
        key: {"name": f"/{name}/{key}", "type": "String", "value": f"{key} {version}"}
        for key in ("a", "b", "c")
    }
    if broken:
        # The cloud refuses a name that is AWS's own.
        parameters["d"] = {"name": f"/aws/{name}", "type": "String", "value": "x"}
        parameters["d"]["depends_on"] = ["aws_ssm_parameter.a"]  # type: ignore[assignment]
    return {
        "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
        "provider": {"aws": [PROVIDER]},
        "resource": {
            "aws_ssm_parameter": parameters,
            "aws_sns_topic": {"t": {"name": f"{name}-topic", "display_name": version}},
            "aws_sqs_queue": {"q": {"name": f"{name}-queue"}},
        },
    }


@contextmanager
def place() -> Iterator[Place]:
    """A folder and a local cloud of their own."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        shutil.copy(APP, folder)
        document = {"app": f"{sys.executable} app.py", "context": {"holdfast": SETTINGS}}
        (folder / "cdktf.json").write_text(json.dumps(document))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
        runtime = replace(real_runtime(), cwd=folder, cache=Path(scratch) / "cache", environ=inherited)
        cloud = LocalCloud(folder, runtime)
        endpoint = cloud.up().endpoint
        assert endpoint is not None
        try:
            yield Place(folder, replace(runtime, environ=towards_local(inherited, endpoint)))
        finally:
            cloud.down()


def measure(here: Place, runs: int) -> tuple[list[Mapping[str, float]], list[float], list[float]]:
    """Both ways in turn: the rows of each deploy of ours, its seconds, and the seconds of plain Terraform."""
    meter = Meter()
    here.write("0")
    _, _, first = here.deploy(meter)
    assert first.is_good, first
    here.plain()
    rows, ours, plain = [], [], []
    for number in range(1, runs + 1):
        here.write(str(number))
        seconds, taken, result = here.deploy(meter)
        assert result.outcome["ours"] is Outcome.COMMITTED, result
        rows.append(taken)
        ours.append(seconds)
        plain.append(here.plain())
    return rows, ours, plain


def rollback_started(here: Place, version: str) -> tuple[float, float]:
    """Break a deploy; return the seconds from failed apply to verdict, and from there to the rollback.

    In between objects in doubt are looked for with a plan of their own, which is Terraform's time. The
    rollback has begun when its configuration is built and its plan starts.
    """
    here.write(version, broken=True)
    _, _, result = here.deploy(Meter())
    assert result.outcome["ours"] is Outcome.ROLLED_BACK, result
    entries = here.journal(result.run)
    failed = next(entry.at for entry in entries if (entry.phase, entry.edge) == (Phase.APPLYING, "after"))
    known = [entry.at for entry in entries if (entry.phase, entry.edge) == (Phase.CLASSIFY, "after")][-1]
    begun = next(entry.at for entry in entries if entry.phase is Phase.RB_PLANNED)
    return (known - failed).total_seconds(), (begun - known).total_seconds()


def table(
    rows: list[Mapping[str, float]], ours: list[float], plain: list[float], back: list[tuple[float, float]]
) -> str:
    """Return all of it as Markdown."""
    names = sorted({name for row in rows for name in row} - {APART})
    total = statistics.median(sum(row[name] for name in names) for row in rows)
    base = statistics.median(plain)
    target = f"target: {TARGET_MILLISECONDS} ms and {TARGET_PERCENT:.0f} %"
    together = f"lease, backup, journal and audit together ({target})"
    lines = [
        "| one shard, local cloud | runs | milliseconds (median) | against plain Terraform's wall time |",
        "|---|---|---|---|",
        _row("plain `terraform init`, `plan`, `apply`, `plan`", plain, base),
        _row("`deploy`, its synth left out", ours, base),
        *(_row(f"of it: {name}", [row[name] for row in rows], base) for name in names),
        f"| **{together}** | {len(rows)} | **{total * 1000:.0f}** | **{100 * total / base:.1f} %** |",
        _row("preflight (state, records and lock read and compared)", [row[APART] for row in rows], base),
        _row("failed apply to verdict (objects in doubt are looked for)", [first for first, _ in back], base),
        _row(
            f"verdict to rollback begun (target: {TARGET_ROLLBACK_SECONDS * 1000:.0f} ms)",
            [then for _, then in back],
            base,
        ),
    ]
    return "\n".join(lines)


def _row(title: str, seconds: list[float], base: float) -> str:
    middle = statistics.median(seconds)
    return f"| {title} | {len(seconds)} | {middle * 1000:.0f} | {100 * middle / base:.1f} % |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="samples of each way (default: 5)")
    runs = parser.parse_args().runs
    with place() as here:
        rows, ours, plain = measure(here, runs)
        back = [rollback_started(here, f"broken {number}") for number in range(min(runs, 3))]
    print(table(rows, ours, plain, back))


if __name__ == "__main__":
    main()
