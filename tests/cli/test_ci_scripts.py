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
from tests.support.ci_files import FOLDER, read, step_with

DEPLOY = FOLDER / "deploy.sh"
PATIENCE_SECONDS = 60
COMMENT = "<!-- holdfast plan prod -->\n### prod: 1 of 2 shards change\n"
NEEDS_JQ = pytest.mark.skipif(shutil.which("jq") is None, reason="the script needs jq, as the CIs have it")


def program(path: Path, source: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{dedent(source)}", encoding="utf-8")
    path.chmod(0o755)
    return path


def planning(folder: Path, code: int) -> None:
    """Put a `holdfast` there that writes its comment and ends with a code."""
    program(
        folder / "holdfast",
        f"""\
        import pathlib, sys

        if "--markdown" in sys.argv:
            pathlib.Path(sys.argv[sys.argv.index("--markdown") + 1]).write_text({COMMENT!r})
        sys.exit({code})
        """,
    )


def ran_as_a_step(folder: Path, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script as CIs do: any failing command ends it. Programs in the folder come first."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


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

    ran = ran_as_a_step(
        tmp_path, script, GITHUB_REPOSITORY="acme/platform", PULL_REQUEST="7", COMMENT=comment
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    argv, body = json.loads(log.read_text(encoding="utf-8"))
    assert argv == [*asked, "--field", "body=@-", "--jq", ".html_url"]
    assert body == f"{comment}\n"


@NEEDS_JQ
@pytest.mark.parametrize(
    ("notes", "asked"),
    [
        ([{"id": 1, "body": "a remark"}], ["POST", "notes"]),
        (
            [{"id": 1, "body": "a remark"}, {"id": 5, "body": "<!-- holdfast plan prod -->\nold"}],
            ["PUT", "notes/5"],
        ),
    ],
    ids=["made", "updated"],
)
def test_there_is_one_note_of_an_environment(
    tmp_path: Path, notes: list[dict[str, object]], asked: list[str]
) -> None:
    log = tmp_path / "asked.json"
    program(
        tmp_path / "curl",
        f"""\
        import json, pathlib, sys

        if "--request" in sys.argv:
            pathlib.Path({str(log)!r}).write_text(json.dumps(sys.argv))
        else:
            print(json.dumps({notes!r}))
        """,
    )
    (tmp_path / "comment.md").write_text("<!-- holdfast plan prod -->\n### prod\n", encoding="utf-8")

    ran = ran_as_a_step(
        tmp_path,
        read("gitlab-ci.yml")["comment"]["script"][-1],
        COMMENT_TOKEN="secret",
        CI_API_V4_URL="https://gitlab.example/api/v4",
        CI_PROJECT_ID="3",
        CI_MERGE_REQUEST_IID="7",
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    argv = json.loads(log.read_text(encoding="utf-8"))
    assert argv[argv.index("--request") + 1] == asked[0]
    assert argv[-3:-1] == ["--data-urlencode", "body@comment.md"]
    assert argv[-1] == f"https://gitlab.example/api/v4/projects/3/merge_requests/7/{asked[1]}"


@pytest.mark.parametrize(("code", "ends_with"), [(0, 0), (2, 0), (1, 1), (4, 4)])
def test_a_plan_with_changes_is_no_failure_and_its_comment_is_handed_on(
    tmp_path: Path, code: int, ends_with: int
) -> None:
    planning(tmp_path, code)

    ran = ran_as_a_step(
        tmp_path,
        step_with("github-plan.yml", "--detailed-exitcode"),
        GITHUB_OUTPUT="output",
        GITHUB_STEP_SUMMARY="summary",
    )

    assert (ran.returncode, ran.stderr) == (ends_with, "")
    first, *comment, last = (tmp_path / "output").read_text(encoding="utf-8").splitlines()
    assert first == f"comment<<{last}"
    assert comment == COMMENT.splitlines()
    assert (tmp_path / "summary").read_text(encoding="utf-8") == COMMENT


@pytest.mark.parametrize(
    ("code", "ends_with", "told"), [(0, 0, "changes=no\n"), (2, 0, "changes=yes\n"), (4, 4, None)]
)
def test_what_would_change_nothing_needs_no_agreement(
    tmp_path: Path, code: int, ends_with: int, told: str | None
) -> None:
    planning(tmp_path, code)

    ran = ran_as_a_step(
        tmp_path,
        step_with("github-deploy.yml", "holdfast plan"),
        GITHUB_OUTPUT="output",
        GITHUB_STEP_SUMMARY="summary",
    )

    output = tmp_path / "output"
    assert (ran.returncode, ran.stderr) == (ends_with, "")
    assert (output.read_text(encoding="utf-8") if output.exists() else None) == told


@pytest.mark.parametrize(("code", "ends_with"), [(0, 0), (2, 0), (1, 1), (4, 4)])
def test_a_plan_with_changes_is_no_failure_on_gitlab_either(
    tmp_path: Path, code: int, ends_with: int
) -> None:
    planning(tmp_path, code)

    ran = ran_as_a_step(tmp_path, "\n".join(read("gitlab-ci.yml")["plan"]["script"]))

    assert (ran.returncode, ran.stderr) == (ends_with, "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="GitLab's jobs hand plans on by openssl")
def test_plans_are_handed_on_encrypted(tmp_path: Path) -> None:
    jobs = read("gitlab-ci.yml")
    (tmp_path / "plans").mkdir(mode=0o700)
    (tmp_path / "plans" / "orders.tfplan").write_text("a secret", encoding="utf-8")
    ran_as_a_step(tmp_path, jobs["plan-main"]["script"][-1], PLANS_KEY="key").check_returncode()
    shutil.rmtree(tmp_path / "plans")

    ran_as_a_step(tmp_path, "\n".join(jobs["deploy"]["script"][:-1]), PLANS_KEY="key").check_returncode()

    assert b"a secret" not in (tmp_path / "plans.enc").read_bytes()
    assert (tmp_path / "plans" / "orders.tfplan").read_text(encoding="utf-8") == "a secret"
    assert (tmp_path / "plans").stat().st_mode & 0o777 == 0o700
