"""A run over shards whose Terraform and bucket are doubles; real ones are in tests/terraform."""

import itertools
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.deploy.desk import Policy
from holdfast_orchestrator.deploy.outcome import Outcome, RunResult
from holdfast_orchestrator.deploy.run import Order, carry_out
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic
from holdfast_orchestrator.engine.outcomes import ApplyOutcome, PlanOutcome
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.errors import HoldfastError, LeasedError, UsageError
from holdfast_orchestrator.events import Event, ShardFinished, ShardStep
from holdfast_orchestrator.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.plan.preview import Plan
from holdfast_orchestrator.plan.preview import PlanOutcome as ShardPlanOutcome
from holdfast_orchestrator.plan.run import plan_run
from holdfast_orchestrator.plan.shard import Run
from holdfast_orchestrator.process import Completed
from holdfast_orchestrator.record.footing import Build
from holdfast_orchestrator.record.state_record import Debt, StateRecord, write_state_record
from holdfast_orchestrator.redaction import Redactor
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state_key import state_key
from holdfast_orchestrator.stop import StopSignal
from holdfast_orchestrator.testing import FrozenClock, ScriptedProcesses, refusing_runtime
from holdfast_orchestrator.tools import Versions

RUNS = itertools.count()
TERRAFORM = Engine(Path("terraform"), "terraform", (1, 11, 4))
FAILURE = Diagnostic(severity="error", summary="creating queue: it broke", address="aws_sqs_queue.q")


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


