"""Shards on a Dask cluster: a real scheduler, real workers, each a process of its own, real Terraform."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.cluster import PATIENCE_SECONDS, Cluster, wait_until
from tests.support.hosts import ANOTHER_HOST, Network, can_be_another_host, processes_below, relayed

if TYPE_CHECKING:
    from tests.terraform.conftest import App


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """A file that lets the slow resource finish; made at the end so that nothing is left waiting."""
    file = tmp_path / "go-on"
    yield file
    file.touch()


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


def slow(gate: Path, *, fails: bool = False) -> dict[str, Any]:
    """A shard whose apply waits for the gate, once something has been made."""
    marker = begun(gate)
    wait = f"echo $$ > {marker}.part; mv {marker}.part {marker}; while [ ! -e {gate} ]; do sleep 0.1; done"
    ends = f"{wait}; exit 1" if fails else wait
    return {
        "slow": {
            "resource": {
                "terraform_data": {
                    "early": {"input": "made before"},
                    "waiting": {
                        "depends_on": ["terraform_data.early"],
                        "provisioner": [{"local-exec": {"command": ends}}],
                    },
                }
            }
        }
    }


def begun(gate: Path) -> Path:
    return gate.with_name(f"{gate.name}.begun")


def wait_for_line(deploying: "subprocess.Popen[str]", text: str) -> None:
    assert deploying.stdout is not None
    heard = []
    for line in deploying.stdout:
        heard.append(line)
        if text in line:
            return
    pytest.fail(f"holdfast did not say {text!r}: {''.join(heard)}")


def held(app: "App") -> list[str]:
    """The shards whose lease or lock somebody holds."""
    locks = [key for key in app.object_keys() if key.endswith(".tflock")]
    leases = [key for key in app.object_keys() if key.startswith("_holdfast/leases/")]
    bodies = [json.loads(app.s3.get_object(Bucket=app.bucket, Key=key)["Body"].read()) for key in leases]
    return locks + [body["run"] for body in bodies if body["held"]]


def names(app: "App", shard: str) -> set[str]:
    return {resource["name"] for resource in app.state(shard)["resources"]}


def ends_committed(deploying: "subprocess.Popen[str]", plain_app: "App") -> None:
    """The slow shard is deployed to its end, and nothing of it is held or left to do."""
    said, _ = deploying.communicate(timeout=PATIENCE_SECONDS)

    assert deploying.returncode == 0, said
    assert names(plain_app, "slow") == {"early", "waiting"}
    assert held(plain_app) == []
    assert plain_app.outcomes("deploy", "--yes", "--refresh") == {"slow": "unchanged"}


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


CERTIFICATES = re.compile(r"<!-- certificates -->\n```\n(.*?)```\n<!-- /certificates -->", re.DOTALL)
EXECUTORS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "executors.md"


def certificates(folder: Path) -> Path:
    """Make them with the commands of the docs."""
    found = CERTIFICATES.search(EXECUTORS_PAGE.read_text())
    assert found is not None
    folder.mkdir()
    subprocess.run(["sh", "-euc", found[1]], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.long
def test_over_tls_with_the_certificates_of_the_docs_and_with_no_others(
    plain_app: "App", tmp_path: Path
) -> None:
    ours, strangers = certificates(tmp_path / "ours"), certificates(tmp_path / "strangers")
    tls = ("--tls-ca-file", "ca.pem", "--tls-cert", "member.pem", "--tls-key", "member.key")
    files = tuple(str(ours / word) if word.endswith((".pem", ".key")) else word for word in tls)
    cluster = Cluster(tmp_path, plain_app.environ, host="0.0.0.0", tls=files, protocol="tls")
    plain_app.write({"alone": {"resource": {"terraform_data": {"made": {"input": "3"}}}}})

    def options(folder: Path) -> tuple[str, ...]:
        names = {"ca": "ca.pem", "cert": "member.pem", "key": "member.key"}
        return tuple(
            word for name, file in names.items() for word in (f"--executor-{name}", str(folder / file))
        )

    cluster.begin()
    try:
        cluster.hire(1)
        assert cluster.address.startswith("tls://")
        stranger = plain_app.run("deploy", "--yes", "--executor", cluster.address, *options(strangers))
        bare = plain_app.run("deploy", "--yes", "--executor", cluster.address)
        ran = plain_app.run("deploy", "--yes", "--executor", cluster.address, *options(ours))
    finally:
        cluster.end()

    assert (stranger.returncode, bare.returncode) == (64, 64), stranger.stderr + bare.stderr
    assert "needs certificates" in bare.stderr
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert names(plain_app, "alone") == {"made"}


POISON = """
import os, pickle, sys
import distributed

