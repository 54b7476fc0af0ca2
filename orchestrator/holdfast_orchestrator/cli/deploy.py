"""`holdfast deploy`: make it so."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator import DeployOptions, Plan, RunResult
from holdfast_orchestrator.api.kept_plans import read_kept
from holdfast_orchestrator.cli._ending import show_result
from holdfast_orchestrator.cli._options import (
    allow_destroy_option,
    choosing,
    cold_option,
    dependents_option,
    engine_option,
    examples,
    executor_option,
    executor_tls_options,
    options,
    parallel_option,
    refresh_option,
    since_option,
    variables_option,
    yes_option,
)
from holdfast_orchestrator.cli._policy import (
    adopt_option,
    again_with_yes,
    command_line,
    failing,
    plan_options,
    policy_of,
)
from holdfast_orchestrator.cli._session import Session, opened_session
from holdfast_orchestrator.errors import EngineError, GateError, InterruptedSafelyError, UsageError
from holdfast_orchestrator.report.plan_text import plan_lines
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
    help="Apply the plans kept in this folder, exactly; refused where app or state differ.",
)
@options(
    choosing,
    since_option,
    dependents_option,
    refresh_option,
    allow_destroy_option,
    adopt_option,
    failing,
    parallel_option,
    executor_option,
    *executor_tls_options,
    cold_option,
    variables_option,
    engine_option,
)
@click.pass_obj
def command(runtime: Runtime, /, *, yes: bool, kept: Path | None, **given: Any) -> int:
    """Plan, gate, back up, apply, verify, check health, and commit or roll back, shard by shard.

    Without --yes the plan is shown first and you are asked. A shard that fails is rolled back to its last
    good deployment and takes its dependents out of the run; the others go on. Ctrl-C stops safely.

    What has not changed since its last good deploy is left alone; --refresh plans it all the same.
    """
    with opened_session(runtime, given) as session:
        _executor(given)
        if not yes and not session.output.can_ask:
            raise UsageError(
                "deploy asks before it changes anything, and there is no terminal to ask on",
                next_step=again_with_yes(),
            )
        plan = None if kept is None else read_kept(runtime.cwd / kept)
        result = _deploy(session, plan, given) if yes else _asked(session, plan, given)
        show_result(session.output, result)
    return result.exit_code


def _asked(session: Session, plan: Plan | None, given: dict[str, Any]) -> RunResult:
    """Show what would be done, and do it once somebody says so."""
    with session.warmed() as warm:
        plan = plan or _planned(warm, given)
        _confirm(plan, warm)
        return _deploy(warm, plan, given)


def _planned(session: Session, given: dict[str, Any]) -> Plan:
    with session.watching() as on_event:
        return session.project.plan(
            replace(session.selection, one_environment=True),
            plan_options(given),
            on_event=on_event,
            stop=session.stop,
        )


def _confirm(plan: Plan, session: Session) -> None:
    if session.stop.asked:
        raise InterruptedSafelyError("interrupted while planning; nothing was changed")
    session.output.say(["", *plan_lines(plan)])
    if plan.failures:
        raise EngineError(f"{len(plan.failures)} shards could not be planned; nothing was changed")
    if not plan.has_changes:
        return
    where = ", ".join(plan.environments)
    answer = session.runtime.terminal.ask(f"\nDeploy this to {where}? Only `yes` will do: ")
    if answer != "yes":
        raise GateError("not confirmed; nothing was changed")


def _deploy(session: Session, plan: Plan | None, given: dict[str, Any]) -> RunResult:
    with session.watching() as on_event:
        return session.project.deploy(
            plan or session.selection,
            _options(given),
            on_event=on_event,
            stop=session.stop,
        )


def _options(given: dict[str, Any]) -> DeployOptions:
    return DeployOptions(
        policy=policy_of(given),
        atomic=given["atomic"],
        refresh=given["refresh"],
        command=command_line(),
        executor=_executor(given),
        max_parallel=given["max_parallel"],
        max_parallel_per_account=given["max_parallel_per_account"],
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
