"""`holdfast destroy`: take shards down."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import click

from holdfast_orchestrator import Manifest, RunOptions, RunResult, Shard
from holdfast_orchestrator.cli._ending import show_result
from holdfast_orchestrator.cli._options import (
    ValueOption,
    allow_destroy_option,
    choosing_options,
    dependents_option,
    examples,
    options,
    working_options,
    yes_option,
)
from holdfast_orchestrator.cli._policy import (
    again_with_yes,
    command_line,
    policy_of,
    rebaseline_option,
    take_over_app_option,
    wait_option,
)
from holdfast_orchestrator.cli._session import Session, opened_session
from holdfast_orchestrator.errors import GateError, UsageError
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast destroy --env local --yes",
        "holdfast destroy --env dev --stack orders --include-dependents",
        "holdfast destroy --env dev --stack data --allow-destroy aws_db_instance.orders_db",
        "holdfast destroy --env dev --retired old-dev-eu-west-1",
    )
)
@yes_option
@click.option(
    "--retired",
    cls=ValueOption,
    metavar="NAME",
    help="Take down a stack that is no longer in the app, as it was last deployed.",
)
@options(
    choosing_options,
    dependents_option,
    allow_destroy_option,
    rebaseline_option,
    take_over_app_option,
    wait_option,
    working_options,
)
@click.pass_obj
def command(runtime: Runtime, /, *, yes: bool, **given: Any) -> int:
    """Take down exactly the shards chosen, dependents first.

    Destroy refuses to take down a shard that other, unchosen shards depend on. Nothing is taken down while
    an object of any of them is protected, by the app or by deletion protection of its own: type its name or
    give it with --allow-destroy. Its deletion protection is switched off first; environment local asks
    for no names.
    """
    with opened_session(runtime, given) as session:
        if not yes:
            session.output.refuse_silence(
                "destroy asks before it takes anything down", next_step=again_with_yes()
            )
        if given["retired"] and (given["stack"] or given["service"] or given["include_dependents"]):
            raise UsageError("--retired names the one stack to take down; leave --stack and the like away")
        with session.warmed() as warm:
            result = _destroy(warm, given, ask=not yes)
        return show_result(session.output, result)


def _destroy(session: Session, given: dict[str, Any], *, ask: bool) -> RunResult:
    policy = policy_of(given)
    if not given["retired"]:
        session.project.refuse_early(replace(session.selection, one_environment=True))
    with session.watching() as on_event:
        manifest = session.project.synth(env=given["env"], on_event=on_event)
    if ask:
        typed = _confirm(_chosen(manifest, given, session), policy.allowed, session)
        policy = replace(policy, allowed=policy.allowed | typed)
    options = RunOptions(
        policy=policy,
        command=command_line(),
        max_parallel=given["max_parallel"],
        max_parallel_per_account=given["max_parallel_per_account"],
    )
    with session.watching() as on_event:
        if given["retired"]:
            return session.project.destroy_retired(
                given["retired"], options, manifest=manifest, on_event=on_event, stop=session.stop
            )
        return session.project.destroy(
            session.selection, options, manifest=manifest, on_event=on_event, stop=session.stop
        )


def _chosen(manifest: Manifest, given: dict[str, Any], session: Session) -> tuple[Shard, ...]:
    if given["retired"]:
        return (session.project.retired_shard(given["retired"], manifest),)
    return replace(session.selection, one_environment=True).of(manifest)


def _confirm(shards: tuple[Shard, ...], allowed: frozenset[str], session: Session) -> frozenset[str]:
    """Ask for the environment and for each protected resource; return the addresses typed."""
    session.output.say(["", "This takes down:", *(f"  {shard.name}" for shard in reversed(shards))])
    where = ", ".join(sorted({shard.environment for shard in shards}))
    ask = session.runtime.terminal.ask
    if ask(f"Everything in them is lost. Type the environment ({where}) to go on: ") != where:
        raise GateError("not confirmed; nothing was taken down")
    typed = _name_each({shard.name: {*shard.guarded} - allowed for shard in shards}, session)
    return typed | _name_each(session.project.protected_objects(shards, allowed | typed), session)


def _name_each(protected: Mapping[str, Iterable[str]], session: Session) -> frozenset[str]:
    """Ask for the name of each protected address of each shard; return what was typed."""
    typed: set[str] = set()
    for name, addresses in protected.items():
        for address in sorted(addresses):
            question = f"{address} of {name} is protected. Type its name to lose it: "
            if session.runtime.terminal.ask(question) != address:
                raise GateError(f"{address} is protected and was not named; nothing was taken down")
            typed.add(address)
    return frozenset(typed)
