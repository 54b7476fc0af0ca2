"""`holdfast state`: list, read, restore and unlock states by hand."""

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from holdfast_orchestrator.cli._groups import SuggestingGroup
from holdfast_orchestrator.cli._options import examples, options, yes_option
from holdfast_orchestrator.cli._output import Output
from holdfast_orchestrator.cli._outputs import write_private
from holdfast_orchestrator.cli._records import opened_state, state_options
from holdfast_orchestrator.cli._streams import was_lost
from holdfast_orchestrator.errors import GateError, HoldfastError, UsageError
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator import Held, ShardState, StateCopy


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """Read a time in ISO 8601; a time without a zone is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it like 2026-11-21T12:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_WHICH = (
    click.option("--backup", "name", metavar="NAME", help="The copy with this name in `state backups`."),
    click.option(
        "--at",
        "moment",
        callback=_moment,
        metavar="TIME",
        help="The newest copy at this time, such as 2026-11-21T12:00Z.",
    ),
)


@click.group(
    cls=SuggestingGroup,
    name="state",
    epilog=examples(
        "holdfast state backups orders-prod-eu-west-1",
        "holdfast state restore orders-prod-eu-west-1 --at 2026-11-21T12:00Z",
        "holdfast state unlock orders-prod-eu-west-1",
    ),
)
def command() -> None:
    """Work with copies of states, and repair a state that is damaged, lost or locked for ever.

    With --state-bucket and --region every command works on any machine, without the app.
    """


@command.command(
    epilog=examples(
        "holdfast state backups orders-prod-eu-west-1",
        "holdfast state backups orders --state-bucket acme-state --region eu-west-1 --json",
    )
)
@state_options
@click.pass_obj
def backups(runtime: Runtime, /, **given: Any) -> None:
    """List the copies of a shard's state, newest first: backups, and versions of the object itself."""
    from holdfast_orchestrator.report.state_documents import backups_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.state_text import copies_lines  # noqa: PLC0415

    with opened_state(runtime, given) as (output, state):
        copies = state.copies().all()
        output.show(
            backups_document(state.place, copies), copies_lines(copies, state.current(), width=output.width)
        )


@command.command(
    epilog=examples(
        "holdfast state pull orders-prod-eu-west-1 --out orders.tfstate",
        "holdfast state pull orders-prod-eu-west-1 --at 2026-11-21T12:00Z --out then.tfstate",
    )
)
@options(*_WHICH)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a new file that only you can read.  [default: standard output]",
)
@state_options
@click.pass_obj
def pull(
    runtime: Runtime, /, *, name: str | None, moment: datetime | None, out: Path | None, **given: Any
) -> None:
    """Print a state unchanged, with every secret in it: the newest, a copy, or the state at a time."""
    with opened_state(runtime, given) as (output, state):
        if output.json:
            raise UsageError("a state is JSON already and is printed unchanged: leave --json away")
        newest = name is None and moment is None
        content = state.content(None if newest else _copy(state, name, moment))
        if out is not None:
            write_private("--out", runtime.cwd / out, content)
            runtime.terminal.err.write(f"{out} holds the state and the secrets in it\n")
        else:
            runtime.terminal.err.write("warning: a state holds secrets; keep what follows to yourself\n")
            _print(content, runtime.terminal.out)


