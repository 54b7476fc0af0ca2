"""`holdfast ci matrix` from the command line to the document; no door to the outside world is open."""

import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.support.command_line import Ran, run_cli
from tests.support.written_app import ACCOUNT, REGION, WrittenApp

from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.testing import FrozenClock, captured_terminal, refusing_runtime

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
# Shard, service, and the services it depends on.
CHAIN = (("network", ()), ("data", ("network",)), ("orders", ("data",)), ("reports", ("data",)))


def write_app(folder: Path, *services: tuple[str, tuple[str, ...]]) -> None:
    (folder / "cdktf.json").write_text('{"app": "false"}')
    app = WrittenApp(folder)
    for service, upstreams in services:
        role = ROLE if service == "network" else None
        app.add(f"{service}-prod", after=[f"{upstream}-prod" for upstream in upstreams], role_arn=role)


def run(folder: Path, *argv: str) -> Ran:
    runtime = refusing_runtime(cwd=folder, terminal=captured_terminal(), clock=FrozenClock())
    return run_cli(["ci", "matrix", *argv], runtime)


def matrix(folder: Path, *argv: str) -> list[list[dict[str, Any]]]:
    ran = run(folder, *argv, "--json")
    assert ran.code == 0, ran.err
    jsonschema.validate(ran.document, SCHEMAS["ci-matrix.v1.json"]())
    return [wave["include"] for wave in ran.document["waves"]]


def shards(waves: list[list[dict[str, Any]]]) -> list[list[str]]:
    return [[job["shard"] for job in wave] for wave in waves]


def test_each_wave_is_an_include_list_with_all_that_a_job_needs(tmp_path: Path) -> None:
    write_app(tmp_path, *CHAIN)

    waves = matrix(tmp_path)

    assert shards(waves) == [["network-prod"], ["data-prod"], ["orders-prod", "reports-prod"]]
    assert waves[0][0] == {
        "shard": "network-prod",
        "service": "network",
        "environment": "prod",
        "account": ACCOUNT,
        "region": REGION,
        "role_arn": ROLE,
        "command": "holdfast deploy --yes --env prod --service network --stack network-prod",
    }
    assert waves[1][0]["role_arn"] is None


def test_order_holds_where_the_link_between_two_shards_was_not_chosen(tmp_path: Path) -> None:
    write_app(tmp_path, *CHAIN)

    assert shards(matrix(tmp_path, "--service", "network", "--service", "orders")) == [
        ["network-prod"],
        ["orders-prod"],
    ]


def test_dependents_come_along_when_asked_for(tmp_path: Path) -> None:
    write_app(tmp_path, *CHAIN)

    assert shards(matrix(tmp_path, "--service", "data", "--include-dependents")) == [
        ["data-prod"],
        ["orders-prod", "reports-prod"],
    ]


def test_a_wave_above_the_limit_is_split(tmp_path: Path) -> None:
    write_app(tmp_path, *CHAIN)

    assert shards(matrix(tmp_path, "--limit", "1")) == [
        ["network-prod"],
        ["data-prod"],
        ["orders-prod"],
        ["reports-prod"],
    ]


def test_a_job_is_told_what_led_to_the_app(tmp_path: Path) -> None:
    app = tmp_path / "my app"
    app.mkdir()
    write_app(app, *CHAIN)

    waves = matrix(tmp_path, "--project", "my app", "--verb", "plan", "--service", "data")

    assert shlex.split(waves[0][0]["command"]) == [
        *("holdfast", "plan", "--env", "prod", "--service", "data", "--stack", "data-prod"),
        *("--project", "my app"),
    ]


def test_people_read_a_table(tmp_path: Path) -> None:
    write_app(tmp_path, *CHAIN)

    ran = run(tmp_path)

    assert ran.code == 0
    assert ran.out.splitlines()[0].split() == ["WAVE", "SHARD", "ACCOUNT", "REGION", "COMMAND"]
    assert ran.out.splitlines()[2].startswith("2     data-prod")


@pytest.mark.parametrize("limit", ["0", "257"])
def test_a_limit_no_matrix_can_have_is_wrong_usage(tmp_path: Path, limit: str) -> None:
    write_app(tmp_path, *CHAIN)

    ran = run(tmp_path, "--limit", limit)

    assert (ran.code, ran.out) == (64, "")
    assert "1<=x<=256" in ran.err
