"""`holdfast state`: the break-glass drawer. Each command says what it would do before it does it."""

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from holdfast_orchestrator.cli._history import table
from holdfast_orchestrator.cli._options import examples, options, yes_option
from holdfast_orchestrator.cli._state_place import StateSession, about_a_state, state_session
from holdfast_orchestrator.cli._streams import was_lost
from holdfast_orchestrator.errors import GateError, HoldfastError, UsageError
from holdfast_orchestrator.system.private_files import write_new
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.state.copies import StateCopy
    from holdfast_orchestrator.state_admin.restore import Proposal, Restored
    from holdfast_orchestrator.state_admin.unlock import Held


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """A time in ISO 8601; without a zone it is UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it like 2026-11-21T12:00:00Z") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


_WHICH = (
    click.option("--backup", "name", metavar="NAME", help="As `state backups` names it."),
    click.option("--at", "moment", callback=_moment, metavar="TIME", help="As it was at 2026-11-21T12:00Z."),
)


@click.group(
    name="state",
    epilog=examples(
        "holdfast state backups orders-prod-eu-west-1",
        "holdfast state restore orders-prod-eu-west-1 --at 2026-11-21T12:00Z",
        "holdfast state unlock orders-prod-eu-west-1",
    ),
)
def command() -> None:
    """Copies of states, and what to do when a state is damaged, lost or locked for ever.

    Everything works with nothing but the bucket, on any machine: --state-bucket and --region.
    """


@command.command(
    epilog=examples(
        "holdfast state backups orders-prod-eu-west-1",
        "holdfast state backups orders --state-bucket acme-state --region eu-west-1 --json",
    )
)
@options(about_a_state)
@click.pass_obj
def backups(runtime: Runtime, /, **given: Any) -> None:
    """List the copies of a shard's state, the newest first: backups, and versions of the object itself."""
    from holdfast_orchestrator.report.state_documents import backups_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.state_text import copy_rows  # noqa: PLC0415
    from holdfast_orchestrator.terraform.state_file import read_state  # noqa: PLC0415

    with state_session(runtime, given) as here:
        copies = here.place.copies.all()
        if here.json:
            here.answer(backups_document(here.place, copies))
            return
        stored = here.place.store.get(here.place.key)
        now = read_state(here.place.key, None if stored is None else stored.body)
        if now.document is None:
            here.say([f"the state object is {now.condition}"])
        here.say(table(copy_rows(copies, current=now.sha256)) if copies else ["no copies"])


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
    help="Write a new file that only you may read.  [default: standard output]",
)
@options(about_a_state)
@click.pass_obj
def pull(
    runtime: Runtime, /, *, name: str | None, moment: datetime | None, out: Path | None, **given: Any
) -> None:
    """Give out a state, byte for byte and with every secret in it: the newest, a copy, or a moment's."""
    with state_session(runtime, given) as here:
        if given["as_json"]:
            raise UsageError("a state is JSON already, and is given out as it is: leave --json away")
        content = _content(here, name, moment)
        if out is not None:
            _write_private(runtime.cwd / out, content)
            runtime.terminal.err.write(f"{out} holds the state and the secrets in it\n")
        else:
            runtime.terminal.err.write("warning: a state holds secrets; keep what follows to yourself\n")
            _give_out(content, runtime.terminal.out)


@command.command(
    epilog=examples(
        "holdfast state restore orders-prod-eu-west-1 --at 2026-11-21T12:00Z",
        "holdfast state restore orders-prod-eu-west-1 --backup 14-6f2c….json",
        "holdfast state restore orders-prod-eu-west-1 --at 2026-11-21T12:00Z --yes --confirm NAME",
    )
)
@options(*_WHICH, yes_option)
@click.option("--confirm", metavar="SHARD", help="With --yes: the shard's name once more.")
@options(about_a_state)
@click.pass_obj
def restore(
    runtime: Runtime,
    /,
    *,
    name: str | None,
    moment: datetime | None,
    yes: bool,
    confirm: str | None,
    **given: Any,
) -> None:
    """Put an old state back, after showing what that would orphan and what it would bring back.

    A run that is open on the shard is ended by it, also where the state is that copy already.
    Nothing in the cloud changes: only what Terraform believes to exist. What is there now is backed up first.
    A state of another lineage is refused. The plan that follows has to be looked at.
    """
    from holdfast_orchestrator.report.state_documents import restore_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.state_text import proposal_lines, restored_lines  # noqa: PLC0415
    from holdfast_orchestrator.state_admin.restore import propose  # noqa: PLC0415

    with state_session(runtime, given) as here:
        proposal = propose(here.place, _copy(here, name, moment))
        here.say(proposal_lines(proposal))
        if proposal.needless:
            here.say(["nothing to restore: that is the state there is"])
        ended = None if proposal.needless else _restore(proposal, here, yes=yes, confirm=confirm)
        if ended is not None:
            here.say(["", *restored_lines(proposal, ended)])
        if here.json:
            here.answer(restore_document(proposal, ended))