@command.command(
    epilog=examples(
        "holdfast state restore orders-prod-eu-west-1 --at 2026-11-21T12:00Z",
        "holdfast state restore orders-prod-eu-west-1 --backup 14-6f2c….json",
        "holdfast state restore orders-prod-eu-west-1 --at 2026-11-21T12:00Z --yes --confirm NAME",
    )
)
@options(*_WHICH, yes_option)
@click.option("--confirm", metavar="SHARD", help="With --yes: repeat the shard's name.")
@state_options
@click.pass_obj
def restore(runtime: Runtime, /, *, name: str | None, moment: datetime | None, **given: Any) -> None:
    """Put an old state back, after showing which objects that would orphan and which it would bring back.

    Nothing changes in the cloud, only in Terraform's record of it. The present state is backed up first. A
    state of another lineage is refused. A run that is open on the shard ends, even if the state is the same
    as the copy. Look at the next plan before you deploy.
    """
    from holdfast_orchestrator.report.state_documents import restore_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.state_text import proposal_lines, restored_lines  # noqa: PLC0415

    with opened_state(runtime, given) as (output, state):
        proposal = state.propose_restore(_copy(state, name, moment))
        output.say(proposal_lines(proposal))
        restored = None
        if proposal.needless:
            output.say(["nothing to restore: that is the state there is"])
        else:
            _confirm(state.shard, output, yes=given["yes"], confirm=given["confirm"])
            restored = state.restore(
                proposal,
                command=f"holdfast state restore {shlex.quote(state.shard)}",
                on_step=lambda step: output.say([f"  {step}"]),
                on_warning=lambda warning: output.note(f"warning: {warning}"),
            )
            output.say(["", *restored_lines(proposal, restored)])
        if output.json:
            output.answer(restore_document(proposal, restored))


@command.command(
    epilog=examples(
        "holdfast state unlock orders-prod-eu-west-1",
        "holdfast state unlock orders-prod-eu-west-1 --confirm 0b5c7e1e-6a3a-7d0c-5d62-1a2a0f6d9b3c",
    )
)
@click.option("--confirm", metavar="ID", help="The id of the lock or lease to remove, as `unlock` shows it.")
@state_options
@click.pass_obj
def unlock(runtime: Runtime, /, *, confirm: str | None, **given: Any) -> None:
    """Show who holds a shard, and remove a lock whose owner is gone, after you type its id.

    The id of Terraform's lock is its own, even where the lock object is empty or damaged; the id of a lease
    that a person holds is the name of its run. The lease of a run is never removed here: `holdfast resume`
    completes what that run left behind.
    """
    from holdfast_orchestrator.report.state_documents import unlock_document  # noqa: PLC0415 - when it runs

    with opened_state(runtime, given) as (output, state):
        held = state.held()
        output.say(held.lines())
        removed = _unlock(state, held, output, confirm)
        if output.json:
            output.answer(unlock_document(held, removed=removed))


def _copy(state: "ShardState", name: str | None, moment: datetime | None) -> "StateCopy":
    match name, moment:
        case str(), None:
            return state.copies().named(name)
        case None, datetime():
            return state.copies().at(moment)
        case _:
            raise UsageError(
                "name one copy: either --backup NAME or --at TIME",
                next_step=f"to see them: holdfast state backups {shlex.quote(state.shard)}",
            )


def _print(content: bytes, out: TextIO) -> None:
    """Write a state to standard output. Raises HoldfastError if not all of it could be written."""
    if (inner := getattr(out, "buffer", None)) is not None:
        out.flush()
        inner.write(content)
        inner.flush()
    else:
        out.write(content.decode(errors="surrogateescape"))
    if was_lost(out):
        raise HoldfastError(
            "standard output did not take the whole state", next_step="name a file: holdfast … --out FILE"
        )


def _confirm(shard: str, output: Output, *, yes: bool, confirm: str | None) -> None:
    if yes:
        if confirm != shard:
            raise UsageError(
                f"--yes needs the shard's name once more, got {confirm!r}",
                next_step=f"holdfast … --yes --confirm {shlex.quote(shard)}",
            )
        return
    output.refuse_silence(
        "restore asks for the shard's name", next_step=f"holdfast … --yes --confirm {shlex.quote(shard)}"
    )
    if output.runtime.terminal.ask(f"Type the shard's name ({shard}) to restore it: ") != shard:
        raise GateError("not confirmed; nothing was restored")


def _unlock(state: "ShardState", held: "Held", output: Output, confirm: str | None) -> tuple[str, ...]:
    id_ = confirm or ""
    if confirm is None and held.removable and output.can_ask:
        id_ = output.runtime.terminal.ask("Type the id of what to remove, once its owner is gone for sure: ")
    if not id_:
        return ()
    removed = state.unlock(
        held,
        id_,
        command=f"holdfast state unlock {shlex.quote(state.shard)}",
        on_warning=lambda warning: output.note(f"warning: {warning}"),
    )
    output.say([f"removed: {removed}"])
    return (removed,)
