"""`holdfast rollback`: apply an earlier good deployment again."""

from typing import Any

import click

from holdfast_orchestrator.cli._ending import show_result
from holdfast_orchestrator.cli._options import (
    allow_destroy_option,
    env_option,
    examples,
    options,
    recorded_options,
    yes_option,
)
from holdfast_orchestrator.cli._policy import (
    again_with_yes,
    approve_option,
    command_line,
    policy_of,
    rebaseline_option,
    take_over_app_option,
    wait_option,
)
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast rollback orders --env prod",
        "holdfast rollback orders --env prod --to 01JD3K4T7Q9ZV5M2X8R6W1B0CE --yes",
    )
)
@click.argument("shard")
@click.option("--to", metavar="RUN", help="The deploy to go back to.  [default: the one before the current]")
@yes_option
@options(
    env_option,
    allow_destroy_option,
    approve_option,
    rebaseline_option,
    take_over_app_option,
    wait_option,
    recorded_options,
)
@click.pass_obj
def command(runtime: Runtime, /, *, shard: str, to: str | None, yes: bool, **given: Any) -> int:
    """Deploy an earlier good version of SHARD again, from the configuration that the bucket keeps.

    The rollback is gated, backed up, verified and health-checked like any deploy; a permanent loss stops it.
    `holdfast runs` lists the deploys to go back to.
    """
    with opened_session(runtime, given) as session:
        if not yes:
            session.output.refuse_silence(
                "rollback asks before it changes anything", next_step=again_with_yes()
            )
            if session.runtime.terminal.ask(f"Take {shard} back? Type its name to go on: ") != shard:
                raise GateError("not confirmed; nothing was changed")
        with session.watching() as on_event:
            result = session.project.rollback(
                shard,
                to=to,
                env=given["env"],
                policy=policy_of(given),
                command=command_line(),
                on_event=on_event,
                stop=session.stop,
            )
        return show_result(session.output, result)
