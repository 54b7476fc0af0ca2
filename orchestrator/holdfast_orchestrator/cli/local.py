"""`holdfast local`: the AWS that runs on this machine.

A skin over `local.cloud.LocalCloud`, which is imported when a command runs, so that help stays quick.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast_orchestrator.cli._options import examples, json_option, project_option
from holdfast_orchestrator.local.environment import STATE_BUCKET

if TYPE_CHECKING:
    from holdfast_orchestrator.local.cloud import LocalCloud, LocalStatus
    from holdfast_orchestrator.system.runtime import Runtime


@click.group(name="local", epilog=examples("holdfast local up", "holdfast deploy --env local"))
def command() -> None:
    """The local cloud: an AWS on this machine, for trying things out and for tests.

    It listens on loopback only, runs until `down`, and keeps everything in memory.
    """


@command.command(
    epilog=examples("holdfast local up", "holdfast local up --port 5000 --bucket my-state --bucket other")
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of loopback.  [default: a free one]")
@click.option(
    "--bucket",
    "buckets",
    multiple=True,
    default=(STATE_BUCKET,),
    show_default=True,
    metavar="NAME",
    help="A versioned state bucket to make; repeatable.",
)
@project_option
@json_option
@click.pass_obj
def up(runtime: "Runtime", *, port: int, buckets: tuple[str, ...], project: Path, as_json: bool) -> None:
    """Start it; returns once it answers. Fine where it runs already."""
    cloud = _cloud(runtime, project)
    ran = cloud.status().running
    status = cloud.up(port=port, buckets=buckets)
    _say(runtime, status, "already running" if ran else "running", as_json=as_json)


@command.command(epilog=examples("holdfast local down"))
@project_option
@json_option
@click.pass_obj
def down(runtime: "Runtime", *, project: Path, as_json: bool) -> None:
    """Stop it and forget everything in it. Fine where it does not run."""
    cloud = _cloud(runtime, project)
    stopped = cloud.down()
    _say(runtime, cloud.status(), "stopped" if stopped else "was not running", as_json=as_json)


@command.command(epilog=examples("holdfast local status", "holdfast local status --json"))
@project_option
@json_option
@click.pass_obj
def status(runtime: "Runtime", *, project: Path, as_json: bool) -> None:
    """Say whether it runs, where, since when, and with which state buckets."""
    found = _cloud(runtime, project).status()
    _say(runtime, found, "running" if found.running else "not running", as_json=as_json)


@command.command(epilog=examples("holdfast local reset"))
@project_option
@json_option
@click.pass_obj
def reset(runtime: "Runtime", *, project: Path, as_json: bool) -> None:
    """Empty it: resources, states and logs are gone; the state buckets are made again."""
    _say(runtime, _cloud(runtime, project).reset(), "empty", as_json=as_json)


def _cloud(runtime: "Runtime", project: Path) -> "LocalCloud":
    from holdfast_orchestrator.local.cloud import LocalCloud  # noqa: PLC0415 - keeps --help quick

    return LocalCloud(runtime.cwd / project, runtime)


def _say(runtime: "Runtime", found: "LocalStatus", word: str, *, as_json: bool) -> None:
    if as_json:
        from holdfast_orchestrator.report.documents import as_json as plain  # noqa: PLC0415 - only for one
        from holdfast_orchestrator.report.machine_documents import local_status_document  # noqa: PLC0415

        text = json.dumps(plain(local_status_document(found)), indent=2)
    elif found.running:
        text = (
            f"local cloud {word} at {found.endpoint}\n"
            f"  process  {found.pid}, since {found.since}\n"
            f"  state    {', '.join(found.state_buckets)}\n"
            f"  log      {found.log}"
        )
    else:
        text = f"local cloud {word}"
    click.echo(text, file=runtime.terminal.out)
