"""The lease of a shard: one holder, found out when lost, taken only from the dead."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.stores import AnswersLost

from holdfast_orchestrator.errors import (
    InterruptedSafelyError,
    LeasedError,
    NeedsPersonError,
    StateBucketError,
)
from holdfast_orchestrator.state.lease import Claim, Lease, Leases
from holdfast_orchestrator.state.lease_record import LeaseRecord, lease_key
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore, ObjectHead
from holdfast_orchestrator.state.process_identity import ProcessIdentity
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.testing import FrozenClock, RefusingProcesses, refusing_runtime

FOLDER = "orders/123456789012/eu-west-1/prod"
CLAIM = Claim(folder=FOLDER, run="RUN1", owner="jane", doing="deploying orders")


class Processes(RefusingProcesses):
    """Processes by id; those that are not here are dead."""

    def __init__(self, **alive: str) -> None:
        self.alive = {int(name.removeprefix("p")): born for name, born in alive.items()}

    def birth(self, pid: int) -> str | None:
        return self.alive.get(pid)


def deployer(
    store: DurableStore,
    clock: FrozenClock,
    processes: Processes,
    *,
    pid: int = 1,
    host: str = "runner-1",
    boot: str = "boot-1",
) -> Leases:
    leases = Leases(store, refusing_runtime(clock=clock, processes=processes))
    born = processes.alive.get(pid, "born")
    leases.__dict__["me"] = ProcessIdentity(host=host, boot=boot, namespace="pid:[1]", pid=pid, born=born)
    return leases


def test_a_second_deployer_is_told_who_holds_the_shard_since_when_and_doing_what(
    store: DurableStore, runtime: Runtime
) -> None:
    leases = Leases(store, runtime)

    with leases.take(CLAIM), pytest.raises(LeasedError) as refused:
        Leases(store, runtime).take(replace(CLAIM, run="RUN2", owner="joe"))

    text = str(refused.value)
    assert refused.value.exit_code == 7
    for told in ("jane", "RUN1", "deploying orders", f"process {leases.me.pid} on {leases.me.host}", "UTC"):
        assert told in text


def test_a_released_shard_can_be_taken_and_the_epoch_grows(store: DurableStore, runtime: Runtime) -> None:
    leases = Leases(store, runtime)
    with leases.take(CLAIM) as first:
        assert first.epoch == 1

    assert leases.holder(FOLDER) is None
    with leases.take(replace(CLAIM, run="RUN2")) as second:
        assert second.epoch == 2
        assert second.record.taken is None


def test_shards_do_not_hold_each_other_up(store: DurableStore, runtime: Runtime) -> None:
    leases = Leases(store, runtime)

    with leases.take(CLAIM), leases.take(replace(CLAIM, folder="edge/123456789012/eu-west-1/prod")) as other:
        other.confirm()


def test_it_can_be_asked_which_shards_are_held_and_who_held_one_last(
    store: DurableStore, runtime: Runtime
) -> None:
    leases = Leases(store, runtime)
    other = "edge/123456789012/eu-west-1/prod"
    leases.take(replace(CLAIM, folder=other, run="EARLIER")).release()

    with leases.take(CLAIM):
        held = leases.held()

    assert {folder: record.run for folder, record in held.items()} == {FOLDER: "RUN1"}
    last = leases.last(other)
    assert last is not None
    assert last.run == "EARLIER"
    assert leases.last("data/123456789012/eu-west-1/prod") is None


def test_confirm_renews_the_lease(store: DurableStore, runtime: Runtime) -> None:
    leases = Leases(store, runtime)

    with leases.take(CLAIM) as lease:
        lease.confirm()
        lease.confirm()
        lease.check()

        held = leases.holder(FOLDER)

    assert held is not None
    assert held.renewals == 2


def test_the_keeper_renews_by_itself(store: DurableStore, runtime: Runtime) -> None:
    leases = Leases(store, runtime)

    with leases.take(replace(CLAIM, expires_after=0.2)):
        while (held := leases.holder(FOLDER)) is not None and held.renewals < 2:
            runtime.clock.sleep(0.02)

    assert held is not None


def test_whoever_waits_is_told_once_for_whom_and_then_gets_the_shard() -> None:
    store, clock = MemoryStore(), FrozenClock()
    leases = deployer(store, clock, Processes(p1="a"))
    held = leases.take(CLAIM)
    told: list[str] = []

    def wait_a_little(holder: LeaseRecord) -> None:
        told.append(holder.run)
        held.release()

    with leases.take(replace(CLAIM, run="RUN2"), wait=10, on_wait=wait_a_little) as lease:
        assert lease.record.run == "RUN2"

    assert told == ["RUN1"]


def test_waiting_ends() -> None:
    store, clock = MemoryStore(), FrozenClock()
    leases = deployer(store, clock, Processes(p1="a"))

    with leases.take(CLAIM), pytest.raises(LeasedError):
        leases.take(replace(CLAIM, run="RUN2"), wait=10)

    assert 10 <= sum(clock.slept) < 20


def test_waiting_ends_when_it_is_asked_to_stop() -> None:
    store, clock = MemoryStore(), FrozenClock()
    leases = deployer(store, clock, Processes(p1="a"))

    with leases.take(CLAIM), pytest.raises(InterruptedSafelyError, match="held by jane"):
        leases.take(replace(CLAIM, run="RUN2"), wait=600, stopped=lambda: sum(clock.slept) > 1)

    assert sum(clock.slept) < 5


def left_behind(store: DurableStore, clock: FrozenClock, processes: Processes, **where: str) -> LeaseRecord:
    """A lease whose holder went away without releasing it."""
    lease = deployer(store, clock, processes, **where).take(CLAIM)  # type: ignore[arg-type]
    lease.abandon()
    return lease.record


def test_a_dead_process_lease_is_taken_once_it_has_expired() -> None:
    clock = FrozenClock()
    store, processes = MemoryStore(clock), Processes(p1="a", p2="b")
    left_behind(store, clock, processes)
    del processes.alive[1]
    heir = deployer(store, clock, processes, pid=2)

    with pytest.raises(LeasedError, match="has not expired yet"):
        heir.take(replace(CLAIM, run="RUN2"))
    clock.sleep(63)
    lease = heir.take(replace(CLAIM, run="RUN2"))

    taken = lease.record.taken
    assert lease.epoch == 2
    assert taken is not None
    assert (taken.run, taken.owner, taken.host, taken.epoch) == ("RUN1", "jane", "runner-1", 1)
    assert taken.why == "not renewed in time, its process is dead"


def test_a_process_id_given_out_again_does_not_pass_for_the_holder() -> None:
    clock = FrozenClock()
    store, processes = MemoryStore(clock), Processes(p1="a", p2="b")
    left_behind(store, clock, processes)
    processes.alive[1] = "later"
    clock.sleep(63)

    lease = deployer(store, clock, processes, pid=2).take(replace(CLAIM, run="RUN2"))

    assert lease.record.taken is not None


def test_an_expired_lease_of_a_paused_process_is_not_taken_even_for_an_operator() -> None:
    clock = FrozenClock()
    store, processes = MemoryStore(clock), Processes(p1="a", p2="b")
    left_behind(store, clock, processes)
    clock.sleep(3600)

    with pytest.raises(LeasedError, match="its process is running"):
        deployer(store, clock, processes, pid=2).take(replace(CLAIM, run="RUN2"), operator=True)


@pytest.mark.parametrize("where", [{"boot": "boot-2"}, {"host": "runner-2", "boot": "boot-9"}])
def test_an_expired_lease_of_elsewhere_needs_an_operator(where: dict[str, str]) -> None:
    clock = FrozenClock()
    store, processes = MemoryStore(clock), Processes(p1="a", p2="b")
    left_behind(store, clock, processes, **where)
    del processes.alive[1]
    clock.sleep(24 * 3600)
    heir = deployer(store, clock, processes, pid=2)

    with pytest.raises(LeasedError, match="cannot be told from here"):
        heir.take(replace(CLAIM, run="RUN2"))
    lease = heir.take(replace(CLAIM, run="RUN2"), operator=True)

    assert lease.record.taken is not None
    assert lease.record.taken.why == "not renewed in time, an operator asked for it"


def test_an_operator_alone_does_not_take_a_lease_that_is_renewed() -> None:
    clock = FrozenClock()
    store, processes = MemoryStore(clock), Processes(p2="b")
    left_behind(store, clock, processes, boot="boot-2")

    with pytest.raises(LeasedError, match="being renewed"):
        deployer(store, clock, processes, pid=2).take(replace(CLAIM, run="RUN2"), operator=True)


def test_the_local_clock_does_not_make_a_lease_expire() -> None:
    bucket, local = FrozenClock(), FrozenClock()
    store, processes = MemoryStore(bucket), Processes(p1="a", p2="b")
    left_behind(store, local, processes)
    del processes.alive[1]
    local.sleep(24 * 3600)

    with pytest.raises(LeasedError):
        deployer(store, local, processes, pid=2).take(replace(CLAIM, run="RUN2"))


def test_a_persons_lease_is_never_taken_over_automatically() -> None:
    clock = FrozenClock()
    store, processes = MemoryStore(clock), Processes(p1="a", p2="b")
    deployer(store, clock, processes).take(replace(CLAIM, kind="human", doing="repairing by hand"))
    del processes.alive[1]
    clock.sleep(30 * 24 * 3600)
    other = deployer(store, clock, processes, pid=2)

    with pytest.raises(LeasedError, match="a person holds it"):
        other.take(replace(CLAIM, run="RUN2"))
    other.break_human(FOLDER, why="jane is on leave")

    with other.take(replace(CLAIM, run="RUN2")) as lease:
        assert lease.epoch == 2


def test_a_runs_lease_is_not_broken_as_a_persons(store: DurableStore, runtime: Runtime) -> None:
    leases = Leases(store, runtime)

    with leases.take(CLAIM), pytest.raises(LeasedError):
        leases.break_human(FOLDER, why="in a hurry")


def robbed(do: Callable[[Lease], None]) -> None:
    """Have a lease taken away by an operator on another machine, then do something with it."""
    clock = FrozenClock()
    store, processes = MemoryStore(clock), Processes(p1="a", p2="b")
    lease = deployer(store, clock, processes).take(CLAIM)
    lease.abandon()
    clock.sleep(63)
    thief = deployer(store, clock, processes, pid=2, host="runner-2", boot="boot-2")
    taken = thief.take(replace(CLAIM, run="RUN2", owner="joe"), operator=True)

    with pytest.raises(LeasedError, match="no longer holds the shard: it was taken by joe"):
        do(lease)

    lease.release()
    taken.confirm()


def test_a_lease_that_was_taken_and_given_back_since_is_somebody_elses() -> None:
    clock = FrozenClock()
    store, processes = MemoryStore(clock), Processes(p1="a", p2="b")
    lease = deployer(store, clock, processes).take(CLAIM)
    lease.abandon()
    clock.sleep(63)
    thief = deployer(store, clock, processes, pid=2, host="runner-2", boot="boot-2")
    thief.take(replace(CLAIM, run="RUN2", owner="joe"), operator=True).release()

    with pytest.raises(LeasedError, match="it was taken for run RUN2 by joe") as told:
        lease.confirm()

    assert told.value.next_step == "holdfast show RUN2"


def test_a_lease_that_was_taken_away_is_noticed_and_the_thiefs_is_left_alone() -> None:
    robbed(lambda lease: lease.confirm())
    robbed(lambda lease: lease.check())


def test_check_costs_nothing_while_the_lease_is_fresh() -> None:
    store = MemoryStore()
    with deployer(store, FrozenClock(), Processes(p1="a")).take(CLAIM) as lease:
        before = store.versions(lease_key(FOLDER))

        lease.check()

        assert store.versions(lease_key(FOLDER)) == before


def test_a_lease_that_was_deleted_needs_a_person(store: DurableStore, runtime: Runtime) -> None:
    lease = Leases(store, runtime).take(CLAIM)
    head = store.head(lease_key(FOLDER))
    assert head is not None
    store.delete(head.key, etag=head.etag)

    with pytest.raises(NeedsPersonError, match="was deleted"):
        lease.confirm()
    with pytest.raises(NeedsPersonError):
        lease.check()
    lease.release()


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b'{"schema":"holdfast/lease/v1","kind":"god"}'])
def test_a_damaged_lease_needs_a_person(store: DurableStore, runtime: Runtime, body: bytes) -> None:
    store.create(lease_key(FOLDER), body)

    with pytest.raises(NeedsPersonError, match="cannot be read"):
        Leases(store, runtime).take(CLAIM)


def test_a_lost_answer_does_not_lose_the_lease(runtime: Runtime) -> None:
    store = AnswersLost()

    with Leases(store, runtime).take(CLAIM) as lease:
        lease.confirm()
        lease.confirm()

    assert Leases(store, runtime).holder(FOLDER) is None


class Unreachable(MemoryStore):
    away = False

    def replace(self, key: str, body: bytes, *, etag: str) -> ObjectHead:
        if self.away:
            raise StateBucketError("the bucket cannot be reached")
        return super().replace(key, body, etag=etag)


def test_a_bucket_out_of_reach_stops_the_holder_only_when_the_lease_may_have_expired() -> None:
    clock, store = FrozenClock(), Unreachable()
    lease = deployer(store, clock, Processes(p1="a")).take(CLAIM)
    store.away = True

    lease.check()
    clock.sleep(31)
    with pytest.raises(StateBucketError):
        lease.check()
    store.away = False
    lease.check()
    lease.release()
