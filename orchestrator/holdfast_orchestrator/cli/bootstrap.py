"""`holdfast bootstrap`: what an account needs before its first deploy."""

from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator import DeployOptions, RunOptions
from holdfast_orchestrator.cli._ending import show_result
from holdfast_orchestrator.cli._options import (
    ValueOption,
    allow_destroy_option,
    app_options,
    cold_option,
    engine_option,
    env_option,
    examples,
    options,
    parallelism_option,
    watching_options,
    yes_option,
)
from holdfast_orchestrator.cli._policy import (
    adopt_option,
    again_with_yes,
    approve_option,
    command_line,
    policy_of,
    rebaseline_option,
    wait_option,
)
from holdfast_orchestrator.cli._session import Session, opened_session
from holdfast_orchestrator.errors import EngineError, GateError, InterruptedSafelyError
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.api.bootstrap import BootstrapPreview, Foundation


@click.command(
    epilog=examples(
        "holdfast bootstrap --env prod",
        "holdfast bootstrap --env prod --yes",
        "holdfast bootstrap --env prod --adopt-bucket acme-state",
        "holdfast bootstrap --env local --destroy --yes",
    )
)
@yes_option
@click.option(
    "--adopt-bucket",
    cls=ValueOption,
    metavar="NAME",
    help="The state bucket exists, and this foundation did not make it: set it up all the same.",
)
@click.option("--destroy", is_flag=True, help="Take the foundation down, the state bucket last of all.")
@options(
    env_option,
    allow_destroy_option,
    adopt_option,
    approve_option,
    rebaseline_option,
    wait_option,
    parallelism_option,
    cold_option,
    engine_option,
    app_options,
    watching_options,
)
@click.pass_obj
def command(runtime: Runtime, /, *, yes: bool, adopt_bucket: str | None, destroy: bool, **given: Any) -> int:
    """Make what an account needs before its first deploy, as [foundation] of the environment says.

    The state bucket is created or completed, then the stack `foundation` is deployed as every stack is.
    Without --yes this shows what would be done, and asks where a person can answer. The same command again
    changes nothing, and completes what was interrupted. A bucket that is somebody else's is left as it is.

    It needs the credentials of an administrator of the account; no other command does.
    """
    from holdfast_orchestrator.api.bootstrap import Foundation, one_environment  # noqa: PLC0415 - when it runs

    with opened_session(runtime, given) as session:
        environment = one_environment(session.project, given["env"])
        with session.reading() as on_event:
            foundation = Foundation.of(session.project, environment, on_event=on_event)
        if destroy:
            return _destroy(session, foundation, given, yes=yes)
        shown = None if yes else _confirmed(session, foundation, adopt_bucket)
        if not yes and shown is None:
            return 0
        with session.watching() as on_event:
            result = foundation.carry_out(
                DeployOptions(policy=policy_of(given), command=command_line()),
                shown=shown,
                adopt_bucket=adopt_bucket,
                on_event=on_event,
                stop=session.stop,
            )
        return show_result(session.output, result)


def _confirmed(
    session: Session, foundation: "Foundation", adopt_bucket: str | None
) -> "BootstrapPreview | None":
    """Show what would be done; return it if a person agreed, None if nobody can or nothing is to be done."""
    from holdfast_orchestrator.report.bootstrap_text import bootstrap_document, bootstrap_lines  # noqa: PLC0415

    with session.watching() as on_event:
        preview = foundation.look(adopt_bucket=adopt_bucket, on_event=on_event, stop=session.stop)
    if session.stop.asked:
        raise InterruptedSafelyError("interrupted while planning; nothing was changed")
    asks = session.output.can_ask and preview.has_changes and not preview.plan.failures
    again = None if asks or not preview.has_changes else again_with_yes()
    session.output.show(bootstrap_document(preview), bootstrap_lines(preview, again))
    if preview.plan.failures:
        raise EngineError("the foundation could not be planned; nothing was changed")
    if not asks:
        return None
    answer = session.runtime.terminal.ask(
        f"\nDo this in account {preview.place.account}? Type yes to go on: "
    )
    if answer != "yes":
        raise GateError("not confirmed; nothing was changed")
    return preview


def _destroy(session: Session, foundation: "Foundation", given: dict[str, Any], *, yes: bool) -> int:
    if not yes:
        session.output.refuse_silence(
            "bootstrap --destroy asks before it takes anything down", next_step=again_with_yes()
        )
        given["allow_destroy"] = (*given["allow_destroy"], _confirmed_loss(session, foundation))
    with session.watching() as on_event:
        result = foundation.destroy(
            RunOptions(policy=policy_of(given), command=command_line()), on_event=on_event, stop=session.stop
        )
    if result is None:
        session.output.say([f"there is no state bucket {foundation.place.bucket}: nothing to take down"])
        return 0
    return show_result(session.output, result)


def _confirmed_loss(session: Session, foundation: "Foundation") -> str:
    """Ask for the name of the bucket; return it. Raises GateError for any other answer."""
    place = foundation.place
    session.output.say(
        [
            "",
            f"This takes down the foundation of {place.environment} in account {place.account}, and removes",
            f"the state bucket {place.bucket} with every state, backup and record in it.",
        ]
    )
    question = f"Type the name of the bucket ({place.bucket}) to go on: "
    if session.runtime.terminal.ask(question) != place.bucket:
        raise GateError("not confirmed; nothing was taken down")
    return place.bucket
