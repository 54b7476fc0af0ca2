"""Who may be on a cluster: certificates, outsiders, and workers of another version."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.cluster import PATIENCE_SECONDS, Cluster, wait_until

if TYPE_CHECKING:
    from tests.terraform.conftest import App
from tests.support.slow_shards import begun, names, slow

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
