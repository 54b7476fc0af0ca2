"""`holdfast ci`: list shards as jobs for a CI system."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator.api.app import MATRIX_LIMIT
from holdfast_orchestrator.cli._groups import SuggestingGroup
from holdfast_orchestrator.cli._options import (
    choosing_options,
    dependents_option,
    examples,
    options,
    since_option,
)
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.report.wording import columns
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.report.ci_documents import MatrixDocument

# The options that a job needs too, to find the same app and the same states.
_PROJECT = ("project", "output", "state_bucket", "region", "account")


@click.group(cls=SuggestingGroup, name="ci", epilog=examples("holdfast ci matrix --env prod --json"))
def command() -> None:
    """List shards as CI jobs: one job per shard, wave after wave."""


@command.command(
    epilog=examples(
        "holdfast ci matrix --env prod",
        "holdfast ci matrix --env prod --changed-since origin/main --include-dependents --json",
        "holdfast ci matrix --env prod --verb plan --json",
    )
)
@click.option(
    "--verb",
    type=click.Choice(("deploy", "plan")),
    default="deploy",
    show_default=True,
    help="What each job does with its shard.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, MATRIX_LIMIT),
    default=MATRIX_LIMIT,
    show_default=True,
    help="Most jobs in one wave; a larger wave is split.",
)
@options(choosing_options, dependents_option, since_option)
@click.pass_obj
def matrix(runtime: Runtime, /, *, verb: str, limit: int, **given: Any) -> None:
    """Print the waves of shards as a matrix of jobs: each wave waits for the one before.

    A shard is in a later wave than every chosen shard that it depends on. The app is synthesized only where
    the output folder lacks a shard that was chosen. AWS is not called.
    """
    from holdfast_orchestrator.report.ci_documents import matrix_document  # noqa: PLC0415 - when it runs

    with opened_session(runtime, given) as session:
        with session.reading() as on_event:
            waves = session.project.waves(session.selection, limit=limit, on_event=on_event)
        document = matrix_document(waves, limit=limit, verb=verb, project=_project(given))
        session.output.show_records(document, _lines(document, session.output.width))


def _project(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The options of this command line that say where the app is."""
    named = {name: given[name] for name in _PROJECT if given[name] not in (None, Path())}
    return tuple(
        word for name, value in named.items() for word in (f"--{name.replace('_', '-')}", str(value))
    )


def _lines(document: "MatrixDocument", width: int | None) -> Iterator[str]:
    if not document.waves:
        yield "no shards: no jobs"
        return
    rows = [
        (str(number), job.shard, job.account, job.region, job.command)
        for number, wave in enumerate(document.waves, start=1)
        for job in wave.include
    ]
    yield from columns([("WAVE", "SHARD", "ACCOUNT", "REGION", "COMMAND"), *rows], width=width)
