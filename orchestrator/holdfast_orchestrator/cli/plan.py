"""`holdfast plan`: show what a deploy would change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from holdfast_orchestrator import Plan
from holdfast_orchestrator.api.kept_plans import keep, refuse_unusable
from holdfast_orchestrator.cli._options import (
    allow_destroy_option,
    choosing_options,
    dependents_option,
    examples,
    options,
    refresh_option,
    since_option,
    working_options,
)
from holdfast_orchestrator.cli._outputs import refuse_unwritable, write_report
from holdfast_orchestrator.cli._policy import approve_option, plan_options, take_over_app_option
from holdfast_orchestrator.cli._session import Session, opened_session
from holdfast_orchestrator.errors import (
    EXIT_CHANGES,
    EXIT_FAILED,
    EXIT_OK,
    GateError,
    InterruptedSafelyError,
    NeedsPersonError,
    UsageError,
)
from holdfast_orchestrator.report.documents import plan_report
from holdfast_orchestrator.report.markdown import plan_comment
from holdfast_orchestrator.report.plan_text import explained_lines, plan_lines
from holdfast_orchestrator.system.runtime import Runtime

# The exit codes of failures that a plan ends with too, if all its failures have the same.
_COMMON_CODES = {UsageError.exit_code, GateError.exit_code, NeedsPersonError.exit_code}


@click.command(
    epilog=examples(
        "holdfast plan --env staging",
        "holdfast plan --env prod --stack orders --detailed-exitcode",
        "holdfast plan --env prod --explain",
        "holdfast plan --env prod --changed-since main --include-dependents",
        "holdfast plan --env prod --out plans --markdown comment.md",
    )
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if a deploy would change something.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the plans in this folder, for `deploy --plan`. Plans contain secrets.",
)
@click.option(
    "--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write the pull-request comment."
)
@click.option(
    "--explain",
    is_flag=True,
    help="Say for each shard why it is planned (configuration, upstream outputs, state, versions) or not.",
)
@options(
    choosing_options,
    since_option,
    dependents_option,
    refresh_option,
    take_over_app_option,
    allow_destroy_option,
    approve_option,
    working_options,
)
@click.pass_obj
def command(
    runtime: Runtime, /, *, detailed_exitcode: bool, out: Path | None, markdown: Path | None, **given: Any
) -> int:
    """Plan shards. A shard that waits for another shard's first deploy is deferred, which is not an error.

    A shard is skipped if its configuration, upstream outputs, versions and state are those of its last good
    deploy, unless --refresh is given. A plan that would take over existing objects exits with 4, as its
    deploy would.
    """
    _refuse_unusable(runtime, out, markdown)
    with opened_session(runtime, given) as session:
        with session.watching() as on_event:
            plan = session.project.plan(
                replace(session.selection, one_environment=True),
                plan_options(given),
                on_event=on_event,
                stop=session.stop,
            )
        reasons = explained_lines(plan) if given["explain"] else ()
        session.output.show(plan_report(plan), ["", *reasons, *plan_lines(plan)])
        if session.stop.asked:
            return InterruptedSafelyError.exit_code
        _write(plan, session, out, markdown)
    if plan.failures:
        codes = {shard.exit_code for shard in plan.failures}
        return codes.pop() if len(codes) == 1 and codes <= _COMMON_CODES else EXIT_FAILED
    if plan.refusals:
        return GateError.exit_code
    return EXIT_CHANGES if detailed_exitcode and plan.has_changes else EXIT_OK


def _refuse_unusable(runtime: Runtime, out: Path | None, markdown: Path | None) -> None:
    if out is not None:
        refuse_unusable(runtime.cwd / out)
    if markdown is not None:
        refuse_unwritable("--markdown", runtime.cwd / markdown)


def _write(plan: Plan, session: Session, out: Path | None, markdown: Path | None) -> None:
    """Keep the plan and write the comment; a comment that cannot be written is only a notice."""
    runtime = session.runtime
    if out is not None:
        keep(plan, runtime.cwd / out)
    if markdown is not None:
        text = session.project.redactor.text(plan_comment(plan))
        trouble = write_report("--markdown", runtime.cwd / markdown, text)
        if trouble is not None:
            session.output.note(f"notice: {trouble}")
