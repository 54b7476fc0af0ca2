"""The CI files of docs/ci/ are valid, complete, and those of the page."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.support.ci_files import FOLDER, read, steps_of
from tests.support.documented_commands import faults

from holdfast_orchestrator.report.schemas import SCHEMAS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
GITHUB = sorted(FOLDER.glob("github-*.yml"))
WORKFLOWS = [file for file in GITHUB if file.name != "github-install.yml"]
GITLAB = FOLDER / "gitlab-ci.yml"
YAML_FILES = [*GITHUB, GITLAB]
# A command as a script has it, without its first word; the mark of a comment is none.
COMMAND = re.compile(r"(?<!<!-- )\bholdfast ([a-z][^|>;#\n]*)")
# What a job of GitLab is not.
GITLAB_KEYWORDS = {"workflow", "stages", "default", "variables"}


def named(file: Path) -> str:
    return file.name


def schema_of(file: Path) -> dict[str, Any]:
    name = {"github-install.yml": "github-actions", "gitlab-ci.yml": "gitlab-ci"}.get(file.name)
    path = ROOT / "tests" / "fixtures" / "ci_schemas" / f"{name or 'github-workflows'}.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def gitlab_jobs() -> dict[str, dict[str, Any]]:
    """Return the jobs with what they take over from `.holdfast`."""
    document = read(GITLAB.name)
    below = {name: job for name, job in document.items() if name not in GITLAB_KEYWORDS}
    template = below.pop(".holdfast")
    for name, job in below.items():
        assert job.get("extends", ".holdfast") == ".holdfast"
        below[name] = {**document["default"], **(template if "extends" in job else {}), **job}
    return below


def scripts(file: Path) -> Iterator[str]:
    """Yield what a shell runs."""
    if file == GITLAB:
        for job in gitlab_jobs().values():
            yield "\n".join((*job.get("before_script", ()), *job["script"]))
    elif file.suffix == ".sh":
        yield file.read_text(encoding="utf-8")
    else:
        yield from (step["run"] for step in steps_of(read(file.name)) if "run" in step)


def test_the_page_shows_each_file_as_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "tools/ci_page.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=named)
def test_the_page_has_each_file_and_says_where_it_goes(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    (place,) = re.findall(r"^# Goes to ([\w./-]+?)[.,]?(?: |$)", text, re.MULTILINE)

    assert f"<!-- ci/{file.name} -->\n```" in PAGE
    assert text in PAGE
    assert f"| [ci/{file.name}](ci/{file.name}) | `{place}` |" in PAGE


@pytest.mark.parametrize("file", YAML_FILES, ids=named)
def test_each_file_is_valid_by_the_schema_of_its_ci(file: Path) -> None:
    jsonschema.validate(read(file.name), schema_of(file))


def test_the_schema_refuses_a_workflow_without_its_triggers() -> None:
    document = read(WORKFLOWS[0].name)
    del document["on"]

    with pytest.raises(jsonschema.ValidationError, match="'on' is a required property"):
        jsonschema.validate(document, schema_of(WORKFLOWS[0]))


@pytest.mark.parametrize("file", GITHUB, ids=named)
def test_each_action_is_pinned_by_a_commit_with_its_version(file: Path) -> None:
    actions = re.findall(r"uses: (?!\./\.github/)(.*)", file.read_text(encoding="utf-8"))

    pinned = r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert [action for action in actions if not re.fullmatch(pinned, action)] == []


def test_an_action_has_the_same_commit_everywhere() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in GITHUB)

    versions = set(re.findall(r"uses: ([\w-]+/[\w-]+)@(\S+) # (\S+)", text))

    assert len({name for name, _, _ in versions}) == len(versions)


@pytest.mark.parametrize("file", WORKFLOWS, ids=named)
def test_each_job_has_a_time_out_and_its_own_permissions(file: Path) -> None:
    document = read(file.name)

    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert "permissions" in job
        assert ("timeout-minutes" in job) != ("uses" in job)
        assert "write-all" not in json.dumps(job["permissions"])
        assert job["permissions"].get("contents", "read") == "read"


@pytest.mark.parametrize(
    "file", [file for file in WORKFLOWS if "workflow_call" not in read(file.name)["on"]], ids=named
)
def test_a_newer_run_never_cancels_one(file: Path) -> None:
    concurrency = read(file.name)["concurrency"]

    assert concurrency["group"]
    assert concurrency["cancel-in-progress"] is False


@pytest.mark.parametrize("file", [*YAML_FILES, FOLDER / "deploy.sh"], ids=named)
def test_each_script_is_one_for_bash(file: Path) -> None:
    for script in scripts(file):
        checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("file", [*YAML_FILES, FOLDER / "deploy.sh"], ids=named)
def test_each_command_exists_with_its_options(file: Path) -> None:
    written = [line for script in scripts(file) for line in COMMAND.findall(script)]

    assert [fault for line in written for fault in faults(line)] == []


def test_commands_were_looked_for_where_there_are_some() -> None:
    written = [line for file in YAML_FILES for script in scripts(file) for line in COMMAND.findall(script)]

    assert {line.split()[0] for line in written} == {"plan", "deploy", "ci", "synth", "list"}


def test_no_cache_has_what_may_hold_secrets() -> None:
    cached = [
        path
        for step in steps_of(read("github-install.yml"))
        for path in step.get("with", {}).get("path", "").split()
    ]
    cached += read(GITLAB.name)[".holdfast"]["cache"]["paths"]

    folders = {
        path.partition(".cache/holdfast")[2] for path in cached if ".cache" in path and "pip" not in path
    }
    assert folders == {"/bindings", "/hashes", "/plugins", "/schemas"}


def test_a_fork_gets_no_credentials_and_no_comment() -> None:
    jobs = read("github-plan.yml")["jobs"]

    same = "github.event.pull_request.head.repo.full_name == github.repository"
    assert jobs["plan"]["if"] == same
    assert jobs["comment"]["needs"] == "plan"
    assert jobs["synth"]["if"] == same.replace("==", "!=")
    assert jobs["synth"]["permissions"] == {"contents": "read"}


def test_what_runs_the_pull_requests_code_may_write_nothing() -> None:
    for job in read("github-plan.yml")["jobs"].values():
        writes = {right for right, how in job["permissions"].items() if how == "write"} - {"id-token"}
        checked_out = any("checkout" in step.get("uses", "") for step in job["steps"])
        assert not (writes and checked_out)


def test_the_first_wave_waits_until_it_is_known_that_there_are_jobs_for_all() -> None:
    jobs = read("github-matrix.yml")["jobs"]
    waves = [name for name in jobs if name.startswith("wave-")]

    (check,) = jobs["all-waves-are-here"]["steps"]
    assert check["if"] == f"fromJSON(needs.shards.outputs.waves)[{len(waves)}] != null"
    assert jobs["wave-1"]["needs"] == ["shards", "all-waves-are-here"]
    for number, name in enumerate(waves):
        assert jobs[name]["if"] == f"fromJSON(needs.shards.outputs.waves)[{number}] != null"
        assert (
            jobs[name]["strategy"]["matrix"] == f"${{{{ fromJSON(needs.shards.outputs.waves)[{number}] }}}}"
        )
        assert jobs[name]["strategy"]["fail-fast"] is False
        assert number == 0 or jobs[name]["needs"] == ["shards", waves[number - 1]]


def test_each_shards_job_gets_what_it_asks_for_and_the_document_has_all_of_it() -> None:
    inputs = read("github-shard.yml")["on"]["workflow_call"]["inputs"]
    asked = set(re.findall(r"\{\{ matrix\.(\w+)", (FOLDER / "github-matrix.yml").read_text(encoding="utf-8")))

    document = json.dumps(SCHEMAS["ci-matrix.v1.json"]())
    assert asked == {"shard", *inputs}
    assert all(f'"{name}"' in document for name in asked)
    for name, job in read("github-matrix.yml")["jobs"].items():
        if name.startswith("wave-"):
            assert job["with"] == {key: f"${{{{ matrix.{key} }}}}" for key in inputs}


def test_each_job_of_gitlab_has_what_it_needs() -> None:
    stages, jobs = read(GITLAB.name)["stages"], gitlab_jobs()

    for job in jobs.values():
        assert job["stage"] in stages
        assert job["timeout"]
        assert job["interruptible"] is False
        assert set(job.get("needs", ())) <= set(jobs)
    deploy = jobs["deploy"]
    assert deploy["resource_group"] == "prod"
    assert deploy["needs"] == ["plan-main"]
    assert set(deploy["id_tokens"]) == {"AWS_ID_TOKEN"}
    assert deploy["cache"]["policy"] == "pull"
