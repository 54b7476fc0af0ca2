"""Shards on a Dask cluster: a real scheduler, real workers, each a process of its own, real Terraform."""

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.cluster import PATIENCE_SECONDS, Cluster, wait_until
from tests.support.hosts import processes_below

if TYPE_CHECKING:
    from tests.terraform.conftest import App
from tests.support.slow_shards import begun, held, names, slow


def three() -> dict[str, Any]:
    reference = "${data.terraform_remote_state.cross-stack-reference-input-first.outputs.value}"
    return {
        "first": {
            "resource": {"terraform_data": {"made": {"input": "1"}}},
            "output": {"value": {"value": "${terraform_data.made.output}"}},
        },
        "second": {"dependencies": ["first"], "resource": {"terraform_data": {"made": {"input": reference}}}},
        "alone": {"resource": {"terraform_data": {"made": {"input": "3"}}}},
    }


def test_shards_are_deployed_by_the_workers_and_what_they_tell_is_told_here(
    plain_app: "App", cluster: Cluster
) -> None:
    cluster.hire(2)
    reads = '${file("../../../words.txt")} ${var.word}'
    alone = {"resource": {"terraform_data": {"made": {"input": reads}}}, "variable": {"word": {}}}
    (plain_app.folder / "words.txt").write_text("from the app")
    plain_app.write({**three(), "alone": alone})
    plain_app = replace(plain_app, environ={**plain_app.environ, "TF_VAR_word": "given"})

    ran = plain_app.run("deploy", "--yes", "--json", "--events", "events", "--executor", cluster.address)

    assert ran.returncode == 0, ran.stderr
    shards = {one["name"]: one["outcome"] for one in json.loads(ran.stdout)["shards"]}
    assert shards == dict.fromkeys(("first", "second", "alone"), "committed")
    events = [json.loads(line) for line in (plain_app.folder / "events").read_text().splitlines()]
    applied = {one["shard"] for one in events if one["event"] == "shard_step" and one["step"] == "applying"}
    assert applied == set(shards)
    assert held(plain_app) == []
    (made,) = plain_app.state("alone")["resources"]
    assert made["instances"][0]["attributes"]["input"]["value"] == "from the app given"
    assert plain_app.outcomes("deploy", "--yes") == dict.fromkeys(shards, "unchanged")
    (run, *_) = json.loads(plain_app.run("runs", "--json").stdout)["runs"][-1:]
    assert run["status"] == "committed"


@pytest.mark.long
def test_ctrl_c_ends_a_run_whose_workers_are_gone(plain_app: "App", cluster: Cluster, gate: Path) -> None:
    (worker,) = cluster.hire(1)
    plain_app.write(slow(gate))
    deploying = plain_app.start("deploy", "--yes", "--executor", cluster.address)
    wait_until(begun(gate).exists, "Terraform to apply")

    worker.kill()
    deploying.send_signal(signal.SIGINT)
    gate.touch()
    said, _ = deploying.communicate(timeout=PATIENCE_SECONDS)

    assert "NoWorkersError" in said
    assert names(plain_app, "slow") == {"early", "waiting"}
    assert held(plain_app) == []


def test_ctrl_c_reaches_the_workers(plain_app: "App", cluster: Cluster, gate: Path) -> None:
    cluster.hire(1)
    plain_app.write(slow(gate))
    deploying = plain_app.start("deploy", "--yes", "--executor", cluster.address)
    wait_until(begun(gate).exists, "Terraform to apply")

    for _ in range(2):
        deploying.send_signal(signal.SIGINT)
        time.sleep(1)
    said, _ = deploying.communicate(timeout=PATIENCE_SECONDS)

    assert deploying.returncode == 130, said
    assert "early" in names(plain_app, "slow")
    assert held(plain_app) == []


@pytest.mark.long
def test_a_worker_ends_the_gateway_of_a_run_whose_orchestrator_was_killed(
    plain_app: "App", cluster: Cluster, gate: Path, tmp_path: Path
) -> None:
    impatient = tmp_path / "impatient.py"
    impatient.write_text(
        "from holdfast_orchestrator.executor import dask_worker\ndask_worker.IDLE_SECONDS = 1.0\n"
    )
    # Where providers may be found, a gateway is started before it is known which.
    cache = tmp_path / "cache"
    (cache / "plugins").mkdir(parents=True)
    (worker,) = cluster.hire(
        1, HOLDFAST_CACHE_DIR=str(cache), DASK_DISTRIBUTED__WORKER__PRELOAD=json.dumps([str(impatient)])
    )

    seen = set[Path]()

    def gateways() -> set[Path]:
        # Another process may end while it is looked at.
        with suppress(OSError):
            seen.update(
                Path("/proc", str(pid)) for pid, line in processes_below(worker.pid) if "engine.warm" in line
            )
        return seen

    plain_app.write(slow(gate))
    deploying = plain_app.start("deploy", "--yes", "--executor", cluster.address)
    wait_until(begun(gate).exists, "Terraform to apply")
    wait_until(lambda: bool(gateways()), "the gateway to be seen")

    deploying.kill()
    deploying.communicate()
    gate.touch()

    wait_until(lambda: not any(process.exists() for process in seen), "the gateway to end")
    assert names(plain_app, "slow") == {"early", "waiting"}
    assert held(plain_app) == []


@pytest.mark.long
def test_a_cluster_without_workers_and_an_address_without_a_scheduler_are_told_of(
    plain_app: "App", cluster: Cluster
) -> None:
    plain_app.write(three())

    empty = plain_app.run("deploy", "--yes", "--executor", cluster.address)
    nobody = plain_app.run("deploy", "--yes", "--executor", "tcp://127.0.0.1:9")

    assert (empty.returncode, nobody.returncode) == (1, 64)
    assert "has no workers" in empty.stderr
    assert "dask worker" in empty.stderr
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in nobody.stderr
    assert "Traceback" not in empty.stderr + nobody.stderr
    assert plain_app.state_keys() == []


def test_a_worker_without_terraform_is_named_before_anything_is_begun(
    plain_app: "App", cluster: Cluster, tmp_path: Path
) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    cluster.hire(1, PATH=f"{bare}:{os.defpath}", HOLDFAST_ENGINE="nowhere")
    plain_app.write(three())

    ran = plain_app.run("deploy", "--yes", "--executor", cluster.address)

    assert ran.returncode == 1
    assert "1 of 1 workers cannot deploy" in ran.stderr
    assert plain_app.state_keys() == []


def test_a_worker_without_holdfast_is_named_before_anything_is_begun(
    plain_app: "App", cluster: Cluster, tmp_path: Path
) -> None:
    hidden = tmp_path / "hidden.py"
    hidden.write_text("import sys\nsys.modules['holdfast_orchestrator'] = None\n")
    cluster.hire(1, DASK_DISTRIBUTED__WORKER__PRELOAD=json.dumps([str(hidden)]))
    plain_app.write(three())

    ran = plain_app.run("deploy", "--yes", "--executor", cluster.address)

    assert ran.returncode == 1
    assert "1 of 1 workers cannot deploy" in ran.stderr
    assert "ModuleNotFoundError" in ran.stderr
    assert "next: install the same holdfast there" in ran.stderr
    assert plain_app.state_keys() == []
