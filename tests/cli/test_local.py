"""`holdfast local` as a user meets it, and what it does when its server was killed or cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from holdfast_orchestrator.api.machine import local_cloud
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import REMOVED, local_environ, towards_local
from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.system.process import Command, SystemProcesses
from holdfast_orchestrator.system.runtime import real_runtime
from holdfast_orchestrator.testing import RefusedError, RefusingProcesses, refusing_runtime


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path, real_runtime())
    try:
        yield cloud
    finally:
        cloud.down()


def s3(endpoint: str | None) -> Any:
    assert endpoint is not None
    return real_runtime().aws.client("s3", region="eu-west-1", environ=local_environ(endpoint))


def state_file(project: Path) -> Path:
    return project / ".holdfast" / "local" / "cloud.json"


def holdfast(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from holdfast_orchestrator.cli import main; sys.exit(main())"
    argv = [sys.executable, "-c", code, "local", *words]
    return subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False)


def test_up_outlives_its_command_and_status_finds_it(tmp_path: Path, cloud: LocalCloud) -> None:
    up = holdfast(tmp_path, "up", "--json")

    status = holdfast(tmp_path, "status", "--json")

    document = json.loads(status.stdout)
    assert up.returncode == 0, up.stderr
    assert document == json.loads(up.stdout)
    jsonschema.validate(document, SCHEMAS["local-status.v1.json"]())
    assert document["running"] is True
    assert document["endpoint"].startswith("http://127.0.0.1:")
    assert document["state_buckets"] == ["holdfast-state-local"]


def test_up_twice_says_that_it_runs_already(tmp_path: Path, cloud: LocalCloud) -> None:
    first = cloud.up()

    again = holdfast(tmp_path, "up")

    assert again.returncode == 0
    assert f"already running at {first.endpoint}" in again.stdout


def test_down_is_fine_where_nothing_runs(tmp_path: Path) -> None:
    down = holdfast(tmp_path, "down")

    assert (down.returncode, down.stdout) == (0, "local cloud was not running\n")


def test_status_where_nothing_runs_starts_nothing(tmp_path: Path) -> None:
    status = holdfast(tmp_path, "status", "--json")

    assert json.loads(status.stdout)["running"] is False
    assert not state_file(tmp_path).exists()


def test_reset_where_nothing_runs_names_the_command_that_starts_it(tmp_path: Path) -> None:
    reset = holdfast(tmp_path, "reset")

    assert reset.returncode == 1
    assert "holdfast local up" in reset.stderr


def test_reset_where_nothing_runs_is_an_error_for_programs_too(tmp_path: Path) -> None:
    reset = holdfast(tmp_path, "reset", "--json")

    document = json.loads(reset.stdout)
    jsonschema.validate(document, SCHEMAS["error.v1.json"]())
    assert document["exit_code"] == reset.returncode != 0
    with pytest.raises(HoldfastError) as raised:
        local_cloud(tmp_path, runtime=refusing_runtime()).reset()
    assert raised.value.what == document["error"]


def test_down_stops_the_server_and_nothing_answers_there_any_more(cloud: LocalCloud) -> None:
    up = cloud.up()
    assert up.pid is not None
    assert up.endpoint is not None

    stopped = cloud.down()

    assert stopped
    assert SystemProcesses().birth(up.pid) is None
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", int(up.endpoint.rpartition(":")[2]))),
    ):
        pass


def test_state_buckets_are_versioned_and_further_ones_can_be_added(cloud: LocalCloud) -> None:
    cloud.up()

    status = cloud.up(buckets=["another-state"])

    assert status.state_buckets == ("holdfast-state-local", "another-state")
    for name in status.state_buckets:
        assert s3(status.endpoint).get_bucket_versioning(Bucket=name)["Status"] == "Enabled"


def test_reset_empties_everything_and_makes_the_state_bucket_again(cloud: LocalCloud) -> None:
    client = s3(cloud.up().endpoint)
    client.put_object(Bucket="holdfast-state-local", Key="some/state", Body=b"{}")

    cloud.reset()

    assert client.list_objects_v2(Bucket="holdfast-state-local")["KeyCount"] == 0
    assert client.get_bucket_versioning(Bucket="holdfast-state-local")["Status"] == "Enabled"


def test_a_killed_server_is_noticed_and_the_next_up_starts_another(cloud: LocalCloud) -> None:
    first = cloud.up()
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    while SystemProcesses().birth(first.pid) is not None:
        time.sleep(0.01)

    after = cloud.status()
    second = cloud.up()

    assert not after.running
    assert second.running
    assert second.pid != first.pid


def test_a_process_that_got_the_id_of_a_dead_server_is_never_taken_for_it(
    tmp_path: Path, cloud: LocalCloud
) -> None:
    cloud.up()
    record = json.loads(state_file(tmp_path).read_text())
    own = cloud.status().pid
    # After a reboot the id may belong to anything; here it is this test's own process.
    state_file(tmp_path).write_text(json.dumps({**record, "pid": os.getpid()}))

    stopped = cloud.down()

    assert not stopped
    assert own is not None
    SystemProcesses().terminate(own, grace=5)


def test_a_torn_state_file_is_taken_for_none(tmp_path: Path, cloud: LocalCloud) -> None:
    state_file(tmp_path).parent.mkdir(parents=True)
    state_file(tmp_path).write_text('{"pid": ')

    assert cloud.status().running is False


def test_a_server_that_cannot_start_is_an_error_with_the_end_of_its_log(cloud: LocalCloud) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(HoldfastError, match=r"did not start(?s:.*)in use") as error:
            cloud.up(port=taken.getsockname()[1])

    assert "holdfast local up" in str(error.value)
    assert not cloud.status().running


def test_status_needs_no_program_and_no_aws(tmp_path: Path) -> None:
    status = LocalCloud(tmp_path, refusing_runtime()).status()

    assert status.running is False


def test_the_server_gets_none_of_the_users_aws_variables(tmp_path: Path) -> None:
    seen: list[Command] = []

    class Watching(RefusingProcesses):
        def start_detached(self, command: Command, *, log: Path | int) -> int:
            seen.append(command)
            return super().start_detached(command, log=log)

    environ = {"AWS_PROFILE": "prod", "MOTO_ACCOUNT_ID": "1", "PATH": "/bin"}
    runtime = replace(refusing_runtime(processes=Watching()), environ=environ)

    with pytest.raises(RefusedError):
        LocalCloud(tmp_path, runtime).up()

    kept = set(seen[0].environ)
    assert "PATH" in kept
    assert not kept & {"AWS_PROFILE", "MOTO_ACCOUNT_ID"}


def test_the_local_environment_wins_over_whatever_pointed_at_aws() -> None:
    before = {
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL_S3": "https://elsewhere",
        "AWS_CA_BUNDLE": "/some/file",
        "HOME": "/home/me",
    }

    after = towards_local(before, "http://127.0.0.1:5000")

    assert after["HOME"] == "/home/me"
    assert after["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5000"
    assert "AWS_ENDPOINT_URL_S3" not in after
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_REGION"} & set(after)


def test_what_is_removed_is_never_set_but_to_point_nowhere() -> None:
    environ = local_environ("http://127.0.0.1:1")

    assert {environ[name] for name in REMOVED if name in environ} == {"/dev/null"}
