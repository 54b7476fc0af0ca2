"""Who is deploying: what a CI system says of itself, else the AWS caller, else user and host.

None of it is proof (an environment can say anything); the AWS caller comes closest and is recorded
beside the CI identity where the caller is known.
"""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import SkipValidation

from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.system.process import Command
from holdfast_orchestrator.system.runtime import Runtime

Kind = Literal["github", "gitlab", "aws", "user"]

_GIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who deploys: `name` for people, `host` the machine, `link` the CI job's page, `aws` the ARN."""

    # A later version may know more of them.
    kind: Annotated[Kind, SkipValidation]
    name: str
    host: str
    link: str | None = None
    aws: str | None = None

    def __str__(self) -> str:
        return self.name if self.kind in ("github", "gitlab", "aws") else f"{self.name}@{self.host}"


def find_actor(runtime: Runtime, *, aws_caller: Callable[[], str | None] = lambda: None) -> Actor:
    """Return who is deploying. `aws_caller` is asked once for the caller's ARN; None where unknown."""
    environ, host, arn = runtime.environ, socket.gethostname(), aws_caller()
    if environ.get("GITHUB_ACTIONS") == "true":
        return Actor(kind="github", name=_github(environ), host=host, link=_github_link(environ), aws=arn)
    if environ.get("GITLAB_CI") == "true":
        link = environ.get("CI_JOB_URL")
        return Actor(kind="gitlab", name=_gitlab(environ), host=host, link=link, aws=arn)
    if arn is not None:
        return Actor(kind="aws", name=arn, host=host, aws=arn)
    return Actor(kind="user", name=_user(environ), host=host)


def aws_caller(runtime: Runtime, *, region: str, environ: Mapping[str, str]) -> str | None:
    """Return the ARN of the credentials in `environ`, None where AWS does not say."""
    import botocore.exceptions  # noqa: PLC0415 - half a second that most commands do not need

    try:
        arn: str = runtime.aws.client("sts", region=region, environ=environ).get_caller_identity()["Arn"]
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        return None
    return arn


def git_revision(runtime: Runtime, folder: Path) -> str | None:
    """Return the commit `folder` is at, ending in `-dirty` for uncommitted changes; None without git."""
    asked = Command(
        # No tag may answer: the revision is always the full commit.
        argv=("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
        cwd=folder,
        environ=runtime.environ,
        timeout=_GIT_SECONDS,
        on_timeout="kill",
    )
    try:
        completed = runtime.processes.run(asked)
    except ToolchainError:
        return None
    return completed.stdout.strip() or None if completed else None


def _github(environ: Mapping[str, str]) -> str:
    workflow = environ.get("GITHUB_WORKFLOW", "")
    return f"{environ.get('GITHUB_ACTOR', 'unknown')} ({environ.get('GITHUB_REPOSITORY', '')} {workflow})"


def _github_link(environ: Mapping[str, str]) -> str | None:
    parts = [environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else None


def _gitlab(environ: Mapping[str, str]) -> str:
    return f"{environ.get('GITLAB_USER_LOGIN', 'unknown')} ({environ.get('CI_PROJECT_PATH', '')})"


def _user(environ: Mapping[str, str]) -> str:
    return environ.get("USER") or environ.get("LOGNAME") or f"uid {os.getuid()}"
