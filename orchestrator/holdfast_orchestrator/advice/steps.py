"""How to move objects from one state to another without losing one: the code first, then `holdfast move`.

The move writes both states under their leases, and proves by plans of both that nothing is made, changed or
destroyed; then both are deployed, the one first that the other reads from.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast_orchestrator.advice.facts import Part, Standing, Step
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.app.selection import naming

NEW = "NEW"
"""Placeholder for the name of a stack, and of its service, that does not exist yet."""

_SAME_ADDRESSES = "with the same ids at the same place below the stack: then every address stays as it is."


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """A stack that gains or loses objects: its name, and how a command chooses it."""

    name: str
    options: tuple[str, ...]
    stands: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """`count` objects leave `source` for `target`; `order` is that of the deploys."""

    source: _End
    target: _End
    count: int
    order: tuple[_End, _End]
    code: str
    environment: str

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
            count=len(moves.objects),
            order=(target, source) if moves_first else (source, target),
            code=code,
            environment=shard.environment,
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
                count=len(objects),
                order=(target, source),
                code=code,
                environment=shard.environment,
            )
        ),
        Step(
            what=f"Deploy what reads outputs of {shard.name}; then take the stack {shard.name}, which holds "
            "nothing any more, out of the app.",
            commands=(_command("deploy", *target.options, "--include-dependents"),),
        ),
    )


def _steps(move: _Move) -> tuple[Step, ...]:
    return (*_before(move), *_moved(move))


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


def _moved(move: _Move) -> Iterator[Step]:
    command = ("move", move.source.name, move.target.name, "--env", move.environment)
    yield Step(
        what=f"Move the objects from state to state; in the cloud nothing changes. The dry run has to show "
        f"{move.count} objects, and nothing that a plan would make or destroy of them. Only then do it.",
        commands=(_command(*command), _command(*command, "--yes")),
    )
    for end in move.order:
        yield Step(
            what=f"The plan of {end.name} has to show nothing to add, change, replace or destroy; outputs "
            "may change. Only then deploy it.",
            commands=(_command("plan", *end.options), _command("deploy", *end.options)),
        )
    yield Step(
        what="Both have to be `unchanged`. Then delete the copies.",
        commands=tuple(_command("plan", *end.options, "--refresh") for end in move.order),
    )


def _end(shard: Shard) -> _End:
    return _End(name=shard.name, options=naming(shard))


def _new(shard: Shard) -> _End:
    return _End(name=NEW, options=("--env", shard.environment, "--stack", NEW), stands=False)


def _command(*words: str) -> str:
    return shlex.join(("holdfast", *words))
