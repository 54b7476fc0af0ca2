"""Four Dask workers against one, on shards whose apply sleeps.

    python bench/executor.py [--shards 24] [--sleep 6] [--workers 1 2 4] [--runs 1]

A scheduler and workers of one thread each run on this machine, with real Terraform and a bucket on the
local cloud.
Each figure is one whole `holdfast deploy --executor`, a first deploy of every shard. The workers share this
machine's cores: what scales is the waiting, which is most of what a deploy does in a real cloud.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from measure import HOLDFAST, ROOT, Case, Sample, run, table

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import STATE_BUCKET, towards_local
from holdfast_orchestrator.system.runtime import real_runtime

APP = ROOT / "tests" / "fixtures" / "plain_app" / "app.py"
WORKER = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
START_SECONDS = 60


def measure(shards: int, seconds: float, workers: list[int], runs: int) -> list[Case]:
    """Deploy the shards with each number of workers in turn, every time for the first time."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        scratch = Path(folder)
        cloud = LocalCloud(scratch, replace(real_runtime(), cwd=scratch))
        endpoint = cloud.up().endpoint
        if endpoint is None:
            sys.exit("the local cloud did not start")
        try:
            environ = dict(
                towards_local({**os.environ, "HOLDFAST_CACHE_DIR": str(scratch / "cache")}, endpoint)
            )
            samples: dict[int, list[Sample]] = {count: [] for count in workers}
            for number in range(runs):
                for count in workers:
                    project = scratch / f"run{number}-{count}"
                    samples[count].append(deploy(project, environ, count, shards, seconds))
            return [
                Case(f"{count} worker{'s' if count > 1 else ''}", tuple(samples[count])) for count in workers
            ]
        finally:
            cloud.down()


def deploy(project: Path, environ: Mapping[str, str], count: int, shards: int, seconds: float) -> Sample:
    project.mkdir()
    shutil.copy(APP, project)
    settings = {
        "state_bucket": STATE_BUCKET,
        "region": "eu-west-1",
        "environment": project.name,
        "account": "123456789012",
    }
    app = f"{sys.executable} app.py"
    (project / "cdktf.json").write_text(json.dumps({"app": app, "context": {"holdfast": settings}}))
    sleeps = {"provisioner": [{"local-exec": {"command": f"sleep {seconds}"}}]}
    stacks = {f"shard-{number}": {"resource": {"terraform_data": {"a": sleeps}}} for number in range(shards)}
    (project / "stacks.json").write_text(json.dumps(stacks))
    with cluster(project, environ, count) as address:
        return run((HOLDFAST, "deploy", "--yes", "--project", str(project), "--executor", address), environ)


@contextmanager
def cluster(folder: Path, environ: Mapping[str, str], count: int) -> Iterator[str]:
    """Yield the address of a scheduler with so many workers."""
    file = folder / "scheduler.json"
    started = [dask("scheduler", environ, "--port", "0", "--no-dashboard", "--scheduler-file", str(file))]
    try:
        started += [dask("worker", environ, *WORKER, "--scheduler-file", str(file)) for _ in range(count)]
        deadline = time.monotonic() + START_SECONDS
        while not file.exists() or present(address := json.loads(file.read_text())["address"]) < count:
            if time.monotonic() > deadline:
                sys.exit("the Dask cluster did not start")
            time.sleep(0.2)
        yield address
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def dask(role: str, environ: Mapping[str, str], *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", f"distributed.cli.dask_{role}", *words]
    return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def present(address: str) -> int:
    """How many workers the scheduler has."""
    client: Any = import_module("distributed").Client
    with client(address, set_as_default=False) as asked:
        return len(asked.nthreads())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, default=24)
    parser.add_argument("--sleep", type=float, default=6.0, help="seconds an apply takes (default: 6)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--runs", type=int, default=1, help="samples of each figure (default: 1)")
    options = parser.parse_args()
    title = f"{options.shards} shards that sleep {options.sleep:g} s"
    print(table(title, measure(options.shards, options.sleep, options.workers, options.runs)))


if __name__ == "__main__":
    main()
