"""No shard is planned or changed while its state lies somewhere else and was not taken over.

It would plan to create what exists already, and one object would be in two states.
"""

import shlex
from collections.abc import Callable, Iterable

from holdfast_orchestrator.app.manifest import Shard, StateElsewhere
from holdfast_orchestrator.context.tools import Tools
from holdfast_orchestrator.errors import NeedsPersonError, SettingsError
from holdfast_orchestrator.record.adopted import read_adopted
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.terraform.backends import LOCAL


def refuse_states_elsewhere(
    tools: Tools, shards: Iterable[Shard], tell: Callable[[str], object] = lambda _: None
) -> None:
    """Return if each shard's state is where Holdfast keeps it, or was taken over from where else it is.

    `tell` gets a sentence of each of the latter. Raises SettingsError that names the place and the command
    that takes it over.
    """
    for shard in shards:
        if shard.elsewhere is None:
            continue
        if not is_taken_over(tools, shard, shard.elsewhere):
            raise _refusal(shard, shard.elsewhere)
        tell(
            f"{shard.name}: its state was taken over from {shard.elsewhere.place}, which is out of date; "
            + _TIDY.get(shard.elsewhere.kind, "remove that backend from the app")
        )


def is_taken_over(tools: Tools, shard: Shard, elsewhere: StateElsewhere) -> bool:
    """Whether the shard's own state follows the one `elsewhere`.

    A local file is followed by a state of its lineage that is at least as new. Of another backend only the
    record of an adoption tells.
    """
    store = tools.store(shard)
    if elsewhere.kind != LOCAL:
        record = read_adopted(store, shard.state.folder)
        return record is not None and record.declared == elsewhere.place
    try:
        state = read_snapshot(store, shard.state.key)
    except NeedsPersonError:
        # The deploy itself says what is wrong with it, and what to do.
        return False
    if state is None or elsewhere.serial is None or state.lineage != elsewhere.lineage:
        return False
    adopted = read_adopted(store, shard.state.folder)
    # Written after it was adopted, it holds what the shard's own state does not.
    newest = state.serial if adopted is None else min(state.serial, adopted.serial)
    return elsewhere.serial <= newest


def adopt_command(shard: Shard, source: str) -> str:
    """Return the command that takes a state over from `source`."""
    name, environment = shlex.quote(shard.name), shard.environment
    return f"holdfast adopt {name} --env {environment} --from {shlex.quote(source)}"


_TIDY = {LOCAL: "remove that file"}


def _refusal(shard: Shard, elsewhere: StateElsewhere) -> SettingsError:
    ours = f"s3://{shard.state.bucket}/{shard.state.key}"
    if elsewhere.kind == LOCAL:
        many = (
            ""
            if elsewhere.objects is None
            else f" ({elsewhere.objects} object{'s' * (elsewhere.objects != 1)})"
        )
        what = f"the state of stack {shard.name!r} is in the local file {elsewhere.place}{many}"
    else:
        what = f"stack {shard.name!r} declares a backend of its own: its state is at {elsewhere.place}"
    return SettingsError(
        f"{what}; Holdfast keeps it at {ours}, and would create what it manages a second time",
        next_step=_taking_over(shard, elsewhere),
    )


def _taking_over(shard: Shard, elsewhere: StateElsewhere) -> str:
    if elsewhere.source is not None:
        return adopt_command(shard, elsewhere.source)
    folder = shlex.quote(str(shard.directory))
    file = f"{shard.state.folder.replace('/', '-')}.tfstate"
    return (
        f"terraform -chdir={folder} init && "
        f"(umask 077 && terraform -chdir={folder} state pull > {file}) && {adopt_command(shard, file)}"
    )
