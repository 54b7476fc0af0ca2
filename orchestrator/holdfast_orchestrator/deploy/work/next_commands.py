"""The commands that come next for a shard, spelled so that they can be run as they are printed."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.state.copies import StateCopies
from holdfast_orchestrator.state.object_store import DurableStore


def deploy_command(shard: Shard, *options: str) -> str:
    """Return the command that deploys this shard."""
    return _spelled("deploy", *_named(shard), *options)


def destroy_command(shard: Shard, allowed: Iterable[str] = ()) -> str:
    """Return the command that destroys this shard; `allowed` are protected addresses that may be lost."""
    which = ("--retired", shard.name) if _is_retired(shard) else ("--stack", shard.name)
    permissions = [word for address in sorted(allowed) for word in ("--allow-destroy", address)]
    return _spelled("destroy", "--env", shard.environment, *which, *permissions)


def correct_and_deploy(shard: Shard) -> str:
    """Return the advice after a failure that is the app's own."""
    return f"correct the cause, then: {deploy_command(shard)}"


def deploy_after_all(shard: Shard) -> str:
    """Return the advice after a deploy that a person interrupted: nothing has to be corrected."""
    return f"to deploy it after all: {deploy_command(shard)}"


def decisions(run: str) -> str:
    """Return the decisions that take up a run which waits for one."""
    resume = f"holdfast resume {run}"
    return (
        f"once the cause is gone: {resume} --continue; or, to undo nothing: {resume} --accept-forward; "
        "--skip ADDRESS leaves one object as it is, --orphan ADDRESS lets go of a new one"
    )


def again_command(shard: Shard, verb: str) -> str:
    """Return the command that begins anew what a run was to do."""
    if verb == "destroy":
        return destroy_command(shard)
    return rollback_command(shard) if verb == "rollback" else deploy_command(shard)


def rollback_command(shard: Shard, *options: str) -> str:
    """Return the command that takes this shard back by hand."""
    return _spelled("rollback", shard.name, "--env", shard.environment, *options)


def restore_commands(store: DurableStore, shard: Shard) -> str:
    """Return the commands that show the copies of a state and put the newest whole one back."""
    look = _spelled("state", "backups", shard.name)
    copy = StateCopies(store, shard.state.key).newest()
    if copy is None:
        return f"no copy of it is kept; {look}"
    return f"{look}; then: {_spelled('state', 'restore', shard.name, '--backup', copy.name)}"


def _named(shard: Shard) -> tuple[str, ...]:
    return ("--env", shard.environment, "--stack", shard.name)


def _is_retired(shard: Shard) -> bool:
    """Whether the app does not have it any more: then nothing was synthesized for it."""
    return shard.directory == Path()


def _spelled(*words: str) -> str:
    return shlex.join(("holdfast", *words))
