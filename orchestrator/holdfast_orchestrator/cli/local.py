"""`holdfast local`: start, stop and empty the local cloud."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast_orchestrator.api.machine import STATE_BUCKET, local_cloud
from holdfast_orchestrator.cli._groups import SuggestingGroup
from holdfast_orchestrator.cli._options import examples, json_option, project_option
from holdfast_orchestrator.cli._output import Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast_orchestrator import LocalCloud, LocalStatus
    from holdfast_orchestrator.system.runtime import Runtime


@click.group(
    cls=SuggestingGroup, name="local", epilog=examples("holdfast local up", "holdfast deploy --env local")
)
def command() -> None:
    """Run the local cloud: an AWS on this machine, for trying things out and for tests.

    It listens on loopback only, runs until `down`, and keeps everything in memory.
    """


@command.command(
    epilog=examples("holdfast local up", "holdfast local up --port 5000 --bucket my-state --bucket other")
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of loopback.  [default: a free one]"
)
@click.option(
    "--bucket",
    "buckets",
    multiple=True,
    default=(STATE_BUCKET,),
    show_default=True,
    metavar="NAME",
    help="Create this versioned state bucket; repeatable.",
)
@project_option
@json_option
@click.pass_obj
def up(runtime: "Runtime", *, port: int, buckets: tuple[str, ...], project: Path, as_json: bool) -> None:
    """Start the local cloud, unless it runs already; returns once it answers."""
    with _opened(runtime, project, as_json=as_json) as (output, cloud):
        ran = cloud.status().running
        status = cloud.up(port=port, buckets=buckets)
        _answer(output, status, "already running" if ran else "running")


@command.command(epilog=examples("holdfast local down"))
@project_option
@json_option
@click.pass_obj
def down(runtime: "Runtime", *, project: Path, as_json: bool) -> None:
    """Stop the local cloud, if it runs; everything in it is lost."""
    with _opened(runtime, project, as_json=as_json) as (output, cloud):
        stopped = cloud.down()
        _answer(output, cloud.status(), "stopped" if stopped else "was not running")


@command.command(epilog=examples("holdfast local status", "holdfast local status --json"))
@project_option
@json_option
@click.pass_obj
def status(runtime: "Runtime", *, project: Path, as_json: bool) -> None:
    """Show whether the local cloud runs, where, since when, and with which state buckets."""
    with _opened(runtime, project, as_json=as_json) as (output, cloud):
        current = cloud.status()
        _answer(output, current, "running" if current.running else "not running")


@command.command(epilog=examples("holdfast local reset"))
@project_option
@json_option
@click.pass_obj
def reset(runtime: "Runtime", *, project: Path, as_json: bool) -> None:
    """Empty the local cloud: delete resources, states and logs, and create the state buckets again."""
    with _opened(runtime, project, as_json=as_json) as (output, cloud):
        _answer(output, cloud.reset(), "empty")


@contextmanager
def _opened(runtime: "Runtime", project: Path, *, as_json: bool) -> "Iterator[tuple[Output, LocalCloud]]":
    output = Output(runtime, json=as_json)
    with output.errors():
        yield output, local_cloud(project, runtime=runtime)


def _answer(output: Output, status: "LocalStatus", word: str) -> None:
    from holdfast_orchestrator.report.machine_documents import local_status_document  # noqa: PLC0415

    lines = [f"local cloud {word}"]
    if status.running:
        lines = [
            f"local cloud {word} at {status.endpoint}",
            f"  process  {status.pid}, since {status.since}",
            f"  state    {', '.join(status.state_buckets)}",
            f"  log      {status.log}",
        ]
    output.show(local_status_document(status), lines)
