"""Whatever deployers do, and whoever dies or dawdles: at most one of them believes rightly that it holds."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.state.lease import Claim, Lease, Leases
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.process_identity import ProcessIdentity
from holdfast_orchestrator.testing import FrozenClock, RefusingProcesses, refusing_runtime

FOLDER = "orders/123456789012/eu-west-1/prod"
DEPLOYERS = st.integers(0, 3)


@dataclass(slots=True)
class Processes(RefusingProcesses):
    dead: set[int] = field(default_factory=set)

    def birth(self, pid: int) -> str | None:
        return None if pid in self.dead else f"born-{pid}"


class Deployers(RuleBasedStateMachine):
    """Four deployers, two to a machine, one bucket."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FrozenClock()
        self.store = MemoryStore(self.clock)
        self.processes = (Processes(), Processes())
        self.held: dict[int, Lease] = {}
        self.taken_from: set[int] = set()
        self.epochs: list[int] = []

    @rule(who=DEPLOYERS, operator=st.booleans())
    def take(self, who: int, *, operator: bool) -> None:
        if who in self.held or self.is_dead(who):
            return
        try:
            lease = self.leases(who).take(self.claim(who), operator=operator)
        except HoldfastError:
            return
        lease.abandon()
        for other in set(self.held) - self.taken_from:
            # A holder that runs on a machine that can be asked is never robbed.
            assert other // 2 != who // 2 or self.is_dead(other)
        self.epochs.append(lease.epoch)
        self.taken_from |= set(self.held)
        self.held[who] = lease

    @rule(who=DEPLOYERS)
    def confirm(self, who: int) -> None:
        if who not in self.held or self.is_dead(who):
            return
        try:
            self.held[who].confirm()
        except HoldfastError:
            assert who in self.taken_from
            del self.held[who]
            self.taken_from.discard(who)
        else:
            assert who not in self.taken_from

    @rule(who=DEPLOYERS)
    def release(self, who: int) -> None:
        if who in self.held and not self.is_dead(who):
            self.held.pop(who).release()
            self.taken_from.discard(who)

    @rule(who=DEPLOYERS)
    def die(self, who: int) -> None:
        self.processes[who // 2].dead.add(who)
        if who in self.taken_from:
            self.taken_from.discard(who)
            del self.held[who]

    @rule(seconds=st.sampled_from([1, 30, 61, 63, 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.sleep(seconds)

    @invariant()
    def the_bucket_names_the_one_holder(self) -> None:
        rightly = [who for who in self.held if who not in self.taken_from]
        holder = self.leases(0).holder(FOLDER)
        assert len(rightly) <= 1
        assert (holder is not None) == bool(rightly)
        assert holder is None or holder.token == self.held[rightly[0]].record.token

    @invariant()
    def epochs_only_grow(self) -> None:
        assert self.epochs == sorted(set(self.epochs))

    def is_dead(self, who: int) -> bool:
        return who in self.processes[who // 2].dead

    def leases(self, who: int) -> Leases:
        runtime = refusing_runtime(clock=self.clock, processes=self.processes[who // 2])
        leases = Leases(self.store, runtime)
        leases.__dict__["me"] = ProcessIdentity(
            host=f"host-{who // 2}", boot=f"boot-{who // 2}", namespace="n", pid=who, born=f"born-{who}"
        )
        return leases

    def claim(self, who: int) -> Claim:
        return Claim(folder=FOLDER, run=f"run-{who}", owner=f"owner-{who}", doing="deploying")


TestDeployers = Deployers.TestCase
TestDeployers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