@command.command(
    epilog=examples(
        "holdfast state unlock orders-prod-eu-west-1",
        "holdfast state unlock orders-prod-eu-west-1 --confirm 0b5c7e1e-6a3a-7d0c-5d62-1a2a0f6d9b3c",
    )
)
@click.option("--confirm", metavar="ID", help="The id of what to remove, as it was shown.")
@options(about_a_state)
@click.pass_obj
def unlock(runtime: Runtime, /, *, confirm: str | None, **given: Any) -> None:
    """Show who holds a shard, and remove a lock whose owner is gone once its id was typed.

    Terraform's lock is removed by its own id, even where the object is empty or damaged. What a person holds
    is given back by the name of its run. The lease of a run is never removed here: `holdfast resume` knows
    what that run left behind.
    """
    from holdfast_orchestrator.report.state_documents import unlock_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.state_admin.unlock import look  # noqa: PLC0415

    with state_session(runtime, given) as here:
        held = look(here.place)
        here.say(held.lines())
        removed = _unlock(held, here, confirm)
        if here.json:
            lease = held.lease
            here.answer(
                unlock_document(
                    here.shard,
                    held.lock,
                    None if lease is None else lease.record,
                    expired=lease is not None and lease.has_expired,
                    removed=removed,
                )
            )


def _content(here: StateSession, name: str | None, moment: datetime | None) -> bytes:
    if name is not None or moment is not None:
        return here.place.copies.read(_copy(here, name, moment))[1]
    stored = here.place.store.get(here.place.key)
    if stored is None:
        raise HoldfastError(
            f"{here.shard} has no state",
            next_step=f"to see what is left: holdfast state backups {shlex.quote(here.shard)}",
        )
    return stored.body


def _copy(here: StateSession, name: str | None, moment: datetime | None) -> "StateCopy":
    match name, moment:
        case str(), None:
            return here.place.copies.named(name)
        case None, datetime():
            return here.place.copies.at(moment)
        case _:
            raise UsageError(
                "name one copy: either --backup NAME or --at TIME",
                next_step=f"to see them: holdfast state backups {shlex.quote(here.shard)}",
            )


def _give_out(content: bytes, out: TextIO) -> None:
    """Write a state to standard output; there, half of one is no success. Raises HoldfastError."""
    if (inner := getattr(out, "buffer", None)) is not None:
        out.flush()
        inner.write(content)
        inner.flush()
    else:
        out.write(content.decode(errors="surrogateescape"))
    if was_lost(out):
        raise HoldfastError(
            "standard output did not take the whole state", next_step="name a file: --out FILE"
        )


def _write_private(path: Path, content: bytes) -> None:
    try:
        write_new(path, content)
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror}", next_step="name another file") from None


def _restore(proposal: "Proposal", here: StateSession, *, yes: bool, confirm: str | None) -> "Restored":
    from holdfast_orchestrator.report.state_text import proposal_lines, restored_lines  # noqa: PLC0415
    from holdfast_orchestrator.run_id import new_run_id  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.state_admin.operator import Operator  # noqa: PLC0415
    from holdfast_orchestrator.state_admin.restore import carry_out  # noqa: PLC0415

    _confirm(here, yes=yes, confirm=confirm)
    restorer = Operator(runtime=here.runtime, actor=here.actor, run=new_run_id(here.runtime.clock.now()))
    shown = list(proposal_lines(proposal))
    try:
        ended = carry_out(proposal, restorer, on_step=lambda step: here.say([f"  {step}"]))
    except HoldfastError as error:
        _record(here, "restore", restorer.run, outcome="failed", output=[*shown, str(error)])
        raise
    lines = [*shown, *restored_lines(proposal, ended)]
    _record(here, "restore", restorer.run, outcome="restored", output=lines)
    return ended


def _confirm(here: StateSession, *, yes: bool, confirm: str | None) -> None:
    if yes:
        if confirm != here.shard:
            raise UsageError(
                f"--yes needs the shard's name once more, got {confirm!r}",
                next_step=f"--yes --confirm {here.shard}",
            )
        return
    if not here.can_ask:
        raise UsageError(
            "restore asks for the shard's name, and there is no terminal to ask on",
            next_step=f"--yes --confirm {here.shard}",
        )
    typed = here.runtime.terminal.ask(f"Type the shard's name ({here.shard}) to restore it: ")
    if typed != here.shard:
        raise GateError("not confirmed; nothing was restored")


def _unlock(held: "Held", here: StateSession, confirm: str | None) -> tuple[str, ...]:
    from holdfast_orchestrator.run_id import new_run_id  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.state_admin.unlock import let_go  # noqa: PLC0415

    id_ = confirm or ""
    if confirm is None and held.removable and here.can_ask:
        id_ = here.runtime.terminal.ask("Type the id of what to remove, once its owner is gone for sure: ")
    if not id_:
        return ()
    run = new_run_id(here.runtime.clock.now())
    output = list(held.lines())
    try:
        removed = let_go(held, id_, here.runtime, why=f"by {here.actor}")
    except HoldfastError as error:
        _record(here, "unlock", run, outcome="refused", output=[*output, str(error)])
        raise
    here.say([f"removed: {removed}"])
    _record(here, "unlock", run, outcome="removed", output=[*output, f"removed: {removed}"])
    return (removed,)


def _record(here: StateSession, action: str, run: str, *, outcome: str, output: list[str]) -> None:
    """What was done stays done where it cannot be written down; that is said, and no more."""
    try:
        here.record(action, run=run, outcome=outcome, output="\n".join(output))
    except HoldfastError as error:
        seen = here.redactor.text
        here.runtime.terminal.err.write(f"warning: not written into the audit trail: {seen(error.what)}\n")
