"""Logs that the caller has switched on lie where they say, and in no file of ours."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast_orchestrator.engine.user_logs import log_places, log_warning

if TYPE_CHECKING:
    from tests.terraform.conftest import App

# As a path of Terraform's log has it, and nothing else on this disk.
TRACE = b"[TRACE]"


def files_with_a_log(*folders: Path) -> set[Path]:
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path for path in files if not path.is_symlink() and TRACE in path.read_bytes()}


def test_a_log_lies_where_the_caller_says_and_nowhere_else(plain_app: "App", tmp_path: Path) -> None:
    plain_app.write({"one": {"resource": {"terraform_data": {"made": {"input": "x"}}}}})
    cache = tmp_path / "own-cache"
    environ = {**plain_app.environ, "HOLDFAST_CACHE_DIR": str(cache), "TF_LOG": "TRACE"}
    kept = replace(plain_app, environ={**environ, "TF_LOG_PATH": "terraform.log"})

    deployed = kept.run("deploy", "--yes", "--events", "events.jsonl")
    (log,) = files_with_a_log(cache, plain_app.folder)
    without = replace(plain_app, environ=environ).run("plan", "--refresh")

    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert log == plain_app.folder / "terraform.log"
    assert log.stat().st_mode & 0o077 == 0
    events = [json.loads(line) for line in (plain_app.folder / "events.jsonl").read_text().splitlines()]
    assert sum("TF_LOG_PATH=terraform.log" in event.get("message", "") for event in events) == 1
    assert deployed.stdout.count("secrets in plain text") == 1
    assert without.returncode == 0, without.stdout + without.stderr
    assert "TF_LOG is set without TF_LOG_PATH" in without.stdout
    assert files_with_a_log(cache, plain_app.folder) == {log}
    for ran in (deployed, without):
        assert TRACE.decode() not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, None),
        ({"TF_LOG_PATH": "x"}, None),
        ({"TF_LOG": "OFF", "TF_LOG_PATH": "x"}, None),
        ({"TF_LOG": "INFO", "TF_LOG_PATH": "x"}, "TF_LOG_PATH=x"),
        ({"TF_LOG_CORE": "trace", "TF_LOG_PATH": "/x/y"}, "TF_LOG_PATH=/x/y"),
        ({"TF_LOG_PROVIDER": "debug"}, "TF_LOG_PROVIDER is set without TF_LOG_PATH"),
        ({"TF_LOG_SDK_PROTO_DATA_DIR": "d"}, "TF_LOG_SDK_PROTO_DATA_DIR=d"),
    ],
)
def test_what_is_said_of_a_log(environ: dict[str, str], said: str | None) -> None:
    warning = log_warning(environ)

    assert (warning is None) if said is None else (warning is not None and said in warning)


def test_places_of_logs_count_from_where_the_caller_is() -> None:
    environ = {"TF_LOG_PATH": "a/b", "TF_LOG_SDK_PROTO_DATA_DIR": "/abs", "TF_LOG": "TRACE"}

    places = log_places(environ, Path("/home/me"))

    assert places == {"TF_LOG_PATH": "/home/me/a/b", "TF_LOG_SDK_PROTO_DATA_DIR": "/abs"}
