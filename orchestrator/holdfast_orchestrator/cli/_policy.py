"""Options that say what a deploy may do when it fails, and what somebody agrees to lose."""

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from holdfast_orchestrator import Approval, DeployPolicy, PlanOptions
from holdfast_orchestrator.cli._options import mirrored, options
from holdfast_orchestrator.cli._variables import HIDDEN, without_values
from holdfast_orchestrator.errors import UsageError

if TYPE_CHECKING:
    from holdfast_orchestrator import Agreed

F = TypeVar("F", bound=Callable[..., Any])

ARGV = "holdfast.argv"

approve_option = mirrored(
    "--approve",
    multiple=True,
    metavar="ADDRESS[=SNAPSHOT]",
    help="Agree to a change that cannot be undone, with the snapshot that was taken; repeatable.",
)
wait_option = mirrored(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait this long for a shard that somebody else deploys.  [default: not at all]",
)
rebaseline_option = mirrored(
    "--rebaseline", is_flag=True, help="Take a state that somebody else wrote for the truth."
)
take_over_app_option = mirrored(
    "--take-over-app",
    metavar="NAME",
    help="Take over the shards of an app that had this name (projectId): this app was renamed.",
)
no_rollback_option = mirrored("--no-rollback", is_flag=True, help="Keep what a failed deploy has left.")
atomic_option = mirrored(
    "--atomic", is_flag=True, help="All or nothing: when one shard fails, those already committed go back."
)
redeploy_option = mirrored(
    "--redeploy",
    multiple=True,
    metavar="RUN",
    help="Deploy the version of this run again although it was rolled back from by hand; repeatable.",
)
adopt_option = mirrored(
    "--adopt",
    multiple=True,
    metavar="ADDRESS",
    help="Take over the object that is there already where ADDRESS is to be made; a rollback lets go of it "
    "again. Repeatable.",
)
first_failure_option = mirrored(
    "--on-first-failure",
    type=click.Choice(["keep", "destroy-created"]),
    default="keep",
    show_default=True,
    help="What becomes of a shard whose very first deploy fails.",
)


def failing(function: F) -> F:
    """Add what a deploy has: what happens after a failure, and what may be lost."""
    shared: F = options(
        approve_option,
        no_rollback_option,
        atomic_option,
        first_failure_option,
        redeploy_option,
        rebaseline_option,
        take_over_app_option,
        wait_option,
    )(function)
    return shared


def policy_of(given: Mapping[str, Any]) -> DeployPolicy:
    """Return the options as one value. Raises UsageError for an approval without an address."""
    return DeployPolicy(
        rollback=not given.get("no_rollback", False),
        on_first_failure=given.get("on_first_failure", "keep"),
        approvals=tuple(map(_approval, given.get("approve", ()))),
        allowed=frozenset(given.get("allow_destroy", ())),
        rebaseline=given.get("rebaseline", False),
        take_over_app=given.get("take_over_app"),
        redeploy=frozenset(run.upper() for run in given.get("redeploy", ())),
        adopt=frozenset(given.get("adopt", ())),
        lease_wait=given.get("wait", 0.0),
    )


def plan_options(given: Mapping[str, Any]) -> PlanOptions:
    """Return the options that say how shards are planned as one value."""
    return PlanOptions(
        refresh=given["refresh"],
        explain=given.get("explain", False),
        take_over_app=given["take_over_app"],
        agreed=_agreed(given),
        max_parallel=given["max_parallel"],
        max_parallel_per_account=given["max_parallel_per_account"],
    )


def _agreed(given: Mapping[str, Any]) -> "Agreed":
    from holdfast_orchestrator import Agreed  # noqa: PLC0415 - what plans takes long to import

    policy = policy_of(given)
    return Agreed(
        allowed=policy.allowed, approvals=policy.approvals, adopt=policy.adopt, redeploy=policy.redeploy
    )


def command_line() -> str:
    """Return the command line as it was given."""
    return shlex.join(("holdfast", *without_values(click.get_current_context().meta.get(ARGV, ()))))


def again_with_yes() -> str:
    """Return what to do to give the same command again without being asked.

    In words where the command line holds values that are never shown.
    """
    line = command_line()
    if HIDDEN in line:
        return "give the same command again with --yes at its end (values of --var are not repeated here)"
    return f"{line} --yes"


def _approval(text: str) -> Approval:
    # An address may hold `=` in a key: the snapshot is what follows the last one outside of quotes.
    address, _, snapshot = text.rpartition("=") if "=" in text.rpartition("]")[2] else (text, "", "")
    if not address:
        raise UsageError(f"--approve must be ADDRESS or ADDRESS=SNAPSHOT, got {text!r}")
    return Approval(address, snapshot or None)
