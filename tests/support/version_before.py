"""Buckets as the version before left them, and the version of today that goes on in them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.deploy_world import CHAIN, CHECK, Deployment, World, key
from tests.support.differing_terraform import DifferingTools

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.order import Order
from holdfast_orchestrator.deploy.outcome import RunResult
from holdfast_orchestrator.deploy.resume import ResumeRequest, shards_of_run, take_up_run
from holdfast_orchestrator.deploy.run import carry_out
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.report.transcript import Transcript
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.testing import FrozenClock

FIXTURES = Path(__file__).parents[1] / "fixtures" / "version_before"
FOLDER = CHAIN[0].state.folder
LONG = 600.0
DEAD = sorted(file.stem for file in FIXTURES.glob("died_*.json"))


@cache
def document(name: str) -> Any:
    """A fixture; what all buckets begin with is put under what it has itself."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


def body(told: Mapping[str, Any]) -> bytes:
    if "base64" in told:
        return base64.b64decode(told["base64"])
    lines = document("lines")
    return "\n".join(lines.get(line, line) for line in told["lines"]).encode()


def bucket(name: str, *, after: float = LONG) -> MemoryStore:
    """The bucket as it was left, and looked at so many seconds later."""
    clock = FrozenClock()
    store = MemoryStore(clock)
    for place, versions in {**document("good")["objects"], **document(name)["objects"]}.items():
        first, *others = map(body, versions)
        head = store.create(place, first)
        for other in others:
            head = store.replace(place, other, etag=head.etag)
    clock.sleep(after)
    return store


def shard(configuration: str) -> Shard:
    return replace(CHAIN[0], configuration=configuration.encode(), health_checks=(CHECK,))


@dataclass
class Today:
    """This version, on a machine that has nothing of what an earlier one wrote but the bucket."""

    world: World
    shard: Shard

    @classmethod
    def at(cls, name: str, folder: Path, *, configuration: str = "shard") -> "Today":
        left = document(name)
        world = World(folder, store=bucket(name), ill=left.get("is_ill", name == "stuck"))
        return cls(world, shard(left[configuration]))

    @property
    def store(self) -> MemoryStore:
        return self.world.store

    def run(self, name: str) -> Run:
        run = Deployment(self.world, (self.shard,)).run()
        return replace(run, id=name, tools=DifferingTools(self.world), project="shop")

    def works(self, name: str, **order: Any) -> RunResult:
        ordered = Order(shards=(self.shard,), max_parallel=1, refresh=True, transcribe=Transcript, **order)
        return carry_out(ordered, self.run(name))

    def resumes(self, name: str, decision: OperatorDecision | None = None) -> RunResult:
        shards = shards_of_run(name, (self.shard,), [self.store])
        return take_up_run(ResumeRequest(run=name, decision=decision), self.run(name), shards, Transcript)

    def ended(self, result: RunResult) -> dict[str, Any]:
        """How it ended, in the words of the fixtures."""
        (shard,) = result.shards
        kept, good = read_state_record(self.store, FOLDER), read_last_good(self.store, FOLDER)
        state = json.loads(self.store.objects[key("network")])
        return {
            "outcome": shard.outcome.value,
            "exit_code": shard.exit_code,
            "reason": shard.reason,
            "next_step": shard.next_step,
            "last_good": None if good is None else good.record.run,
            "open": kept is not None and kept.record.is_open,
            "values": {
                block["name"]: block["instances"][0]["attributes"]["value"] for block in state["resources"]
            },
        }


def plan_folder(folder: Path) -> Path:
    plans = folder / "plans"
    plans.mkdir()
    for name, told in document("saved_plan")["files"].items():
        (plans / name).write_bytes(body(told))
    return plans
