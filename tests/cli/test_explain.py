"""`holdfast explain`, with an app that is written by the test."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.support.command_line import Ran, run_cli
from tests.support.written_app import WrittenApp

from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.system.process import Command, Completed
from holdfast_orchestrator.system.runtime import Terminal
from holdfast_orchestrator.testing import FrozenClock, ScriptedProcesses, captured_terminal, refusing_runtime


def row(name: str, value: Any, source: str, *controls: str, weakened: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "from": source,
        "why": f"why {name}",
        "controls": list(controls),
        "weakened": weakened,
    }


STACKS = {
    "data-dev": {
        "profile": "dev",
        "settings": [{"name": "network.nat", "value": "single", "from": "profile dev"}],
        "blocks": [
            {
                "block": "Postgres",
                "id": "orders",
                "place": "stacks/data.py:23",
                "properties": [
                    row("multi_az", True, "stacks/data.py:23", "CKV_AWS_157"),
                    row("backup_days", 1, "profile dev", "CKV_AWS_133", "FSBP RDS.11", weakened=True),
                    row("database", None, "default"),
                ],
            }
        ],
    },
    "edge-dev": {"profile": "dev", "settings": [], "blocks": []},
}


def explain(
    folder: Path, *argv: str, document: dict[str, Any] | None, terminal: Terminal | None = None
) -> Ran:
    (folder / "cdktf.json").write_text('{"app": "python main.py"}')

    def answer(command: Command) -> Completed:
        app = WrittenApp(folder)
        for name in STACKS:
            app.add(name)
        if document is not None:
            (app.out / "explained.json").write_text(json.dumps(document))
        return Completed(command=command, code=0)

    runtime = refusing_runtime(
        cwd=folder,
        terminal=terminal or captured_terminal(),
        clock=FrozenClock(),
        cache=folder / "cache",
        processes=ScriptedProcesses(answer),
    )
    return run_cli(("explain", *argv), runtime)


DOCUMENT = {"schema": "holdfast/explained/v1", "stacks": STACKS}


@pytest.mark.parametrize("named", ["data", "data-dev"])
def test_each_property_has_its_value_its_origin_and_its_controls(tmp_path: Path, named: str) -> None:
    ran = explain(tmp_path, named, document=DOCUMENT)

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "data-dev  profile dev",
        "",
        "settings",
        "  network.nat  single  profile dev",
        "",
        'Postgres "orders"  stacks/data.py:23',
        "  multi_az     true  stacks/data.py:23",
        "      CKV_AWS_157",
        "! backup_days  1     profile dev",
        "      not satisfied: CKV_AWS_133, FSBP RDS.11",
        "  database     -     default",
        "",
        "1 control satisfied · 1 property weakens a control",
    ]


def test_only_what_weakens_a_control_is_listed_where_that_is_asked_for(tmp_path: Path) -> None:
    ran = explain(tmp_path, "--weakened", "--reasons", document=DOCUMENT)

    assert ran.out.splitlines()[2:6] == [
        'Postgres "orders"  stacks/data.py:23',
        "! backup_days  1  profile dev",
        "      why backup_days",
        "      not satisfied: CKV_AWS_133, FSBP RDS.11",
    ]
    assert "edge-dev" not in ran.out


def test_in_a_terminal_of_80_columns_no_line_is_longer_and_nothing_is_cut(tmp_path: Path) -> None:
    image = f"210987654321.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:{'4' * 64}"
    place = "stacks/holdfast_stacks/orders.py:21"
    name, controls = f"services.{'x' * 80}", tuple(f"CKV_AWS_{number}" for number in range(100, 112))
    properties = [
        row("port", 8080, place),
        row("image", image, place, *controls),
        row("size", "large", place),
    ]
    block = {"block": "WebService", "id": "a" * 90, "place": place, "properties": properties}
    setting = {"name": name, "value": {"LEVEL": "info"}, "from": "environments/prod.toml"}
    stack = {"profile": "prod", "settings": [setting], "blocks": [block]}
    document = {**DOCUMENT, "stacks": {**STACKS, "data-dev": stack}}

    ran = explain(
        tmp_path, "data", "--reasons", document=document, terminal=captured_terminal(is_tty=True, width=80)
    )

    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    together = "".join("".join(line.split()) for line in lines)
    for whole in (image, name, "a" * 90, *controls, '{"LEVEL":"info"}'):
        assert whole in together
    assert [line for line in lines if place in line and "port" in line] == [f"  port  8080   {place}"]
    assert "…" not in ran.out


def test_as_json_it_is_valid_and_keeps_every_value(tmp_path: Path) -> None:
    ran = explain(tmp_path, "data", "--json", document=DOCUMENT)

    jsonschema.validate(ran.document, SCHEMAS["explain.v1.json"]())
    [stack] = ran.document["stacks"]
    assert stack["name"] == "data-dev"
    assert [each["value"] for each in stack["blocks"][0]["properties"]] == [True, 1, None]


def test_an_app_without_our_blocks_is_told_so(tmp_path: Path) -> None:
    ran = explain(tmp_path, document=None)

    assert ran.code == 64
    assert "has no stacks of Holdfast's blocks" in ran.err
    assert "holdfast list" in ran.err


def test_a_stack_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    ran = explain(tmp_path, "dota", document=DOCUMENT)

    assert ran.code == 64
    assert "dota" in ran.err
    assert ran.out == ""


def test_a_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    ran = explain(tmp_path, document={"schema": "holdfast/explained/v1", "stacks": {"data-dev": {}}})

    assert ran.code == 64
    assert "explained.json" in ran.err
    assert "profile" in ran.err
