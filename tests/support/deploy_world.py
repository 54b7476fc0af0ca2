"""Doubles of Terraform and of a bucket, as far as a run over shards can see them."""

import itertools
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.context.tools import Versions
from holdfast_orchestrator.deploy.order import Order
from holdfast_orchestrator.deploy.outcome import RunResult
from holdfast_orchestrator.deploy.run import carry_out
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic
from holdfast_orchestrator.engine.outcomes import ApplyOutcome, PlanOutcome
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.errors import LeasedError
from holdfast_orchestrator.events import Event
from holdfast_orchestrator.plan.result import Plan
from holdfast_orchestrator.preview.run import PlanRequest, plan_run
from holdfast_orchestrator.record.fingerprint import Build
from holdfast_orchestrator.report.transcript import Transcript
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state_key import state_key
from holdfast_orchestrator.system.process import Command, Completed
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.stop import StopSignal
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import Holdings, Sighting, Sightings, Verdict
from holdfast_orchestrator.terraform.reads import ReadCount, Reading
from holdfast_orchestrator.testing import FrozenClock, ScriptedProcesses, refusing_runtime

RUNS = itertools.count()
TERRAFORM = Engine(Path("terraform"), "terraform", (1, 11, 4))
CHECK: dict[str, Any] = {"kind": "command", "name": "smoke", "command": ["smoke"], "window": 2}
FAILURE = Diagnostic(severity="error", summary="creating queue: it broke", address="aws_sqs_queue.q")
NOT_THERE = Diagnostic(
    severity="error",
    summary="Cannot import non-existent remote object",
    detail='While attempting to import an existing object to "aws_sqs_queue.q", the provider detected that '
    "no object exists with the given id.",
)


def shard(service: str, *, after: tuple[str, ...] = (), protected: tuple[str, ...] = ()) -> Shard:
    configuration: dict[str, Any] = {"resource": {"aws_sqs_queue": {"q": {"name": service}}}}
    for upstream in after:
        source = {"backend": "s3", "config": {"bucket": "states", "key": key(upstream)}}
        configuration.setdefault("data", {}).setdefault("terraform_remote_state", {})[upstream] = source
        reference = f"${{data.terraform_remote_state.{upstream}.outputs.id}}"
        configuration["resource"]["aws_sqs_queue"]["q"][upstream] = reference
    return Shard(
        name=service,
        directory=Path(),
        configuration=json.dumps(configuration).encode(),
        service=service,
        environment="prod",
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key=key(service), region="eu-west-1"),
        protected=protected,
        depends_on=after,
    )


def key(service: str) -> str:
    return state_key(service, "123456789012", "eu-west-1", "prod")


CHAIN = (shard("network"), shard("data", after=("network",)), shard("orders", after=("data",)))


def version(name: str) -> Shard:
    """Return `network` with another name of its queue."""
    configuration = {"resource": {"aws_sqs_queue": {"q": {"name": name}}}}
    return replace(CHAIN[0], configuration=json.dumps(configuration).encode())


