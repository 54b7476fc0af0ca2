"""The doubles of the simulation: an app of N shards, and an engine that sleeps instead of working.

The graph is a tree: shard 0 is read by shards 1 to 10, shard 1 by 11 to 20, and so on. Each shard is one
queue and reads one output of the shard above it, as cdktf would write it.
"""

import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulated_store import SimulatedStore

from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.context.tools import Versions
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.outcomes import ApplyOutcome, PlanOutcome
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.engine.ui_events import UiEvent
from holdfast_orchestrator.record.fingerprint import Build
from holdfast_orchestrator.state_key import state_key
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import Holdings, Sighting, Sightings, Verdict

ENGINE = Engine(Path("terraform"), "terraform", (1, 11, 4))
BUCKET, ACCOUNT, REGION, ENVIRONMENT = "states", "123456789012", "eu-west-1", "prod"
BRANCHES = 10
AWS = f"{ENGINE.registry}/hashicorp/aws"
LOCKS = {AWS: lockfile.LockedProvider("5.100.0", "5.100.0", ("h1:simulated",))}
LOCK_FILE = lockfile.render(LOCKS)


def app(shards: int) -> Manifest:
    """Return an app of so many shards."""
    return Manifest(tuple(_shard(number) for number in range(shards)))


def _shard(number: int) -> Shard:
    name, above = _name(number), _name((number - 1) // BRANCHES)
    queue = {"name": name}
    document: dict[str, Any] = {
        "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
        "resource": {"aws_sqs_queue": {"q": queue}},
        "output": {"id": {"value": "${aws_sqs_queue.q.id}"}},
    }
    if number:
        source = {"backend": "s3", "config": {"bucket": BUCKET, "key": _key(above)}}
        document["data"] = {"terraform_remote_state": {above: source}}
        queue["above"] = f"${{data.terraform_remote_state.{above}.outputs.id}}"
    return Shard(
        name=name,
        directory=Path(),
        configuration=json.dumps(document).encode(),
        service=name,
        environment=ENVIRONMENT,
        account=ACCOUNT,
        region=REGION,
        state=StateLocation(bucket=BUCKET, key=_key(name), region=REGION),
        depends_on=(above,) if number else (),
    )


def _name(number: int) -> str:
    return f"service-{number:05}"


def _key(service: str) -> str:
    return state_key(service, ACCOUNT, REGION, ENVIRONMENT)


@dataclass
class SimulatedTools:
    """Everything a deploy asks for. `slept` adds up what the engine slept, over all threads."""

    folder_of_all: Path
    bucket: SimulatedStore
    seconds: float
    slept: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sleep(self) -> None:
        began = time.perf_counter()
        time.sleep(self.seconds)
        with self._lock:
            self.slept += time.perf_counter() - began

    def store(self, shard: Shard) -> SimulatedStore:  # noqa: ARG002 - one bucket for all
        return self.bucket

    def copies(self, shard: Shard) -> tuple[SimulatedStore, ...]:  # noqa: ARG002 - none has any
        return ()

    def environ(self, cloud: str) -> Mapping[str, str]:  # noqa: ARG002 - no cloud
        return {}

    def versions(self) -> Versions:
        locks = {source: Build(lock.version, frozenset(lock.hashes)) for source, lock in LOCKS.items()}
        return Versions(engine="terraform 1.11.4", registry=ENGINE.registry, locks=locks)

    def workdir(self, shard: Shard) -> Path:
        return self.folder_of_all / shard.name

    def terraform(self, shard: Shard, on_event: Callable[[UiEvent], None]) -> Any:
        return SimulatedTerraform(self, shard, on_event)

    @contextmanager
    def folder(self, shard: Shard) -> Iterator[None]:
        self.workdir(shard).mkdir(exist_ok=True)
        yield


@dataclass
class SimulatedTerraform:
    """Terraform as far as a deploy can see it: sleeps, plans one queue, writes the state."""

    tools: SimulatedTools
    shard: Shard
    on_event: Callable[[UiEvent], None]
    engine: Engine = ENGINE

    @property
    def workdir(self) -> Path:
        return self.tools.workdir(self.shard)

    def init(self) -> None:
        self.tools.sleep()
        (self.workdir / lockfile.NAME).write_text(LOCK_FILE)

    @property
    def guards(self) -> bool:
        """The creates are looked for as a plan is made, as behind warm providers."""
        return True

    def interrupt(self) -> bool:
        return False

    def cancel(self) -> None:
        """Nothing to end: it does not begin before it is waited for."""

    def plan(
        self, *, out: str = "plan.tfplan", holdings: Holdings | None = None, **_given: Any
    ) -> PlanOutcome:
        self.tools.sleep()
        stored = self.tools.bucket.get(self.shard.state.key)
        file = self.workdir / out
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("tfstate", b"{}" if stored is None else stored.body)
        key = ObjectKey("aws_sqs_queue", self.shard.name)
        absent = Sighting(key=key, kind=key.kind, verdict=Verdict.ABSENT)
        watched = None if holdings is None else Sightings(by_key={key: absent})
        return PlanOutcome(changes=stored is None, plan=file, watched=watched)

    def show_plan(self, _plan: Path) -> dict[str, Any]:
        self.tools.sleep()
        change = {"actions": ["create"], "before": None, "after": {"name": self.shard.name}}
        queue = {"address": "aws_sqs_queue.q", "mode": "managed", "type": "aws_sqs_queue", "change": change}
        return {"format_version": "1.2", "resource_changes": [queue]}

    def apply(self, _plan: Path, **_given: Any) -> ApplyOutcome:
        self.tools.sleep()
        self.tools.bucket.create(self.shard.state.key, _state(self.shard.name))
        return ApplyOutcome(
            code=0,
            started=1,
            completed=1,
            errored=0,
            created=(),
            in_doubt=(),
            diagnostics=(),
            errored_state=None,
            record=self._record(),
        )

    def _record(self) -> Path:
        hook = {
            "resource": {"addr": "aws_sqs_queue.q", "resource_type": "aws_sqs_queue"},
            "action": "create",
            "id_key": "id",
            "id_value": self.shard.name,
        }
        file = self.workdir / "apply.jsonl"
        lines = ({"type": kind, "hook": hook} for kind in ("apply_start", "apply_complete"))
        file.write_text("\n".join(map(json.dumps, lines)))
        return file


def _state(name: str) -> bytes:
    queue = {
        "mode": "managed",
        "type": "aws_sqs_queue",
        "name": "q",
        "provider": f'provider["{AWS}"]',
        "instances": [{"attributes": {"id": name}}],
    }
    outputs = {"id": {"value": name, "type": "string"}}
    state = {"version": 4, "lineage": f"lineage-of-{name}", "serial": 1, "outputs": outputs}
    return json.dumps({**state, "resources": [queue]}).encode()
