"""The scripts of docs/ci/, run: a deploy whose exit code is told, a cancel that is handed on, one comment."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest
from tests.support.ci_files import FOLDER, step_with

DEPLOY = FOLDER / "deploy.sh"
PATIENCE_SECONDS = 60


def program(path: Path, source: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{dedent(source)}", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, ""),
        (1, "::error::Failed with exit code 1"),
        (4, "::error::Stopped before anything changed"),
        (5, "::warning::Failed, and the last good version runs"),
        (6, "::error::Halfway"),
        (7, "::warning::Somebody else is at work"),
        (130, "::warning::Cancelled in good order"),
    ],
)
def test_the_job_ends_with_the_exit_code_of_the_deploy_and_says_what_it_means(code: int, said: str) -> None:
    ran = subprocess.run(
        ["bash", DEPLOY, sys.executable, "-c", f"raise SystemExit({code})"],
        env=os.environ | {"GITHUB_ACTIONS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (code, "")
    assert ran.stdout.startswith(said)
    assert bool(ran.stdout) == bool(said)


def test_elsewhere_than_on_github_it_is_a_line_of_the_log() -> None:
    ran = subprocess.run(
        ["bash", DEPLOY, sys.executable, "-c", "raise SystemExit(7)"],
        env={**os.environ, "GITHUB_ACTIONS": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stdout == "warning: Somebody else is at work on it: run this job again later.\n"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workflow", ["github-deploy.yml", "github-shard.yml"])
def test_a_cancel_of_the_steps_shell_reaches_the_deploy_and_waits_for_it(
    tmp_path: Path, workflow: str, sent: int
) -> None:
    script = step_with(workflow, "ci/deploy.sh").replace("${{ inputs.command }}", "holdfast deploy --yes")
    step = tmp_path / "step.sh"
    step.write_text(script, encoding="utf-8")
    (tmp_path / "ci").mkdir()
    shutil.copy(DEPLOY, tmp_path / "ci")
    program(tmp_path / "aws", "")
    program(
        tmp_path / "holdfast",
        f"""\
        import pathlib, signal, sys, time

        def stop(number, frame):
            time.sleep(0.5)  # what a Terraform that saves its state takes
            print("saved", flush=True)
            sys.exit(130)

        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "a child would ignore SIGINT"
        signal.signal(signal.SIGTERM, stop)
        pathlib.Path("started").touch()
        time.sleep({PATIENCE_SECONDS})
        """,
    )
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", step],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "GITHUB_ACTIONS": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not (tmp_path / "started").exists() and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(shell.pid, sent)
        out, _ = shell.communicate(timeout=PATIENCE_SECONDS)
    finally:
        shell.kill()

    assert shell.returncode == 130
    assert out.splitlines() == ["saved", "warning: Cancelled in good order."]


@pytest.mark.skipif(
    shutil.which("jq") is None, reason="the comment's script needs jq, as GitHub's runners have it"
)
@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ([], ["--method", "POST", "repos/acme/platform/issues/7/comments"]),
        (
            [
                {"id": 1, "user": {"login": "ann"}, "body": "<!-- holdfast plan prod -->\nquoted"},
                {
                    "id": 2,
                    "user": {"login": "github-actions[bot]"},
                    "body": "<!-- holdfast plan dev -->\nold",
                },
                {
                    "id": 3,
                    "user": {"login": "github-actions[bot]"},
                    "body": "<!-- holdfast plan prod -->\nold",
                },
            ],
            ["--method", "PATCH", "repos/acme/platform/issues/comments/3"],
        ),
    ],
    ids=["made", "updated"],
)
def test_there_is_one_comment_of_an_environment(
    tmp_path: Path, there: list[dict[str, object]], asked: list[str]
) -> None:
    script = step_with("github-plan.yml", "gh api")
    log = tmp_path / "asked.json"
    program(
        tmp_path / "gh",
        f"""\
        import json, pathlib, sys

        if "--paginate" in sys.argv:
            print(json.dumps({there[:2]!r}))  # two pages
            print(json.dumps({there[2:]!r}))
        else:
            pathlib.Path({str(log)!r}).write_text(json.dumps([sys.argv[2:], sys.stdin.read()]))
        """,
    )
    comment = '<!-- holdfast plan prod -->\n### prod: 1 of 2 shards change\n\n`$(touch x)` "it\'s"'
    environ = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "acme/platform",
        "PULL_REQUEST": "7",
        "COMMENT": comment,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]

    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")
    argv, body = json.loads(log.read_text(encoding="utf-8"))
    assert argv == [*asked, "--field", "body=@-", "--jq", ".html_url"]
    assert body == f"{comment}\n"
