"""Secrets that nobody marked are found by where they stand."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.plan.document import parse_plan
from holdfast_orchestrator.report.defect import report_defect
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import SystemClock
from holdfast_orchestrator.system.secret_places import (
    secrets_beside_changes,
    secrets_in_configuration,
    secrets_in_state,
    without_environment,
)
from holdfast_orchestrator.testing import refusing_runtime

WORD = "swordfish"
CANARY = "canary-7Qe0xVb1zKfT9mWq"


def definitions(name: str = "GREETING", value: str = CANARY) -> str:
    return json.dumps([{"name": "web", "environment": [{"name": name, "value": value}]}])


def resource(kind: str, **attributes: Any) -> dict[str, Any]:
    return {"resource": {kind: {"one": attributes}}}


@pytest.mark.parametrize(
    "document",
    [
        resource("aws_db_instance", password=CANARY),
        resource("aws_rds_cluster", master_password=CANARY),
        resource("aws_secretsmanager_secret_version", secret_string=CANARY),
        resource("aws_ssm_parameter", type="SecureString", value=CANARY),
        resource("aws_elasticache_replication_group", auth_token=CANARY),
        resource("aws_ecs_task_definition", container_definitions=definitions()),
        resource("aws_ecs_task_definition", container_definitions=definitions("DB_PASSWORD", WORD)),
        {"provider": {"aws": [{"secret_key": CANARY}]}},
        {"variable": {"v": {"sensitive": True, "default": {"deep": [CANARY]}}}},
        {"output": {"o": {"sensitive": True, "value": f"${{a.b}} {CANARY}"}}},
    ],
)
def test_a_secret_written_into_the_configuration_is_found(document: dict[str, Any]) -> None:
    redactor, written = Redactor(), json.dumps(document)
    redactor.learn([*secrets_in_configuration(written.encode())])
    (secret,) = (text for text in (CANARY, WORD) if text in written)

    assert secret not in redactor.text(f"provider said: {secret}")


@pytest.mark.parametrize(
    "document",
    [
        resource("aws_ssm_parameter", type="String", value=CANARY),
        resource("aws_ecs_task_definition", container_definitions=definitions("STAGE", "production")),
        resource("aws_ecs_task_definition", container_definitions=definitions("HOST", "db1.example.com")),
        {"output": {"o": {"value": CANARY}}},
        {"variable": {"v": {"default": CANARY}}},
    ],
)
def test_what_is_no_secret_by_its_place_is_not_learned(document: dict[str, Any]) -> None:
    assert list(secrets_in_configuration(json.dumps(document).encode())) == []


def test_a_configuration_that_is_no_json_has_no_secrets() -> None:
    assert list(secrets_in_configuration(b"{half")) == []


def test_the_secrets_of_a_state_are_found() -> None:
    state = {
        "outputs": {"o": {"value": "out-secret", "sensitive": True}, "p": {"value": "public"}},
        "resources": [{"instances": [{"attributes": {"password": CANARY, "name": "shop"}}]}],
    }

    assert sorted(secrets_in_state(state)) == [CANARY, "out-secret"]


def test_what_a_plan_has_read_and_was_given_is_found() -> None:
    shown = {
        "variables": {"v": {"value": "var-secret"}, "w": {"value": "public"}},
        "configuration": {"root_module": {"variables": {"v": {"sensitive": True}, "w": {}}}},
        "prior_state": {
            "values": {
                "root_module": {
                    "child_modules": [
                        {"resources": [{"values": {"body": CANARY}, "sensitive_values": {"body": True}}]}
                    ]
                }
            }
        },
    }

    assert sorted(secrets_beside_changes(shown)) == [CANARY, "var-secret"]


@pytest.mark.parametrize("value", ["production", CANARY])
def test_a_plan_shows_no_value_of_a_containers_environment(value: str) -> None:
    change = {
        "actions": ["update"],
        "before": {"container_definitions": definitions(value=value)},
        "after": {"container_definitions": definitions(value=f"{value}2"), "family": "shop"},
    }
    raw = {"address": "a.b", "type": "aws_ecs_task_definition", "change": change}

    (shown,) = parse_plan({"format_version": "1.2", "resource_changes": [raw]}, Redactor()).changes

    assert shown.after is not None
    assert value not in f"{shown.before}{shown.after}"
    assert "GREETING" in shown.after["container_definitions"]
    assert shown.after["family"] == "shop"


def test_what_has_no_containers_is_shown_as_it_is() -> None:
    assert without_environment({"a": [1], "container_definitions": "${known.after}"}) == {
        "a": [1],
        "container_definitions": "${known.after}",
    }


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('[{"name":"A","value":"production"}]', "production"),
        (r'"[{\"name\":\"A\",\"value\":\"production\"}]"', "production"),
        ('{"value": "production", "name": "A"}', "production"),
        ("key AKIAIOSFODNN7EXAMPLE is", "AKIAIOSFODNN7EXAMPLE"),
        ("--approve a --password hunter2hunter2", "hunter2hunter2"),
        ("Server=db;Uid=app;Pwd=hunter2hunter2;", "hunter2hunter2"),
        (r"{\"password\":\"hunter2hunter2\"}", "hunter2hunter2"),
        ('secret_string = "hunter2hunter2"', "hunter2hunter2"),
        ("xoxb-123456789012-abcdefghij", "abcdefghij"),
        ("holdfast deploy --approve a.b=token=hunter2hunter2", "hunter2hunter2"),
        ("glpat-abcdefghij0123456789", "abcdefghij0123456789"),
    ],
)
def test_what_looks_like_a_credential_is_replaced(text: str, secret: str) -> None:
    assert secret not in Redactor().text(text)


def test_what_the_user_names_is_never_shown() -> None:
    redactor = Redactor({"HOLDFAST_REDACT": "first secret\nsecond secret"})

    assert redactor.text("the first secret, the second secret") == "the (sensitive), the (sensitive)"


def test_a_defect_report_holds_no_secret_that_was_learned_and_is_private(tmp_path: Path) -> None:
    runtime = refusing_runtime(clock=SystemClock(), processes=SystemProcesses(), cwd=tmp_path, cache=tmp_path)
    runtime.redactor.learn([CANARY])

    line = report_defect(ValueError(f"no {CANARY}"), ["deploy", f"--x={CANARY}"], runtime)

    (report,) = (tmp_path / "reports").iterdir()
    assert CANARY not in line + report.read_text()
    assert "(sensitive)" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0
