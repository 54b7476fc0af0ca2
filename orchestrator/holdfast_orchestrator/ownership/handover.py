"""What the shards of one run hand over to each other: found before the first begins.

A shard that drops an object goes after the shard that declares it, so that the object arrives before it is
let go of. Where that order cannot be (the receiver depends on the shard that lets go), the object stays in
the first state, and that shard has a second turn when the receiver is done.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from holdfast_orchestrator.app.manifest import Shard, by_bucket
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.ownership.bucket_owners import BucketOwners
from holdfast_orchestrator.terraform.json_values import parsed
from holdfast_orchestrator.terraform.owners import Owner
from holdfast_orchestrator.terraform.possible_moves import Declared, PossibleMove, possible_moves


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardHandover:
    """What one shard of a run has to know.

    `released` are objects that other shards of this run drop. `held` are addresses of its own that stay in
    its state until `receivers` are done. `promised` are addresses it drops that another shard declares, which
    is not in this run.
    """

    released: frozenset[Owner] = frozenset()
    held: frozenset[str] = frozenset()
    receivers: tuple[str, ...] = ()
    promised: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The possible moves of a run: all of them, and those whose receiver comes after the giver."""

    moves: tuple[PossibleMove, ...] = ()
    late: frozenset[PossibleMove] = frozenset()
    promised: tuple[PossibleMove, ...] = ()

    def of(self, name: str, failed: Collection[str] = ()) -> ShardHandover:
        """Return what the shard of this name has to know when these shards have failed.

        What it drops and one of those may have wanted stays in its state: nobody knows yet whether it moves.
        """
        mine = [move for move in self.moves if move.source == name]
        late = [move for move in mine if move in self.late or (not move.certain and move.target in failed)]
        return ShardHandover(
            released=frozenset(move.owner for move in self.moves if move.source != name),
            held=frozenset(move.owner.address for move in late),
            receivers=tuple(sorted({move.target for move in late})),
            promised={move.owner.address: move.target for move in self.promised if move.source == name},
        )

    def only_after(self, name: str) -> frozenset[str]:
        """Return the shards that this one goes after only because they may receive something from it."""
        moves = [move for move in self.moves if move.source == name]
        certain = {move.target for move in moves if move.certain}
        return frozenset(move.target for move in moves) - certain

    @property
    def givers(self) -> Mapping[str, frozenset[str]]:
        """Each shard that may let go of something, with the shards that may receive it."""
        receivers = defaultdict[str, set[str]](set)
        for move in self.moves:
            receivers[move.source].add(move.target)
        return {name: frozenset(targets) for name, targets in receivers.items()}


def find_moves(run: Run, working: Iterable[str], book: BucketOwners) -> Handover:
    """Return what may move between the shards that will be worked on, and from them to others.

    Only where one of them was deployed before are any states looked at.
    """
    working = frozenset(working)
    moves, promised = list[PossibleMove](), list[PossibleMove]()
    for together in by_bucket(run.manifest.shards):
        if len(together) > 1 and any(shard.name in working for shard in together):
            owners = book.of(together[0], run).now()
            if not any(shard.state.folder in owners.states for shard in together):
                continue
            for move in possible_moves(list(map(_declared, together)), owners):
                if move.source in working and move.target in working:
                    moves.append(move)
                elif move.source in working and move.certain:
                    promised.append(move)
    return Handover(moves=tuple(moves), promised=tuple(promised))


def _declared(shard: Shard) -> Declared:
    return Declared(name=shard.name, folder=shard.state.folder, configuration=parsed(shard.configuration))
