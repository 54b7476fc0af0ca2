"""Processes that want the same shard at the same time, against real conditional writes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.errors import LeasedError
from holdfast_orchestrator.state.lease import Claim, Leases
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.system.runtime import Runtime

RACER = Path(__file__).resolve().parents[2] / "fixtures" / "lease_racer.py"
CLAIM = Claim(folder="orders/123456789012/eu-west-1/prod", run="RUN", owner="jane", doing="deploying")


@pytest.mark.parametrize(("processes", "rounds"), [(2, 10), (16, 7)])
def test_only_one_process_at_a_time_is_at_work_on_a_shard(
    s3_store: S3Store, tmp_path: Path, processes: int, rounds: int
) -> None:
    log = tmp_path / "log"

    race(s3_store, log, processes=processes, rounds=rounds)

    lines = log.read_text().splitlines()
    sections = list(zip(lines[::2], lines[1::2], strict=True))
    assert len(sections) == processes * rounds
    for epoch, (entered, left) in enumerate(sections, start=1):
        assert entered.split()[0] == "enter"
        assert left == entered.replace("enter", "leave")
        assert entered.split()[2] == str(epoch)


def race(store: S3Store, log: Path, *, processes: int, rounds: int) -> None:
    client: Any = store._client
    argv = [
        sys.executable,
        str(RACER),
        client.meta.endpoint_url,
        store._location.bucket,
        str(log),
        str(rounds),
    ]
    racers = [subprocess.Popen(argv, stderr=subprocess.PIPE) for _ in range(processes)]
    for racer in racers:
        _, complaint = racer.communicate()
        assert racer.returncode == 0, complaint.decode()


def test_a_killed_holders_shard_is_free_for_whoever_can_see_that_it_is_dead(
    s3_store: S3Store, runtime: Runtime
) -> None:
    script = (
        "import sys, os, runpy\n"
        f"racer = runpy.run_path({str(RACER)!r})\n"
        "from holdfast_orchestrator.state.lease import Lease\n"
        "Lease.confirm = lambda self: os._exit(137)\n"
        "racer['main'](*sys.argv[1:])\n"
    )
    client: Any = s3_store._client
    argv = [
        sys.executable,
        "-c",
        script,
        client.meta.endpoint_url,
        s3_store._location.bucket,
        os.devnull,
        "1",
    ]
    died = subprocess.run(argv, check=False)
    leases = Leases(s3_store, runtime)

    assert died.returncode == 137
    with pytest.raises(LeasedError, match="its process is dead, but the lease has not expired yet"):
        leases.take(CLAIM)
    with leases.take(CLAIM, operator=True) as lease:
        assert lease.record.taken is not None
        assert lease.record.taken.why == "its process is dead, an operator asked for it"
