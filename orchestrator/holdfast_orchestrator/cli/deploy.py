"""`holdfast deploy`: plan shards and apply the plans."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator import DeployOptions, Plan, RunResult
from holdfast_orchestrator.api.kept_plans import read_kept
from holdfast_orchestrator.cli._ending import show_result
from holdfast_orchestrator.cli._options import (
    allow_destroy_option,
    choosing_options,
    dependents_option,
    examples,
    executor_options,
    options,
    refresh_option,
    since_option,
    working_options,
    yes_option,
)
from holdfast_orchestrator.cli._policy import (
    adopt_option,
    again_with_yes,
    command_line,
    failure_options,
    plan_options,
    policy_of,
)
from holdfast_orchestrator.cli._session import Session, opened_session
from holdfast_orchestrator.errors import EngineError, GateError, InterruptedSafelyError
from holdfast_orchestrator.report.plan_text import later_lines, plan_lines
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator import Cluster


@click.command(
    epilog=examples(
        "holdfast deploy --env staging",
        "holdfast deploy --env prod --stack orders --yes",
        "holdfast plan --env prod --out plans && holdfast deploy --plan plans --yes",
        "holdfast deploy --env prod --stack orders --adopt aws_sns_topic.alarms",
        "holdfast deploy --env prod --approve aws_db_instance.orders_db=orders-before-16 --yes",
    )
)
@yes_option
@click.option(
    "--plan",
    "kept",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Apply exactly the plans kept in this folder; refused if the app or a state has changed.",
)
@options(
    choosing_options,
    since_option,
    dependents_option,
    refresh_option,
    allow_destroy_option,
    adopt_option,
    failure_options,
    executor_options,
    working_options,
)
@click.pass_obj
def command(runtime: Runtime, /, *, yes: bool, kept: Path | None, **given: Any) -> int:
    """Plan, gate, back up, apply, verify, check health, and commit or roll back, shard by shard.

    Without --yes, deploy shows the plan and asks. A shard that fails is rolled back to its last good
    deployment, and its dependents are not deployed; the other shards go on. Ctrl-C stops safely.

    A shard in which nothing has changed since its last good deploy is skipped, unless --refresh is given.
    """
    with opened_session(runtime, given) as session:
        _executor(given)
        if not yes:
            session.output.refuse_silence(
                "deploy asks before it changes anything", next_step=again_with_yes()
            )
        plan = None if kept is None else read_kept(runtime.cwd / kept)
        result = _deploy(session, plan, given) if yes else _asked(session, plan, given)
        return show_result(session.output, result)


def _asked(session: Session, plan: Plan | None, given: dict[str, Any]) -> RunResult:
    """Show the plan, ask, and deploy it."""
    with session.warmed() as warm:
        if plan is None:
            selection = replace(warm.selection, one_environment=True)
            with warm.watching() as on_event:
                plan = warm.project.plan(selection, plan_options(given), on_event=on_event, stop=warm.stop)
        _confirm(plan, warm)
        return _deploy(warm, plan, given)


def _confirm(plan: Plan, session: Session) -> None:
    if session.stop.asked:
        raise InterruptedSafelyError("interrupted while planning; nothing was changed")
    session.output.say(["", *plan_lines(plan)])
    if plan.failures:
        raise EngineError(f"{len(plan.failures)} shards could not be planned; nothing was changed")
    if not plan.has_changes:
        return
    session.output.say(later_lines(plan))
    where = ", ".join(plan.environments)
    answer = session.runtime.terminal.ask(f"\nDeploy this to {where}? Type yes to go on: ")
    if answer != "yes":
        raise GateError("not confirmed; nothing was changed")


def _deploy(session: Session, plan: Plan | None, given: dict[str, Any]) -> RunResult:
    with session.watching() as on_event:
        options = DeployOptions(
            policy=policy_of(given),
            atomic=given["atomic"],
            refresh=given["refresh"],
            command=command_line(),
            executor=_executor(given),
            max_parallel=given["max_parallel"],
            max_parallel_per_account=given["max_parallel_per_account"],
        )
        return session.project.deploy(
            plan or session.selection, options, on_event=on_event, stop=session.stop
        )


def _executor(given: dict[str, Any]) -> "Cluster | None":
    if given["executor"] is None:
        return None
    from holdfast_orchestrator import Cluster  # noqa: PLC0415 - only with a cluster

    cluster = Cluster(
        address=given["executor"],
        ca=given["executor_ca"],
        cert=given["executor_cert"],
        key=given["executor_key"],
        insecure=given["executor_insecure"],
    )
    cluster.check()
    return cluster