@dataclass
class World:
    """Doubles that behave like Terraform as far as a deploy can see: plans differ, applies write states."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    failing: set[str] = field(default_factory=set)
    unplannable: set[str] = field(default_factory=set)
    unsaved: set[str] = field(default_factory=set)
    unmade: set[str] = field(default_factory=set)
    failure: Diagnostic = FAILURE
    looked_for: Sequence[Diagnostic] = (NOT_THERE,)
    losses: Mapping[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    on_call: Callable[[str], object] = lambda _call: None
    busy: set[str] = field(default_factory=set)
    ill: bool = False
    locks: Mapping[str, Build] = field(default_factory=dict)
    reads: ReadCount | None = None
    readings: list[tuple[str, Reading | None]] = field(default_factory=list)
    traceable: list[bool] = field(default_factory=list)

    def serial(self, name: str) -> int:
        stored = self.store.objects.get(key(name))
        return 0 if stored is None else int(json.loads(stored)["serial"])

    def state(self, name: str, *, resources: int = 1) -> bytes:
        queue = {"attributes": {"id": name, "name": name}}
        kind = {
            "mode": "managed",
            "type": "aws_sqs_queue",
            "name": "q",
            "provider": "p",
            "instances": [queue],
        }
        state = {
            "version": 4,
            "lineage": f"lineage-of-{name}",
            "serial": self.serial(name) + 1,
            "outputs": {"id": {"value": name}},
            "resources": [kind] * resources,
        }
        return json.dumps(state).encode()

    def write_state(self, name: str, *, resources: int = 1) -> None:
        self.write_body(name, self.state(name, resources=resources))

    def write_body(self, name: str, body: bytes) -> None:
        found = self.store.head(key(name))
        if found is None:
            self.store.create(key(name), body)
        else:
            self.store.replace(key(name), body, etag=found.etag)


@dataclass
class FakeTools:
    world: World

    def copies(self, shard: Shard) -> tuple[Any, ...]:
        return ()

    def store(self, shard: Shard) -> Any:
        return self.world.store

    def environ(self, cloud: str) -> dict[str, str]:
        return {}

    def versions(self) -> Versions:
        return Versions(engine="terraform 1.11.4", registry=TERRAFORM.registry, locks=self.world.locks)

    def workdir(self, shard: Shard) -> Path:
        return self.world.folder / shard.name

    def terraform(self, shard: Shard, on_event: object) -> Any:
        return FakeTerraform(self.world, shard)

    @contextmanager
    def folder(self, shard: Shard) -> Iterator[None]:
        if shard.name in self.world.busy:
            raise LeasedError(f"another holdfast is at work on {shard.name}")
        yield


@dataclass
class FakeTerraform:
    world: World
    shard: Shard
    destroying: bool = False
    engine: Engine = TERRAFORM

    @property
    def guards(self) -> bool:
        return True

    @property
    def workdir(self) -> Path:
        folder = self.world.folder / self.shard.name
        folder.mkdir(exist_ok=True)
        return folder

    def call(self, verb: str) -> None:
        self.world.calls.append(f"{verb} {self.shard.name}")
        self.world.on_call(self.world.calls[-1])

    def init(self) -> None:
        self.call("init")

    def interrupt(self) -> bool:
        self.call("interrupt")
        return True

    def cancel(self) -> None:
        self.call("interrupt")

    def plan(
        self,
        *,
        out: str = "plan.tfplan",
        destroy: bool = False,
        targets: Sequence[str] = (),
        holdings: Holdings | None = None,
        reading: Reading | None = None,
    ) -> PlanOutcome:
        self.call("verify" if out.startswith("verify") else "plan")
        self.world.readings.append((out, reading))
        if self.shard.name in self.world.unplannable:
            raise CommandFailedError("terraform plan", 1, [FAILURE])
        if "import" in json.loads(self.shard.configuration):
            raise CommandFailedError("terraform plan", 1, self.world.looked_for)
        self.destroying = destroy
        file = self.workdir / out
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("tfstate", self.world.store.objects.get(key(self.shard.name), b"{}"))
            archive.writestr("of", self.shard.name)
        changes = destroy or self.world.serial(self.shard.name) == 0 or self.shard.name in self.world.losses
        reads = self.world.reads if reading is not None and reading.recalls else None
        return PlanOutcome(changes=changes, plan=file, watched=self._watched(holdings), reads=reads)

    def show_plan(self, _plan: Path) -> dict[str, Any]:
        address = self.world.losses.get(self.shard.name, "aws_sqs_queue.q")
        deletes = self.destroying or self.shard.name in self.world.losses
        there = {"id": self.shard.name, "name": self.shard.name}
        change = {
            "address": address,
            "mode": "managed",
            "type": address.partition(".")[0],
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {
                "actions": ["delete"] if deletes else ["create"],
                "before": there if deletes else None,
                "after": None if deletes else {"name": self.shard.name},
            },
        }
        return {"format_version": "1.2", "resource_changes": [change]}

    def _watched(self, holdings: Holdings | None) -> Sightings | None:
        """Where it is asked to look, nothing is there."""
        if holdings is None:
            return None
        key = ObjectKey("aws_sqs_queue", self.shard.name)
        sighting = Sighting(key=key, kind=key.kind, verdict=Verdict.ABSENT)
        return Sightings(by_key={key: sighting})

    def apply(self, plan: Path, *, holdings: Holdings | None = None, traceable: bool = False) -> ApplyOutcome:
        self.call(f"apply {plan.name} of")
        self.world.traceable.append(traceable)
        assert zipfile.ZipFile(plan).read("of").decode() == self.shard.name
        failed = self.shard.name in self.world.failing
        unsaved = self.shard.name in self.world.unsaved
        none = self.destroying or self.shard.name in self.world.unmade
        rescued = self.workdir / "errored.tfstate"
        if unsaved:
            rescued.write_bytes(self.world.state(self.shard.name))
        else:
            self.world.write_state(self.shard.name, resources=0 if none else 1)
            self.world.losses = {
                name: lost for name, lost in self.world.losses.items() if name != self.shard.name
            }
        return ApplyOutcome(
            code=int(failed or unsaved),
            started=1,
            completed=int(not failed),
            errored=int(failed),
            created=(),
            in_doubt=(),
            diagnostics=(self.world.failure,) if failed else (),
            errored_state=rescued if unsaved else None,
            record=self._record("apply_errored" if failed else "apply_complete"),
            watched=self._watched(holdings),
        )

    def _record(self, ended: str) -> Path:
        hook: dict[str, Any] = {"resource": {"addr": "aws_sqs_queue.q", "resource_type": "aws_sqs_queue"}}
        hook["action"] = "delete" if self.destroying else "create"
        if ended == "apply_complete":
            hook |= {"id_key": "id", "id_value": self.shard.name}
        lines = [{"type": kind, "hook": hook} for kind in ("apply_start", ended)]
        file = self.workdir / f"{len(self.world.calls):03}.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)))
        return file


class FakeCaller:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::123456789012:user/somebody"}


class FakeAws:
    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        return FakeCaller()


class FakeProcesses(ScriptedProcesses):
    def birth(self, pid: int) -> str | None:
        return "born"


@dataclass
class Deployment:
    """A world, and runs in it."""

    world: World
    shards: tuple[Shard, ...] = CHAIN
    events: list[Event] = field(default_factory=list)
    stop: StopSignal = field(default_factory=StopSignal)

    def run(self) -> Run:
        runtime = refusing_runtime(
            clock=FrozenClock(),
            aws=FakeAws(),
            processes=FakeProcesses(self._process),
            cwd=self.world.folder,
            cache=self.world.folder / "cache",
        )
        return Run(
            id=f"01RUN{next(RUNS)}",
            manifest=Manifest(self.shards),
            tools=FakeTools(self.world),
            runtime=runtime,
            redactor=Redactor(),
            emit=self.events.append,
            stop=self.stop,
            label=lambda name: name,
        )

    def _process(self, command: Command) -> Completed:
        """A health check answers for the world; whatever else is asked is not there."""
        well = command.argv[0] == CHECK["command"][0] and not self.world.ill
        return Completed(command=command, code=0 if well else 128)

    def carry_out(self, *names: str, allowed: frozenset[str] = frozenset(), **order: Any) -> RunResult:
        chosen = tuple(one for one in self.shards if not names or one.name in names)
        policy = order.pop("policy", DeployPolicy(allowed=allowed))
        # What changes in this world is its reality, never a configuration.
        order.setdefault("refresh", True)
        order.setdefault("max_parallel", 1)
        return carry_out(Order(shards=chosen, policy=policy, transcribe=Transcript, **order), self.run())

    def plan(self) -> Plan:
        return plan_run(self.run(), PlanRequest(shards=self.shards, max_parallel=1, refresh=True))


def deployed(world: World, *shards: Shard) -> None:
    """Bring these to a good end, and forget how."""
    result = Deployment(world, shards).carry_out()
    assert result.is_good, result
    world.calls.clear()
