"""`holdfast plan`: what a deploy would change."""

from pathlib import Path
from typing import Any

import click

from holdfast_orchestrator import Plan
from holdfast_orchestrator.api.kept_plans import keep, refuse_unusable
from holdfast_orchestrator.cli._options import (
    allow_destroy_option,
    choosing,
    cold_option,
    dependents_option,
    engine_option,
    examples,
    options,
    parallel_option,
    refresh_option,
    since_option,
    variables_option,
)
from holdfast_orchestrator.cli._outputs import refuse_unwritable, write_report
from holdfast_orchestrator.cli._policy import approve_option, plan_options, take_over_app_option
from holdfast_orchestrator.cli._session import Session, detailed, opened_session
from holdfast_orchestrator.errors import (
    EXIT_FAILED,
    GateError,
    InterruptedSafelyError,
    NeedsPersonError,
    UsageError,
)
from holdfast_orchestrator.report.documents import plan_report
from holdfast_orchestrator.report.markdown import plan_comment
from holdfast_orchestrator.report.plan_text import explained_lines, plan_lines
from holdfast_orchestrator.system.runtime import Runtime

# What every failure of a run ends it with, where all have the same.
_TOLD = {UsageError.exit_code, GateError.exit_code, NeedsPersonError.exit_code}


@click.command(
    epilog=examples(
        "holdfast plan --env staging",
        "holdfast plan --env prod --stack orders --detailed-exitcode",
        "holdfast plan --env prod --explain",
        "holdfast plan --env prod --changed-since main --include-dependents",
        "holdfast plan --env prod --out plans --markdown comment.md",
    )
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where a deploy would do something.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the plans in this folder, for `deploy --plan`. They hold secrets.",
)
@click.option(
    "--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write the pull-request comment."
)
@click.option(
    "--explain",
    is_flag=True,
    help="Say of each shard why it is planned (configuration, upstream outputs, state, versions) or not.",
)
@options(
    choosing,
    since_option,
    dependents_option,
    refresh_option,
    take_over_app_option,
    allow_destroy_option,
    approve_option,
    parallel_option,
    cold_option,
    variables_option,
    engine_option,
)
@click.pass_obj
def command(
    runtime: Runtime, /, *, detailed_exitcode: bool, out: Path | None, markdown: Path | None, **given: Any
) -> int:
    """Plan shards. One that waits for another's first deploy is deferred, which is no error.

    A shard is not planned where configuration, upstream outputs, versions and state are those of its last
    good deploy; --refresh plans it all the same. A plan that would take over objects
    that are there already exits with 4, as its deploy would.
    """
    _refuse_unusable(runtime, out, markdown)
    with opened_session(runtime, given) as session:
        with session.watching() as on_event:
            plan = session.project.plan(
                session.selection,
                plan_options(given),
                on_event=on_event,
                stop=session.stop,
            )
        _show(plan, session, explain=given["explain"])
        if session.stop.asked:
            return InterruptedSafelyError.exit_code
        _write(plan, session, out, markdown)
    if plan.failures:
        codes = {shard.exit_code for shard in plan.failures}
        return codes.pop() if len(codes) == 1 and codes <= _TOLD else EXIT_FAILED
    if plan.refusals:
        return GateError.exit_code
    return detailed(changes=plan.has_changes) if detailed_exitcode else 0


def _refuse_unusable(runtime: Runtime, out: Path | None, markdown: Path | None) -> None:
    if out is not None:
        refuse_unusable(runtime.cwd / out)
    if markdown is not None:
        refuse_unwritable("--markdown", runtime.cwd / markdown)


def _write(plan: Plan, session: Session, out: Path | None, markdown: Path | None) -> None:
    """Keep the plan and write the comment; only that the comment could not be written is no failure."""
    runtime = session.runtime
    if out is not None:
        keep(plan, runtime.cwd / out)
    if markdown is not None:
        text = session.project.redactor.text(plan_comment(plan))
        trouble = write_report("--markdown", runtime.cwd / markdown, text)
        if trouble is not None:
            runtime.terminal.err.write(f"notice: {runtime.redactor.text(trouble)}\n")


def _show(plan: Plan, session: Session, *, explain: bool) -> None:
    if session.output.json:
        session.output.answer(plan_report(plan))
    else:
        session.output.say(["", *(explained_lines(plan) if explain else ()), *plan_lines(plan)])
