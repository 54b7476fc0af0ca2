"""Who is deploying, told by CI, by AWS, or by user and host."""

import socket
import subprocess
from pathlib import Path

import botocore.exceptions
import pytest

from holdfast_orchestrator.record.actor import Actor, aws_caller, find_actor, git_revision
from holdfast_orchestrator.state.record_format import Format
from holdfast_orchestrator.system.process import Command, Completed, SystemProcesses
from holdfast_orchestrator.testing import RefusingAws, ScriptedProcesses, refusing_runtime

HOST = socket.gethostname()
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "jane",
    "GITHUB_REPOSITORY": "acme/platform",
    "GITHUB_WORKFLOW": "deploy",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_RUN_ID": "42",
}
GITLAB = {
    "GITLAB_CI": "true",
    "GITLAB_USER_LOGIN": "joe",
    "CI_PROJECT_PATH": "acme/platform",
    "CI_JOB_URL": "https://gitlab.com/acme/platform/-/jobs/7",
}


@pytest.mark.parametrize(
    ("environ", "arn", "kind", "shown", "link"),
    [
        (
            GITHUB,
            None,
            "github",
            "jane (acme/platform deploy)",
            "https://github.com/acme/platform/actions/runs/42",
        ),
        (GITLAB, "arn:x", "gitlab", "joe (acme/platform)", "https://gitlab.com/acme/platform/-/jobs/7"),
        ({"USER": "kim"}, "arn:aws:iam::1:user/kim", "aws", "arn:aws:iam::1:user/kim", None),
        ({"USER": "kim"}, None, "user", f"kim@{HOST}", None),
        ({"LOGNAME": "lee"}, None, "user", f"lee@{HOST}", None),
    ],
)
def test_the_best_witness_says_who_it_is(
    environ: dict[str, str], arn: str | None, kind: str, shown: str, link: str | None
) -> None:
    actor = find_actor(refusing_runtime(environ=environ), aws_caller=lambda: arn)

    assert (actor.kind, str(actor), actor.host, actor.link, actor.aws) == (kind, shown, HOST, link, arn)


def test_an_actor_is_read_back_from_json() -> None:
    actor = find_actor(refusing_runtime(environ=GITHUB), aws_caller=lambda: "arn")

    actors = Format[Actor]("actor", Actor, is_named=False)
    assert actors.from_json(actors.to_json(actor)) == actor


def test_credentials_that_aws_does_not_know_are_nobodys() -> None:
    class Nobody(RefusingAws):
        def client(self, service: str, **_where: object) -> "Nobody":
            return self

        def get_caller_identity(self) -> dict[str, str]:
            raise botocore.exceptions.NoCredentialsError

    assert aws_caller(refusing_runtime(aws=Nobody()), region="eu-west-1", environ={}) is None


def git(folder: Path, *argv: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(("git", *identity, *argv), cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_revision_is_the_commit_and_says_when_it_is_not_the_whole_truth(tmp_path: Path) -> None:
    runtime = refusing_runtime(processes=SystemProcesses(), environ={"PATH": "/usr/local/bin:/usr/bin:/bin"})
    git(tmp_path, "init")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    git(tmp_path, "tag", "-a", "v1", "-m", "a tag does not answer")
    commit = git(tmp_path, "rev-parse", "HEAD")

    assert git_revision(runtime, tmp_path) == commit
    (tmp_path / "file").write_text("2")
    assert git_revision(runtime, tmp_path) == f"{commit}-dirty"


def test_outside_of_git_there_is_no_revision(tmp_path: Path) -> None:
    def answer(command: Command) -> Completed:
        return Completed(command=command, code=128, stderr="not a git repository")

    runtime = refusing_runtime(processes=ScriptedProcesses(answer=answer), environ={})

    assert git_revision(runtime, tmp_path) is None
