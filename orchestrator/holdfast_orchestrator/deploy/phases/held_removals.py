"""Holds back what a shard may not remove yet: a dependent could not be rolled back without it.

Outputs that the last good deployment of another shard reads stay, with the objects behind them. Deletes also
wait for the dependents that this run is going to change and that look things up with data sources: what they
find is written nowhere. `removals.py` removes all that once nothing hinders it; where something does, it
stays, is named, and the next deploy goes on from there.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.bridge import Bridge, build_bridge
from holdfast_orchestrator.deploy.phases.readers import looking_up, readers_of
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.preflight import RecordedShard, good_of
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.terraform.json_values import Document, parsed
from holdfast_orchestrator.terraform.plan import Action, read_plan

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """What stays for now, and for which shards' sake."""

    bridge: Bridge
    readers: tuple[str, ...]

    @property
    def words(self) -> str:
        """What stays, and until when."""
        names = ", ".join(f"`{name}`" for name in self.readers)
        return (
            f"{', '.join(self.bridge.kept)} cannot go before {names} {_HAVE[len(self.readers) > 1]} moved on"
        )

    def shard(self, shard: Shard) -> Shard:
        """Return the shard as it is deployed for now."""
        return replace(shard, configuration=json.dumps(self.bridge.configuration, indent=1).encode())


_HAVE = {False: "has", True: "have"}


def held_back(
    leased: LeasedShard, recorded: RecordedShard, plan: Document, *, followers: Collection[str]
) -> HeldBack | None:
    """Return what of a plan's removals has to wait; None where nothing has to, or nothing can be kept.

    `followers` are dependents that this run is going to change after this shard.
    """
    removed = _removed_outputs(plan)
    deletes = any(change.action is Action.DELETE for change in read_plan(plan))
    waiting = tuple(sorted(looking_up(followers, leased.run))) if deletes else ()
    if recorded.good is None or not (removed or waiting):
        return None
    readers: Mapping[str, frozenset[str]] = readers_of(leased.shard, leased.run, removed) if removed else {}
    if not readers and not waiting:
        return None
    good = good_of(leased, recorded)
    artifacts = recorded.leftovers.artifacts
    earlier = [parsed(read_artifact(leased.store, sha).configuration) for sha in artifacts]
    bridge = build_bridge(
        parsed(leased.shard.configuration),
        plan=plan,
        earlier=[*earlier, *(() if good is None else (good.configuration,))],
        outputs=removed if waiting else frozenset().union(*readers.values()),
        every_delete=bool(waiting),
    )
    names = tuple(sorted({*readers, *waiting}))
    return None if bridge is None else HeldBack(bridge=bridge, readers=names)


def _removed_outputs(plan: Document) -> frozenset[str]:
    changes = (plan.get("output_changes") or {}).items()
    return frozenset(name for name, change in changes if list(change.get("actions") or ()) == ["delete"])
