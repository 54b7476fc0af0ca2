"""Options that say what a deploy may do when it fails, and what a person agrees to lose."""

import shlex
from collections.abc import Mapping
from typing import Any

import click

from holdfast_orchestrator import Approval, DeployPolicy, PlanOptions
from holdfast_orchestrator.cli._advice import ARGV
from holdfast_orchestrator.cli._options import mirrored, options
from holdfast_orchestrator.cli._variables import HIDDEN, without_values
from holdfast_orchestrator.errors import UsageError

approve_option = mirrored(
    "--approve",
    multiple=True,
    metavar="ADDRESS[=SNAPSHOT]",
    help="Agree to a change that cannot be undone; SNAPSHOT names a snapshot taken before. Repeatable.",
)
wait_option = mirrored(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait this long for a shard that somebody else is deploying.  [default: do not wait]",
)
rebaseline_option = mirrored(
    "--rebaseline", is_flag=True, help="Accept a state that something other than Holdfast has written."
)
take_over_app_option = mirrored(
    "--take-over-app",
    metavar="NAME",
    help="Take over the shards of the app with this name (projectId), because it was renamed.",
)
adopt_option = mirrored(
    "--adopt",
    multiple=True,
    metavar="ADDRESS",
    help="Take over the object that already exists, instead of creating ADDRESS; a rollback releases it "
    "again. Repeatable.",
)
failure_options = options(
    approve_option,
    mirrored("--no-rollback", is_flag=True, help="Do not roll a failed deploy back."),
    mirrored(
        "--atomic",
        is_flag=True,
        help="All or nothing: if one shard fails, roll back those already committed too.",
    ),
    mirrored(
        "--full-verify",
        is_flag=True,
        help="Let the verify read every object again, also those that share no identifier with any change.",
    ),
    mirrored(
        "--redeploy",
        multiple=True,
        metavar="RUN",
        help="Deploy the version of this run again, although a person rolled it back; repeatable.",
    ),
    mirrored(
        "--on-first-failure",
        type=click.Choice(["keep", "destroy-created"]),
        default="keep",
        show_default=True,
        help="What to do with a shard whose very first deploy fails.",
    ),
    rebaseline_option,
    take_over_app_option,
    wait_option,
)


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
    from holdfast_orchestrator import Agreed  # noqa: PLC0415 - the modules that plan take long to import

    policy = policy_of(given)
    return PlanOptions(
        refresh=given["refresh"],
        explain=given.get("explain", False),
        take_over_app=given["take_over_app"],
        agreed=Agreed(
            allowed=policy.allowed, approvals=policy.approvals, adopt=policy.adopt, redeploy=policy.redeploy
        ),
        max_parallel=given["max_parallel"],
        max_parallel_per_account=given["max_parallel_per_account"],
    )


def command_line() -> str:
    """Return the command line as it was given."""
    return shlex.join(("holdfast", *without_values(click.get_current_context().meta.get(ARGV, ()))))


def again_with_yes() -> str:
    """Return the same command with --yes; in words, if the command line has hidden values."""
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
