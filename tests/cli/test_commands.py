"""From the command line in to exit code, document and message out; the outside world is doubles."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.exceptions
import jsonschema
import pytest
from tests.support.command_line import Ran, run_cli
from tests.support.written_app import WrittenApp

from holdfast_orchestrator import cli
from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.system.process import Command, Completed
from holdfast_orchestrator.system.runtime import Runtime, Terminal
from holdfast_orchestrator.testing import (
    FrozenClock,
    ScriptedProcesses,
    captured_terminal,
    refusing_runtime,
)

OWN = ("synth", "list", "graph", "plan", "deploy", "destroy")
SOURCE = Path(cli.__file__).parent.parent
ABOUT_SHARDS = ("plan", "deploy", "destroy")


def write_app(folder: Path, *, environments: tuple[str, ...] = ("dev",), **shard: Any) -> None:
    app = WrittenApp(folder)
    for environment in environments:
        app.add(f"network-{environment}", **shard)
        app.add(f"orders-{environment}", after=[f"network-{environment}"], **shard)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "cdktf.json").write_text('{"app": "python main.py"}')
    return tmp_path


def world(folder: Path, **doors: Any) -> Runtime:
    return refusing_runtime(
        **{"cwd": folder, "terminal": captured_terminal(), "clock": FrozenClock(), "cache": folder / "cache"}
        | doors
    )


def run(folder: Path, *argv: str, **doors: Any) -> Ran:
    return run_cli(argv, world(folder, **doors))


def synthesizing(folder: Path, **app: Any) -> ScriptedProcesses:
    def answer(command: Command) -> Completed:
        write_app(folder, **app)
        return Completed(command=command, code=0)

    return ScriptedProcesses(answer)


def failing(code: int, stderr: str) -> ScriptedProcesses:
    return ScriptedProcesses(lambda command: Completed(command=command, code=code, stderr=stderr))


@pytest.mark.parametrize("name", OWN)
def test_every_command_has_help_with_examples(
    project: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.invoke([name, "--help"], world(project))

    shown = capsys.readouterr().out
    assert code == 0
    assert "Examples:" in shown
    assert f"holdfast {name}" in shown


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, holdfast_orchestrator.cli as cli; cli.main(['--help']); "
        "print(sorted({'pydantic', 'rich', 'boto3', 'botocore', 'cdktf', 'jsii'} & set(sys.modules)))"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines()[-1] == "[]"


def test_list_starts_no_program_where_everything_has_been_synthesized(project: Path) -> None:
    write_app(project)

    ran = run(project, "list", "--json")

    assert ran.code == 0
    jsonschema.validate(ran.document, SCHEMAS["list.v1.json"]())
    network, orders = ran.document["shards"]
    assert network["name"] == "network-dev"
    assert orders["key"] == "orders/123456789012/eu-west-1/dev/terraform.tfstate"
    assert orders["depends_on"] == ["network-dev"]
    assert {"service", "environment", "account", "region"} <= orders.keys()


def test_list_synthesizes_where_something_asked_for_is_missing(project: Path) -> None:
    write_app(project)
    processes = synthesizing(project, environments=("dev", "prod"))

    ran = run(project, "list", "--env", "prod", "--json", processes=processes)

    assert [shard["name"] for shard in ran.document["shards"]] == ["network-prod", "orders-prod"]
    assert len(processes.commands) == 1


def test_list_reads_as_a_table(project: Path) -> None:
    write_app(project)

    ran = run(project, "list")

    assert ran.out.splitlines()[2].split() == [
        "orders-dev",
        "orders/123456789012/eu-west-1/dev/terraform.tfstate",
        "network-dev",
    ]


def test_graph_as_json_is_valid_and_has_waves(project: Path) -> None:
    write_app(project)

    ran = run(project, "graph", "--json")

    jsonschema.validate(ran.document, SCHEMAS["graph.v1.json"]())
    assert ran.document["waves"] == [["network-dev"], ["orders-dev"]]


def test_synth_as_json_names_the_folder_and_talks_on_standard_error(project: Path) -> None:
    ran = run(project, "synth", "--json", processes=synthesizing(project))

    jsonschema.validate(ran.document, SCHEMAS["synth.v1.json"]())
    assert ran.document["output"] == str(project / "cdktf.out")
    assert "synthesized 2 shards" in ran.err


def test_an_environment_variable_stands_in_for_an_option(project: Path) -> None:
    write_app(project, environments=("dev", "prod"))

    ran = run(
        project, "list", "--json", environ={"HOLDFAST_ENV": "prod", "HOLDFAST_SERVICE": "network,orders"}
    )

    assert [shard["name"] for shard in ran.document["shards"]] == ["network-prod", "orders-prod"]


def test_an_option_wins_over_its_environment_variable(project: Path) -> None:
    write_app(project, environments=("dev", "prod"))

    ran = run(project, "list", "--env", "dev", "--json", environ={"HOLDFAST_ENV": "prod"})

    assert {shard["environment"] for shard in ran.document["shards"]} == {"dev"}


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["no-such-command"], "No such command 'no-such-command'"),
        (["list", "--no-such-option"], "No such option"),
        (["deploy", "--max-parallel", "0"], "--max-parallel"),
        (["deploy"], "there is no terminal to ask on"),
        (["destroy"], "there is no terminal to ask on"),
        (["list", "--project", "elsewhere"], "there is no cdktf.json in"),
    ],
)
def test_wrong_usage_ends_with_64_and_says_why(project: Path, argv: list[str], said: str) -> None:
    write_app(project)

    ran = run(project, *argv)

    assert ran.code == 64
    assert said in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    "argv",
    [
        ["deploy", "--env", "prod", "--stack", "or*"],
        ["destroy", "--env", "prod", "--stack", "orders"],
        ["rollback", "orders", "--env", "prod", "--to", "01JD3K4T7Q9ZV5M2X8R6W1B0CE"],
    ],
)
def test_where_nobody_can_be_asked_the_same_command_is_named_with_yes(project: Path, argv: list[str]) -> None:
    ran = run(project, *argv)

    assert ran.code == 64
    assert f"next: holdfast {shlex.join(argv)} --yes\n" in ran.err


@pytest.mark.parametrize("name", ABOUT_SHARDS)
def test_a_name_that_matches_nothing_ends_with_64_and_lists_what_there_is(project: Path, name: str) -> None:
    yes = ["--yes"] if name != "plan" else []

    ran = run(project, name, *yes, "--env", "prdo", processes=synthesizing(project))

    assert ran.code == 64
    assert "--env 'prdo' matches no stack; there are: dev" in ran.err


@pytest.mark.parametrize("name", ["deploy", "destroy"])
def test_what_changes_things_wants_its_environment_named_where_there_are_several(
    project: Path, name: str
) -> None:
    ran = run(project, name, "--yes", processes=synthesizing(project, environments=("dev", "prod")))

    assert ran.code == 64
    assert "2 environments: dev, prod" in ran.err


def test_wrong_settings_of_the_app_end_with_64_and_its_own_words(project: Path) -> None:
    said = "environments/dev.toml: nat must be per_az, single or none, got 'two'"

    ran = run(project, "plan", processes=failing(64, said))

    assert ran.code == 64
    assert ran.err.count(said) == 1


def test_a_crash_of_the_app_ends_with_1(project: Path) -> None:
    ran = run(project, "synth", processes=failing(1, "ValueError: broken"))

    assert ran.code == 1
    assert "ValueError: broken" in ran.err


def test_an_error_is_a_document_too(project: Path) -> None:
    ran = run(project, "list", "--env", "x", "--json", processes=synthesizing(project))

    jsonschema.validate(ran.document, SCHEMAS["error.v1.json"]())
    assert ran.document["exit_code"] == ran.code == 64
    assert ran.document["error"] in ran.err


class NoBucket:
    """An AWS whose buckets do not exist."""

    def client(self, service: str, *, region: str, environ: object) -> Any:
        def head_bucket(**_arguments: object) -> None:
            raise botocore.exceptions.ClientError({"Error": {"Code": "404"}}, "HeadBucket")

        assert (service, region) == ("s3", "eu-west-1")
        return type("Client", (), {"head_bucket": staticmethod(head_bucket)})


@pytest.mark.parametrize("name", ABOUT_SHARDS)
def test_a_missing_state_bucket_is_one_clear_error(project: Path, name: str) -> None:
    yes = ["--yes"] if name != "plan" else []

    ran = run(project, name, *yes, processes=synthesizing(project), aws=NoBucket())

    assert ran.code == 1
    assert "the state bucket 'states' does not exist in eu-west-1" in ran.err
    assert "aws s3api create-bucket --bucket states" in ran.err


def test_the_local_cloud_that_does_not_run_is_named_with_the_command_that_starts_it(project: Path) -> None:
    app = synthesizing(project, environments=("local",), cloud="local")

    ran = run(project, "plan", processes=app)

    assert ran.code == 1
    assert "holdfast local up" in ran.err


def typing(answers: str) -> Terminal:
    return captured_terminal(answers=answers, is_tty=True)


@pytest.mark.parametrize("answer", ["", "y\n", "prod\n"])
def test_destroy_takes_nothing_down_unless_the_environment_is_typed(project: Path, answer: str) -> None:
    ran = run(project, "destroy", processes=synthesizing(project), terminal=typing(answer))

    assert ran.code == 4
    assert "not confirmed; nothing was taken down" in ran.err


@pytest.mark.parametrize(
    ("option", "argv"),
    [
        ("--retired", ("destroy", "--env", "dev", "--retired", "--yes")),
        ("--stack", ("destroy", "--env", "dev", "--stack", "--yes")),
        ("--approve", ("deploy", "--env", "dev", "--approve", "--yes")),
    ],
)
def test_an_option_whose_value_was_forgotten_does_not_take_the_next_option(
    project: Path, option: str, argv: tuple[str, ...]
) -> None:
    ran = run(project, *argv)

    assert ran.code == 64
    assert f"Option '{option}' requires an argument." in ran.err


def test_destroy_wants_each_protected_resource_typed(project: Path) -> None:
    app = synthesizing(project, protected=["aws_db_instance.db"])

    ran = run(project, "destroy", processes=app, terminal=typing("dev\nyes\n"))

    assert ran.code == 4
    assert "aws_db_instance.db is protected and was not named" in ran.err


def explode(_command: Command) -> Completed:
    raise ZeroDivisionError("secret AWS_SECRET_ACCESS_KEY=abcd1234efgh")


def interrupt(_command: Command) -> Completed:
    raise KeyboardInterrupt


def test_a_defect_ends_with_3_and_a_report_without_secrets(project: Path) -> None:
    ran = run(project, "synth", processes=ScriptedProcesses(explode))

    (report,) = (project / "cache" / "reports").iterdir()
    assert ran.code == 3
    assert len(ran.err.splitlines()) == 1
    assert str(report) in ran.err
    assert "ZeroDivisionError" in report.read_text()
    assert "abcd1234efgh" not in report.read_text() + ran.err


def test_ctrl_c_outside_a_run_ends_at_once_with_130(project: Path) -> None:
    ran = run(project, "synth", processes=ScriptedProcesses(interrupt))

    assert ran.code == 130
    assert "nothing was being changed" in ran.err


def test_events_go_to_a_file_a_line_each(project: Path) -> None:
    ran = run(project, "synth", "--events", "events.jsonl", processes=synthesizing(project))

    events = [json.loads(line) for line in (project / "events.jsonl").read_text().splitlines()]
    assert ran.code == 0
    assert [event["event"] for event in events] == ["synth_started", "synth_finished"]
    for event in events:
        jsonschema.validate(event, SCHEMAS["event.v1.json"]())


def test_events_of_a_command_that_watches_twice_are_all_kept(project: Path) -> None:
    words = ("destroy", "--yes", "--events", "events.jsonl")

    ran = run(project, *words, processes=synthesizing(project), aws=NoBucket())

    assert ran.code == 1
    assert '"synth_finished"' in (project / "events.jsonl").read_text()


@pytest.mark.parametrize("argv", [["list"], ["graph"], ["ci", "matrix"], ["advise"]])
def test_a_command_that_only_answers_can_be_watched_beside_its_answer(project: Path, argv: list[str]) -> None:
    words = (*argv, "--verbose", "--events", "events.jsonl", "--json")

    ran = run(project, *words, processes=synthesizing(project), aws=NoBucket())

    assert '"synth_finished"' in (project / "events.jsonl").read_text()
    assert "synthesized" in ran.err
    assert json.loads(ran.out)["schema"]


def test_without_arguments_the_help_is_shown(project: Path) -> None:
    ran = run(project)

    assert ran.code == 0
    assert "Commands:" in ran.out