class Bomb:
    def __reduce__(self):
        return os.system, (f"touch {sys.argv[2]}",)

def poison(run, bomb, dask_scheduler):
    topics = [name for name in dask_scheduler._broker._topics if name.startswith("holdfast-")]
    for name in topics:
        for message in (pickle.dumps(bomb), bomb, "nonsense", '{"event": "notice", "body": {}}'):
            dask_scheduler.log_event(name, message)
    return len(topics)

import cloudpickle
cloudpickle.register_pickle_by_value(sys.modules["__main__"])
print(distributed.Client(sys.argv[1]).run_on_scheduler(poison, "", cloudpickle.dumps(Bomb())))
"""


def test_what_an_outsider_puts_on_the_cluster_runs_nothing_in_the_deployer(
    plain_app: "App", cluster: Cluster, gate: Path, tmp_path: Path
) -> None:
    """Text that is no event, and the pickle of a command, sent to everybody who listens."""
    cluster.hire(1)
    plain_app.write(slow(gate))
    deploying = plain_app.start("deploy", "--yes", "--executor", cluster.address)
    wait_until(begun(gate).exists, "Terraform to apply")
    marker = tmp_path / "ran-in-the-deployer"

    asked = subprocess.run(
        [sys.executable, "-c", POISON, cluster.address, str(marker)],
        capture_output=True,
        text=True,
        check=False,
    )
    time.sleep(1)
    gate.touch()
    said, _ = deploying.communicate(timeout=PATIENCE_SECONDS)

    assert asked.stdout.strip() == "1", asked.stderr
    assert deploying.returncode == 0, said
    assert "what is no event of a worker" in said
    assert not marker.exists()
    assert names(plain_app, "slow") == {"early", "waiting"}


def test_a_cluster_that_anybody_could_use_is_refused_until_it_is_asked_for(
    plain_app: "App", cluster: Cluster
) -> None:
    cluster.begin_anew("0.0.0.0")
    cluster.hire(1)
    plain_app.write({"alone": {"resource": {"terraform_data": {"made": {"input": "3"}}}}})
    port = cluster.address.rpartition(":")[2]
    by_loopback = f"tcp://127.0.0.1:{port}"

    for address in (cluster.address, by_loopback):
        refused = plain_app.run("deploy", "--yes", "--executor", address)
        assert refused.returncode == 64, refused.stdout + refused.stderr
        assert "runs code on every machine of that cluster" in refused.stderr
    assert plain_app.object_keys() == []

    ran = plain_app.run("deploy", "--yes", "--executor", cluster.address, "--executor-insecure")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "is used without TLS" in ran.stdout


def test_a_worker_of_another_version_is_refused(plain_app: "App", cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other" / "holdfast-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: holdfast\nVersion: 0.0.1\n")
    cluster.hire(1, PYTHONPATH=str(other.parent))
    plain_app.write({"alone": {"resource": {"terraform_data": {"made": {"input": "3"}}}}})

    ran = plain_app.run("deploy", "--yes", "--executor", cluster.address)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "has Holdfast 0.0.1, not" in ran.stderr
    assert plain_app.state_keys() == []
