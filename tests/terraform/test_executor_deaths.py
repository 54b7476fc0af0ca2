"""Workers, schedulers and whole machines die while a cluster deploys: somebody takes their shards over."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.cluster import PATIENCE_SECONDS, Cluster, wait_until
from tests.support.hosts import ANOTHER_HOST, Network, can_be_another_host, processes_below, relayed

if TYPE_CHECKING:
    from tests.terraform.conftest import App
from tests.support.slow_shards import begun, ends_committed, held, names, slow, wait_for_line


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network(os.getpid() % 250)
    try:
        try:
            network.begin()
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"this machine allows no networks of its own: {error}")
        yield network
    finally:
        network.end()


def taken_over_from(far: "subprocess.Popen[bytes]", plain_app: "App", cluster: Cluster, gate: Path) -> None:
    """The far worker dies during its apply, and one of this machine brings the shard to its end."""
    plain_app.write(slow(gate))
    deploying = plain_app.start("deploy", "--yes", "--executor", cluster.address, "--executor-insecure")
    wait_until(begun(gate).exists, "Terraform to apply")
    cluster.hire(1)

    (worker,) = (
        pid for pid, line in processes_below(far.pid) if "dask_worker" in line and not line.startswith("sh ")
    )
    os.kill(worker, signal.SIGKILL)
    wait_for_line(deploying, "waits for a lock")
    gate.touch()
    ends_committed(deploying, plain_app)


@pytest.mark.long
def test_the_shard_of_a_worker_that_is_killed_during_an_apply_is_brought_to_its_end_by_another(
    plain_app: "App", cluster: Cluster, gate: Path
) -> None:
    cluster.hire(2)
    plain_app.write(slow(gate))
    deploying = plain_app.start("deploy", "--yes", "--json", "--executor", cluster.address)

    cluster.at_work(begun(gate)).kill()
    # Its Terraform outlives it, and still holds the state.
    time.sleep(1)
    gate.touch()
    ends_committed(deploying, plain_app)


def begun_anew(plain_app: "App", cluster: Cluster) -> None:
    """The only worker dies before its apply, and another one deploys the shard."""
    plain_app.write({"slow": {"resource": {"terraform_data": {"early": {}, "waiting": {}}}}})
    deploying = plain_app.start("deploy", "--yes", "--executor", cluster.address)
    wait_until(lambda: cluster.present() == 0, "the worker to die")
    (dead,) = cluster.workers
    # Of another host more is left than its worker.
    dead.kill()
    dead.wait()

    cluster.hire(1)
    ends_committed(deploying, plain_app)


@pytest.mark.long
@pytest.mark.parametrize("place", ["prepared:before", "prepared:after"])
def test_the_shard_of_a_worker_that_dies_before_its_apply_is_begun_anew_by_another(
    plain_app: "App", cluster: Cluster, place: str
) -> None:
    cluster.hire(1, HOLDFAST_CRASH_AT=place)
    begun_anew(plain_app, cluster)


@pytest.mark.long
@pytest.mark.parametrize("place", ["prepared:before", "prepared:after"])
@pytest.mark.skipif(not can_be_another_host(), reason="this machine allows no namespaces")
def test_the_shard_of_a_worker_of_another_host_that_dies_before_its_apply_is_begun_anew_here(
    plain_app: "App", cluster: Cluster, tmp_path: Path, place: str
) -> None:
    far = str(tmp_path / "far")
    cluster.hire(1, host=ANOTHER_HOST, HOLDFAST_CACHE_DIR=far, HOLDFAST_CRASH_AT=place)
    begun_anew(plain_app, cluster)


@pytest.mark.long
def test_a_shard_that_fails_after_its_worker_was_killed_is_rolled_back_by_another(
    plain_app: "App", cluster: Cluster, gate: Path
) -> None:
    plain_app.write({"slow": {"resource": {"terraform_data": {"early": {"input": "before"}}}}})
    assert plain_app.run("deploy", "--yes").returncode == 0
    cluster.hire(2)
    plain_app.write(slow(gate, fails=True))
    deploying = plain_app.start("deploy", "--yes", "--executor", cluster.address)

    cluster.at_work(begun(gate)).kill()
    gate.touch()
    said, _ = deploying.communicate(timeout=PATIENCE_SECONDS)

    assert deploying.returncode == 5, said
    assert names(plain_app, "slow") == {"early"}
    assert held(plain_app) == []


@pytest.mark.long
@pytest.mark.skipif(not can_be_another_host(), reason="this machine allows no namespaces")
def test_a_worker_of_another_host_takes_over_once_the_lease_has_expired_and_terraform_has_ended(
    plain_app: "App", cluster: Cluster, gate: Path, tmp_path: Path
) -> None:
    (far,) = cluster.hire(1, host=ANOTHER_HOST, HOLDFAST_CACHE_DIR=str(tmp_path / "far"))
    taken_over_from(far, plain_app, cluster, gate)


@pytest.mark.long
@pytest.mark.skipif(not can_be_another_host(), reason="this machine allows no namespaces")
def test_a_worker_on_another_network_is_taken_over_in_the_same_way(
    plain_app: "App", cluster: Cluster, gate: Path, tmp_path: Path, network: Network
) -> None:
    cluster.begin_anew("0.0.0.0")
    with relayed(network.here, plain_app.environ["AWS_ENDPOINT_URL"]) as endpoint:
        (far,) = cluster.hire(
            1,
            host=(*network.inside, *ANOTHER_HOST),
            HOLDFAST_CACHE_DIR=str(tmp_path / "far"),
            AWS_ENDPOINT_URL=endpoint,
        )
        taken_over_from(far, plain_app, cluster, gate)


def taken_over_here(deploying: "subprocess.Popen[str]", plain_app: "App", gate: Path) -> None:
    """Nobody is left to work on the slow shard, and the machine that asked brings it to its end."""
    wait_for_line(deploying, "taken over here")
    gate.touch()
    said, _ = deploying.communicate(timeout=PATIENCE_SECONDS)

    assert deploying.returncode == 0, said
    assert names(plain_app, "slow") == {"early", "waiting"}
    assert held(plain_app) == []


@pytest.mark.long
def test_where_neither_worker_nor_scheduler_is_left_the_machine_that_asked_takes_over(
    plain_app: "App", cluster: Cluster, gate: Path
) -> None:
    (worker,) = cluster.hire(1)
    plain_app.write(slow(gate))
    deploying = plain_app.start("deploy", "--yes", "--executor", cluster.address)
    wait_until(begun(gate).exists, "Terraform to apply")

    worker.kill()
    assert cluster.scheduler is not None
    cluster.scheduler.kill()
    taken_over_here(deploying, plain_app, gate)


@pytest.mark.long
def test_where_no_worker_is_left_the_machine_that_asked_takes_over(
    plain_app: "App", cluster: Cluster, gate: Path
) -> None:
    (worker,) = cluster.hire(1)
    plain_app.write(slow(gate))
    impatient = (
        "import runpy; from holdfast_orchestrator.executor import dask_cluster; "
        "dask_cluster.DESERTED_SECONDS = 3.0; "
        "runpy.run_module('holdfast_orchestrator', run_name='__main__')"
    )
    command = ("deploy", "--yes", "--executor", cluster.address)
    deploying = plain_app.start(*command, python=("-c", impatient))
    wait_until(begun(gate).exists, "Terraform to apply")

    worker.kill()
    taken_over_here(deploying, plain_app, gate)
