"""How to move objects from one state to another without losing one.

Two ways, both proven by plans that find nothing to change:

    by configuration   the one stack forgets (`removed`, without destroy), the other imports. Only where each
                       object can be imported and none holds data: a deploy that lets go of what holds data
                       takes it for lost, and undoes itself
    by the states      both states are pulled, `terraform state mv` moves between the copies, both are pushed:
                       first the one that gains, so that an object is known twice for a moment and never not
                       at all

A push is refused where the state was written meanwhile, and under Terraform's own lock. What was pushed by
hand is taken for the truth with --rebaseline.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.advice.facts import Part, Standing, Step
from holdfast_orchestrator.manifest import LOCAL, Shard
from holdfast_orchestrator.rollback.addresses import escape_template
from holdfast_orchestrator.selection import naming

NEW = "NEW"
"""Stands for the name of a stack, and of its service, that does not exist yet."""

_FOLDER = "move"
_SAME_ADDRESSES = "with the same ids at the same place below the stack: then every address stays as it is."


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """A stack that gains or loses objects: its name, how a command chooses it, where its state lies."""

    name: str
    options: tuple[str, ...]
    backend: Mapping[str, Any]
    stands: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """`objects` leave `source` for `target`; `order` is that of the deploys."""

    source: _End
    target: _End
    objects: tuple[Standing, ...]
    order: tuple[_End, _End]
    code: str
    local: bool

    @property
    def by_configuration(self) -> bool:
        return all(known.import_id is not None and not known.stateful for known in self.objects)

    @property
    def standing(self) -> tuple[_End, ...]:
        return tuple(end for end in (self.source, self.target) if end.stands)


def split_steps(shard: Shard, moves: Part, *, moves_first: bool, crossing: int) -> tuple[Step, ...]:
    """Return how to move a part of a shard into a stack of its own, called NEW.

    With `moves_first` nothing of what moves refers to what stays; `crossing` is how many references cross.
    """
    source, target = _end(shard), _new(shard)
    code = (
        f"Move {', '.join(moves.constructs)} out of the stack {shard.name} into one of its own, {NEW}, "
        f"{_SAME_ADDRESSES}"
    )
    if crossing:
        code += f" Hand the {crossing} references across from stack to stack: cdktf makes outputs of them."
    return _steps(
        _Move(
            source=source,
            target=target,
            objects=moves.objects,
            order=(target, source) if moves_first else (source, target),
            code=code,
            local=shard.cloud == LOCAL,
        )
    )


def merge_steps(shard: Shard, into: Shard, objects: tuple[Standing, ...]) -> tuple[Step, ...]:
    """Return how to move all objects of a shard into another one."""
    source, target = _end(shard), _end(into)
    code = (
        f"Move every construct of the stack {shard.name} into {into.name}, {_SAME_ADDRESSES} "
        f"Keep the stack {shard.name}, empty, for now."
    )
    return (
        *_steps(
            _Move(
                source=source,
                target=target,
                objects=objects,
                order=(target, source),
                code=code,
                local=shard.cloud == LOCAL,
            )
        ),
        Step(
            what=f"Deploy what reads outputs of {shard.name}; then take the stack {shard.name}, which holds "
            "nothing any more, out of the app.",
            commands=(_command("deploy", *target.options, "--include-dependents"),),
        ),
    )


def _steps(move: _Move) -> tuple[Step, ...]:
    way = _by_configuration if move.by_configuration else _by_states
    return (*_before(move), *way(move))


def _before(move: _Move) -> Iterator[Step]:
    names = " and ".join(end.name for end in move.standing)
    yield Step(
        what=f"Let nobody else deploy {names} until the last step. Nothing may be pending: this has to say "
        "`unchanged`.",
        commands=tuple(_command("plan", *end.options, "--refresh") for end in move.standing),
    )
    yield Step(
        what="Keep copies of the states until the last step; they hold secrets.",
        commands=tuple(
            _command("state", "pull", end.name, "--out", f"{end.name}.before.tfstate")
            for end in move.standing
        ),
    )
    yield Step(what=move.code)


def _by_configuration(move: _Move) -> Iterator[Step]:
    blocks = dict.fromkeys(known.block for known in move.objects)
    yield Step(
        what=f'Let {move.source.name} forget, and not destroy: self.add_override("removed", [...]).',
        into=move.source.name,
        block={"removed": [{"from": block, "lifecycle": {"destroy": False}} for block in blocks]},
    )
    yield Step(
        what=f'Let {move.target.name} import: self.add_override("import", [...]).',
        into=move.target.name,
        block={"import": [_import(known) for known in move.objects]},
    )
    for end in move.order:
        yield Step(
            what=_forgetting(move) if end is move.source else _importing(move),
            commands=(_command("plan", *end.options), _command("deploy", *end.options)),
        )
    yield _proof(move, "Then take both overrides out again, and delete the copies.")


def _forgetting(move: _Move) -> str:
    wanted = (
        f"The plan of {move.source.name} has to show {len(move.objects)} to forget and outputs, and nothing "
        "to add, change, replace or destroy. Only then deploy it."
    )
    if move.order[0] is not move.source:
        return wanted
    return f"{wanted} Until the next deploy no state knows the objects; they go on as they are."


def _importing(move: _Move) -> str:
    return (
        f"The plan of {move.target.name} has to show {len(move.objects)} to import and outputs, and nothing "
        "to add, replace or destroy. It may change nothing either, but for arguments that only Terraform "
        "keeps (force_destroy, for example). Only then deploy it."
    )


def _by_states(move: _Move) -> Iterator[Step]:
    source, target = move.source, move.target
    yield Step(
        what="Move the objects between copies of the states, in a folder without any configuration.",
        commands=(
            shlex.join(("mkdir", "-p", f"{_FOLDER}/source", f"{_FOLDER}/target")),
            *(
                _command("state", "pull", end.name, "--out", f"{_FOLDER}/{_file(end, move)}")
                for end in move.standing
            ),
            *_moved(move),
        ),
    )
    for end in (target, source):
        yield Step(
            what=f"Say where the state of {end.name} lies.",
            into=f"{_FOLDER}/{_side(end, move)}/backend.tf.json",
            block={"terraform": {"backend": {"s3": dict(end.backend)}}},
        )
    yield Step(
        what="Push both, the one that gains first. A push that is refused was overtaken: begin again."
        + (" Set AWS_ENDPOINT_URL to the local cloud's." if move.local else ""),
        commands=tuple(command for end in (target, source) for command in _pushed(end, move)),
    )
    for end in move.order:
        yield Step(
            what=f"The plan of {end.name} has to show nothing to add, change, replace or destroy; outputs "
            "may change. Only then deploy it.",
            commands=(_command("plan", *end.options), _command("deploy", *end.options, "--rebaseline")),
        )
    yield _proof(move, f"Then delete the copies and the folder {_FOLDER}.")


def _moved(move: _Move) -> Iterator[str]:
    """One `state mv` a block, which takes all its instances along; where no lock file of an app is read."""
    files = (f"-state={_file(move.source, move)}", f"-state-out={_file(move.target, move)}")
    for block in dict.fromkeys(known.block for known in move.objects):
        yield shlex.join(("terraform", f"-chdir={_FOLDER}", "state", "mv", *files, block, block))


def _pushed(end: _End, move: _Move) -> tuple[str, str]:
    terraform = ("terraform", f"-chdir={_FOLDER}/{_side(end, move)}")
    return (
        shlex.join((*terraform, "init")),
        shlex.join((*terraform, "state", "push", f"../{_file(end, move)}")),
    )


def _proof(move: _Move, after: str) -> Step:
    return Step(
        what=f"Both have to be `unchanged`. {after}",
        commands=tuple(_command("plan", *end.options, "--refresh") for end in move.order),
    )


def _import(known: Standing) -> dict[str, str]:
    return {"to": known.address, "id": escape_template(known.import_id or "")}


def _side(end: _End, move: _Move) -> str:
    return "source" if end is move.source else "target"


def _file(end: _End, move: _Move) -> str:
    return f"{_side(end, move)}.tfstate"


def _end(shard: Shard) -> _End:
    return _End(name=shard.name, options=naming(shard), backend=_backend(shard, shard.state.key))


def _new(shard: Shard) -> _End:
    _, _, place = shard.state.key.partition("/")
    return _End(
        name=NEW,
        options=("--env", shard.environment, "--stack", NEW),
        backend=_backend(shard, f"{NEW}/{place}"),
        stands=False,
    )


def _backend(shard: Shard, key: str) -> dict[str, Any]:
    """The stack's own backend, as its configuration gives it, at `key`."""
    backend = json.loads(shard.configuration)["terraform"]["backend"]["s3"]
    return {**backend, "key": key}


def _command(*words: str) -> str:
    return shlex.join(("holdfast", *words))