@dataclass
class World:
    """Doubles that behave like Terraform as far as a deploy can see: plans differ, applies write states."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    failing: set[str] = field(default_factory=set)
    unplannable: set[str] = field(default_factory=set)
    unsaved: set[str] = field(default_factory=set)
    losses: Mapping[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    on_call: Callable[[str], object] = lambda _call: None
    busy: set[str] = field(default_factory=set)
    locks: Mapping[str, Build] = field(default_factory=dict)

    def serial(self, name: str) -> int:
        stored = self.store.objects.get(key(name))
        return 0 if stored is None else int(json.loads(stored)["serial"])

    def state(self, name: str, *, resources: int = 1) -> bytes:
        queue = {"attributes": {"id": name}}
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
        body = self.state(name, resources=resources)
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

    def plan(
        self, *, out: str = "plan.tfplan", destroy: bool = False, targets: Sequence[str] = ()
    ) -> PlanOutcome:
        self.call("verify" if out.startswith("verify") else "plan")
        unplannable = self.shard.name in self.world.unplannable
        if unplannable or "import" in json.loads(self.shard.configuration):
            raise CommandFailedError("terraform plan", 1, [FAILURE])
        self.destroying = destroy
        file = self.workdir / out
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("tfstate", self.world.store.objects.get(key(self.shard.name), b"{}"))
            archive.writestr("of", self.shard.name)
        changes = destroy or self.world.serial(self.shard.name) == 0 or self.shard.name in self.world.losses
        return PlanOutcome(changes=changes, plan=file)

    def show_plan(self, _plan: Path) -> dict[str, Any]:
        address = self.world.losses.get(self.shard.name, "aws_sqs_queue.q")
        deletes = self.destroying or self.shard.name in self.world.losses
        there = {"id": self.shard.name, "name": self.shard.name}
        change = {
            "address": address,
            "mode": "managed",
            "type": address.partition(".")[0],
            "change": {
                "actions": ["delete"] if deletes else ["create"],
                "before": there if deletes else None,
                "after": None if deletes else {"name": self.shard.name},
            },
        }
        return {"format_version": "1.2", "resource_changes": [change]}

    def apply(self, plan: Path) -> ApplyOutcome:
        self.call(f"apply {plan.name} of")
        assert zipfile.ZipFile(plan).read("of").decode() == self.shard.name
        failed = self.shard.name in self.world.failing
        unsaved = self.shard.name in self.world.unsaved
        rescued = self.workdir / "errored.tfstate"
        if unsaved:
            rescued.write_bytes(self.world.state(self.shard.name))
        else:
            self.world.write_state(self.shard.name, resources=0 if self.destroying else 1)
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
            diagnostics=(FAILURE,) if failed else (),
            errored_state=rescued if unsaved else None,
            record=self._record("apply_errored" if failed else "apply_complete"),
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
            processes=FakeProcesses(lambda command: Completed(command=command, code=128)),
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

    def carry_out(self, *names: str, allowed: frozenset[str] = frozenset(), **order: Any) -> RunResult:
        chosen = tuple(one for one in self.shards if not names or one.name in names)
        policy = Policy(allowed=allowed)
        # What changes in this world is its reality, never a configuration.
        order.setdefault("refresh", True)
        order.setdefault("max_parallel", 1)
        return carry_out(Order(shards=chosen, policy=policy, **order), self.run())

    def plan(self) -> Plan:
        return plan_run(self.run(), self.shards, max_parallel=1, refresh=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def deployed(world: World, *shards: Shard) -> None:
    """Bring these to a good end, and forget how."""
    result = Deployment(world, shards).carry_out()
    assert result.is_good, result
    world.calls.clear()


def test_shards_are_committed_one_after_another_along_the_graph(world: World) -> None:
    result = Deployment(world).carry_out()

    assert list(result.outcome.values()) == [Outcome.COMMITTED] * 3
    assert [call for call in world.calls if call.startswith("apply")] == [
        "apply plan.tfplan of network",
        "apply plan.tfplan of data",
        "apply plan.tfplan of orders",
    ]
    assert result.exit_code == 0


def test_a_second_deploy_finds_nothing_and_applies_nothing(world: World) -> None:
    Deployment(world).carry_out()
    world.calls.clear()

    result = Deployment(world).carry_out()

    assert set(result.outcome.values()) == {Outcome.UNCHANGED}
    assert not [call for call in world.calls if call.startswith("apply")]


def test_the_state_is_backed_up_before_it_can_change(world: World) -> None:
    deployed(world, CHAIN[0])
    before = world.store.objects[key("network")]
    world.losses = {"network": "aws_sns_topic.old"}
    backed_up_at_apply: list[bool] = []
    world.on_call = lambda call: (
        backed_up_at_apply.append(before in [v for k, v in world.store.objects.items() if "backups" in k])
        if call.startswith("apply")
        else None
    )

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert backed_up_at_apply == [True]
    assert world.store.objects[str(result.results["network"].backup)] == before


def test_without_a_good_backup_no_apply_begins(world: World) -> None:
    deployed(world, CHAIN[0])
    world.losses = {"network": "aws_sns_topic.old"}

    class Lossy(MemoryStore):
        def create(self, key: str, body: bytes) -> Any:
            return super().create(key, body[:-1])

    world.store = _taking_over(world.store, Lossy)

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert result.outcome["network"] is Outcome.FAILED
    assert "nothing was applied" in str(result.results["network"].reason)
    assert not [call for call in world.calls if call.startswith("apply")]


def _taking_over(store: MemoryStore, kind: type[MemoryStore]) -> MemoryStore:
    other = kind()
    for place, body in store.objects.items():
        MemoryStore.create(other, place, body)
    return other


def test_a_failed_apply_keeps_its_state_and_says_why_and_what_to_do(world: World) -> None:
    world.failing = {"network"}

    result = Deployment(world, (CHAIN[0],)).carry_out()

    network = result.results["network"]
    assert network.outcome is Outcome.FAILED
    assert network.reason is not None
    assert "creating queue: it broke" in network.reason
    assert "where: aws_sqs_queue.q" in network.evidence
    assert network.next_step is not None
    assert network.serial == 1
    assert result.exit_code == 1


def test_only_what_depends_on_a_failure_is_skipped_and_the_cause_is_named(world: World) -> None:
    world.failing = {"data"}
    lonely = shard("lonely")

    result = Deployment(world, (*CHAIN, lonely)).carry_out()

    assert result.outcome == {
        "network": Outcome.COMMITTED,
        "data": Outcome.FAILED,
        "orders": Outcome.SKIPPED,
        "lonely": Outcome.COMMITTED,
    }
    assert result.results["orders"].reason == "`data` failed"


def test_a_gate_blocks_one_shard_before_its_backup_and_apply(world: World) -> None:
    world.losses = {"network": "aws_db_instance.db"}
    protected = shard("network", protected=("aws_db_instance.db",))

    result = Deployment(world, (protected,)).carry_out()

    assert result.outcome["network"] is Outcome.BLOCKED
    assert result.exit_code == 4
    assert not [place for place in world.store.objects if "backups" in place or "journal" in place]
    assert world.calls == ["init network", "plan network"]


def test_a_protected_resource_that_was_named_may_go(world: World) -> None:
    world.losses = {"network": "aws_db_instance.db"}
    protected = shard("network", protected=("aws_db_instance.db",))

    result = Deployment(world, (protected,)).carry_out(allowed=frozenset({"aws_db_instance.db"}))

    assert result.outcome["network"] is Outcome.COMMITTED


def test_a_state_that_terraform_could_not_save_is_put_in_its_place(world: World) -> None:
    world.unsaved = {"network"}

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert result.outcome["network"] is Outcome.COMMITTED
    assert json.loads(world.store.objects[key("network")])["lineage"] == "lineage-of-network"
    assert not (world.folder / "network" / "errored.tfstate").exists()
    assert [place for place in world.store.objects if place.startswith("_holdfast/rescued/")]


def test_a_shard_someone_else_is_at_work_on_ends_with_exit_code_7(world: World) -> None:
    world.busy = {"network"}

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert result.outcome["network"] is Outcome.FAILED
    assert result.exit_code == 7


def test_a_corrupt_state_is_seen_before_terraform_takes_it_for_none(world: World) -> None:
    world.store.objects[key("network")] = b""

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert result.outcome["network"] is Outcome.NEEDS_HUMAN
    assert world.calls == []


def test_a_shard_whose_upstream_was_never_deployed_is_not_begun(world: World) -> None:
    result = Deployment(world).carry_out("orders")

    assert result.outcome["orders"] is Outcome.FAILED
    assert "waits for `data`" in str(result.results["orders"].reason)
    assert world.calls == []


def test_a_stop_between_plan_and_apply_applies_nothing(world: World) -> None:
    deployment = Deployment(world)
    world.on_call = lambda call: deployment.stop.ask() if call == "plan network" else None

    result = deployment.carry_out()

    assert set(result.outcome.values()) == {Outcome.SKIPPED}
    assert result.exit_code == 130
    assert not [call for call in world.calls if call.startswith(("apply", "interrupt"))]


def test_a_stop_during_an_apply_lets_it_finish_and_begins_nothing_new(world: World) -> None:
    deployment = Deployment(world)
    world.on_call = lambda call: deployment.stop.ask() if call.startswith("apply") else None

    result = deployment.carry_out()

    assert list(result.outcome.values()) == [Outcome.COMMITTED, Outcome.SKIPPED, Outcome.SKIPPED]
    assert result.results["data"].reason == "interrupted"
    assert result.exit_code == 130


def test_an_interrupted_apply_that_had_done_everything_is_committed(world: World) -> None:
    deployment = Deployment(world, (CHAIN[0],))
    world.unsaved = {"network"}

    def ask_twice(call: str) -> None:
        if call.startswith("apply"):
            deployment.stop.ask()
            deployment.stop.ask()

    world.on_call = ask_twice

    result = deployment.carry_out()

    assert result.outcome["network"] is Outcome.COMMITTED
    assert result.exit_code == 130


def test_a_plan_that_fails_says_so_with_place_and_advice(world: World) -> None:
    world.unplannable = {"network"}

    result = Deployment(world, (CHAIN[0],)).carry_out()

    network = result.results["network"]
    assert network.outcome is Outcome.FAILED
    assert network.reason == "terraform plan failed: creating queue: it broke"
    assert "where: aws_sqs_queue.q" in network.evidence


def test_a_second_stop_interrupts_terraform_once(world: World) -> None:
    deployment = Deployment(world, (CHAIN[0],))

    def ask_thrice(call: str) -> None:
        if call.startswith("apply"):
            for _ in range(3):
                deployment.stop.ask()

    world.on_call = ask_thrice
    deployment.carry_out()

    assert world.calls.count("interrupt network") == 1


def test_taking_down_goes_against_the_graph(world: World) -> None:
    Deployment(world).carry_out()
    world.calls.clear()

    result = Deployment(world).carry_out(destroy=True)

    assert set(result.outcome.values()) == {Outcome.COMMITTED}
    applies = [call.split()[-1] for call in world.calls if call.startswith("apply")]
    assert applies == ["orders", "data", "network"]


def test_taking_down_what_is_not_there_changes_nothing(world: World) -> None:
    result = Deployment(world).carry_out(destroy=True)

    assert set(result.outcome.values()) == {Outcome.UNCHANGED}
    assert world.calls == []


def test_a_shard_others_still_stand_on_is_not_taken_down(world: World) -> None:
    Deployment(world).carry_out()

    with pytest.raises(UsageError, match="data, orders would lose what they depend on"):
        Deployment(world).carry_out("network", destroy=True)


def test_dependents_that_are_gone_already_are_in_nobodys_way(world: World) -> None:
    Deployment(world).carry_out()
    Deployment(world).carry_out("data", "orders", destroy=True)

    result = Deployment(world).carry_out("network", destroy=True)

    assert result.outcome["network"] is Outcome.COMMITTED


def test_a_first_plan_defers_what_waits_for_another_shards_outputs(world: World) -> None:
    plan = Deployment(world).plan()

    assert [one.outcome for one in plan.shards] == [
        ShardPlanOutcome.CHANGES,
        ShardPlanOutcome.DEFERRED,
        ShardPlanOutcome.DEFERRED,
    ]
    assert plan.by_name["orders"].waits_for == ("data",)
    assert plan.by_name["orders"].summary == "waits for `data`"
    assert plan.has_changes


def test_a_shard_that_cannot_be_planned_is_part_of_the_answer(world: World) -> None:
    world.unplannable = {"network"}

    plan = Deployment(world, (CHAIN[0],)).plan()

    assert plan.failures[0].shard == "network"
    assert "it broke" in str(plan.failures[0].failure)


def test_the_plan_that_was_looked_at_is_the_plan_that_is_applied(world: World) -> None:
    deployment = Deployment(world, (CHAIN[0],))
    plan = deployment.plan()
    world.calls.clear()

    deployment.carry_out(shown=plan)

    assert world.calls == [
        "init network",
        "apply kept.tfplan of network",
        "init network",
        "verify network",
    ]


def test_below_a_shard_that_changed_the_plan_is_made_anew(world: World) -> None:
    deployed(world, CHAIN[0])
    deployment = Deployment(world, CHAIN[:2])
    world.losses = {"network": "aws_sns_topic.old"}
    plan = deployment.plan()
    world.calls.clear()

    deployment.carry_out(shown=plan)

    assert "apply kept.tfplan of network" in world.calls
    assert "apply plan.tfplan of data" in world.calls


def test_a_loss_that_was_not_looked_at_blocks_the_shard(world: World) -> None:
    deployed(world, *CHAIN[:2])
    world.losses = {"network": "aws_sns_topic.old"}
    deployment = Deployment(world, CHAIN[:2])
    plan = deployment.plan()
    world.losses = {**world.losses, "data": "aws_dynamodb_table.t"}

    result = deployment.carry_out(shown=plan)

    assert result.outcome["data"] is Outcome.BLOCKED
    assert "aws_dynamodb_table.t, which the plan that was shown did not" in str(result.results["data"].reason)


def test_what_was_unchanged_when_looked_at_needs_no_terraform(world: World) -> None:
    deployed(world, CHAIN[0])
    deployment = Deployment(world, (CHAIN[0],))
    plan = deployment.plan()
    world.calls.clear()

    result = deployment.carry_out(shown=plan)

    assert result.outcome["network"] is Outcome.UNCHANGED
    assert world.calls == []


def test_events_tell_the_steps_and_the_end_of_each_shard(world: World) -> None:
    deployment = Deployment(world, (CHAIN[0],))

    deployment.carry_out()

    steps = [event.step for event in deployment.events if isinstance(event, ShardStep)]
    ends = [event.outcome for event in deployment.events if isinstance(event, ShardFinished)]
    assert steps == ["initialising", "planning", "backing up", "applying", "verifying"]
    assert ends == ["committed"]


def test_a_missing_bucket_stops_the_run_before_anything_begins(world: World) -> None:
    class Missing(MemoryStore):
        def check(self) -> None:
            raise HoldfastError("there is no bucket")

    world.store = Missing()

    with pytest.raises(HoldfastError, match="there is no bucket"):
        Deployment(world).carry_out()

    assert world.calls == []


AWS = f"{TERRAFORM.registry}/hashicorp/aws"


def requiring_aws(one: Shard) -> Shard:
    required = {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}}
    document = {**json.loads(one.configuration), "terraform": required}
    return replace(one, configuration=json.dumps(document).encode())


def wait_for(found: Callable[[], bool]) -> bool:
    for _ in range(200):
        if found():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def waiting(world: World) -> Deployment:
    world.locks = {AWS: Build("5.100.0", frozenset({"h1:locked"}))}
    return Deployment(world, tuple(map(requiring_aws, CHAIN)))


def test_a_folder_is_made_ready_while_its_shard_waits_for_another(world: World, waiting: Deployment) -> None:
    ready: list[bool] = []

    def look(call: str) -> None:
        if call == "plan network":
            ready.append(wait_for(lambda: "init orders" in world.calls))

    world.on_call = look
    assert waiting.carry_out(max_parallel=2).is_good
    assert ready == [True]
    assert world.calls[:3] == ["init network", "plan network", "init data"]


def test_no_folder_is_made_ready_where_every_core_is_at_work(world: World, waiting: Deployment) -> None:
    assert waiting.carry_out(max_parallel=1).is_good
    assert [call for call in world.calls if call.startswith(("init", "apply"))][:2] == [
        "init network",
        "apply plan.tfplan of network",
    ]


def test_the_first_init_of_a_project_is_waited_for(world: World, waiting: Deployment) -> None:
    locks, world.locks = world.locks, {}

    def lock(call: str) -> None:
        if call == "plan network":
            assert not wait_for(lambda: "init data" in world.calls)
            world.locks = locks
            assert wait_for(lambda: "init data" in world.calls)

    world.on_call = lock
    assert waiting.carry_out(max_parallel=2).is_good


def test_what_goes_wrong_ahead_is_told_in_its_turn(world: World, waiting: Deployment) -> None:
    world.busy = {"data"}

    def free(call: str) -> None:
        if call == "verify network":
            assert wait_for(lambda: "init orders" in world.calls)
            world.busy = set()

    world.on_call = free
    assert waiting.carry_out(max_parallel=2).is_good
    assert "init data" in world.calls


def test_a_shard_whose_last_run_has_not_ended_is_left_alone(world: World, waiting: Deployment) -> None:
    record = StateRecord(run="01DEAD", is_open=True, state=None, debt=Debt(), at=FrozenClock().now())
    write_state_record(world.store, waiting.shards[1].state.folder, record, after=None)

    def look(call: str) -> None:
        if call == "verify network":
            assert wait_for(lambda: "init orders" in world.calls)
            assert "init data" not in world.calls

    world.on_call = look
    waiting.carry_out(max_parallel=2)
    assert "verify network" in world.calls
