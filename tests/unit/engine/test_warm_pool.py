"""Who gets which process: equal configurations share one, and no other ever comes in."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.engine.warm.pool import Pool
from holdfast_orchestrator.engine.warm.protocol import Call
from holdfast_orchestrator.engine.warm.provider_process import ProviderProcess
from holdfast_orchestrator.engine.warm.reaper import Bounds, superfluous

CONFIGURE = Call("/tfplugin5.Provider/Configure")
PREPARE = Call("/tfplugin5.Provider/PrepareProviderConfig")
FINE = b"\x0a\x04fine"


class Fake(ProviderProcess):
    """A process that remembers what it was configured with."""

    def __init__(self, number: int, answer: bytes = b"") -> None:
        super().__init__(
            pid=number,
            birth="",
            version=5,
            keeper=0,
            leash=0,
            voice=None,  # type: ignore[arg-type]
            channel=None,
            processes=None,  # type: ignore[arg-type]
        )

        self.told: list[bytes] = []
        self.dead = False
        self._answer = answer

    @property
    def lives(self) -> bool:
        return not self.dead

    async def ask(self, call: Call, request: bytes, metadata: Any = ()) -> bytes:
        await asyncio.sleep(0)
        self.told.append(request)
        return self._answer


class Starts:
    def __init__(self, answer: bytes = b"") -> None:
        self.made: list[Fake] = []
        self._answer = answer

    async def __call__(self) -> ProviderProcess:
        await asyncio.sleep(0)
        self.made.append(Fake(len(self.made), self._answer))
        return self.made[-1]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_equal_configurations_at_the_same_time_share_one_process_that_is_told_once() -> None:
    async def work() -> None:
        starts = Starts()
        pool = Pool(starts)
        bound = await asyncio.gather(*(pool.configured(CONFIGURE, b"a", (), user) for user in range(5)))
        assert {id(process) for process, _ in bound} == {id(starts.made[0])}
        assert starts.made[0].told == [b"a"]
        assert len(starts.made[0].users) == 5

    run(work())


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from(["go", "crash", "leave"]))))
def test_no_process_ever_hears_two_configurations(steps: list[tuple[bytes, str]]) -> None:
    async def work() -> None:
        starts = Starts()
        pool = Pool(starts)
        for number, (configuration, then) in enumerate(steps):
            async with pool.any() as lent:
                assert lent.lives
            async with pool.unconfigured() as bare:
                assert bare.claim is None
            process, _ = await pool.configured(CONFIGURE, configuration, (), number)
            assert isinstance(process, Fake)
            assert process.lives
            assert process.told == [configuration]
            process.dead = then == "crash"
            if then == "leave":
                process.users.discard(number)
        assert all(len(made.told) <= 1 for made in starts.made)

    run(work())


def test_a_process_that_refused_its_configuration_gets_nobody_new() -> None:
    async def work() -> None:
        starts = Starts(answer=b"\x0a\x02\x08\x01")
        pool = Pool(starts)
        first, answer = await pool.configured(CONFIGURE, b"a", (), 1)
        second, _ = await pool.configured(CONFIGURE, b"a", (), 2)
        assert answer
        assert first is not second

    run(work())


def test_what_a_command_allows_to_be_deferred_is_part_of_its_configuration_unless_known_not_to_matter() -> (
    None
):
    plan, apply = b"\x0a\x01x\x1a\x02\x10\x01", b"\x0a\x01x\x1a\x02\x08\x01"

    async def work(*, known: bool, processes: int) -> None:
        starts = Starts()
        pool = Pool(starts, known=known)
        await pool.configured(CONFIGURE, plan, (), 1)
        await pool.configured(CONFIGURE, apply, (), 2)
        assert len(starts.made) == processes

    run(work(known=False, processes=2))
    run(work(known=True, processes=1))


@pytest.mark.parametrize(
    ("bounds", "ended"), [(Bounds(3), []), (Bounds(2), [1]), (Bounds(1), [1, 2]), (Bounds(3, 5.0), [1])]
)
def test_idle_processes_end_beyond_the_bounds_and_used_ones_never(bounds: Bounds, ended: list[int]) -> None:
    used, old, young = Fake(0), Fake(1), Fake(2)
    used.users.add("somebody")
    old.idle_since, young.idle_since = 1.0, 6.0

    assert [one.pid for one in superfluous([used, old, young], bounds, 10.0)] == ended


def test_spent_and_dead_processes_end_at_once() -> None:
    spent, dead, good = Fake(0), Fake(1), Fake(2)
    spent.spent, dead.dead = True, True

    assert superfluous([spent, dead, good], Bounds(9, 99.0), 1.0) == [spent, dead]


async def asked(pool: Pool, request: bytes) -> bytes:
    """Ask any of a pool's processes a question whose answer may be kept."""

    async def ask() -> bytes:
        async with pool.any() as process:
            return await process.ask(PREPARE, request, ())

    return await pool.pure(PREPARE, request, ask)


def test_whether_a_configuration_is_valid_is_asked_once_of_all_processes() -> None:
    async def work() -> None:
        starts = Starts(answer=FINE)
        pool = Pool(starts, known=True)
        together = await asyncio.gather(*(asked(pool, b"a") for _ in range(5)))
        later = await asked(pool, b"a")
        other = await asked(pool, b"b")
        assert {*together, later, other} == {FINE}
        assert [told for made in starts.made for told in made.told] == [b"a", b"b"]

    run(work())


def test_a_configuration_that_was_refused_is_asked_about_again() -> None:
    async def work() -> None:
        starts = Starts(answer=b"\x12\x02\x08\x01")
        pool = Pool(starts, known=True)
        for _ in range(2):
            await asked(pool, b"a")
        assert starts.made[0].told == [b"a", b"a"]

    run(work())


def test_only_so_many_answers_are_kept_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_orchestrator.engine.warm.pool._KEPT_ANSWERS", 2)

    async def work() -> None:
        starts = Starts(answer=FINE)
        pool = Pool(starts, known=True)
        for request in (b"a", b"b", b"c", b"c", b"b", b"a"):
            await asked(pool, request)
        assert starts.made[0].told == [b"a", b"b", b"c", b"a"]

    run(work())


def test_a_command_that_goes_away_takes_the_answer_from_nobody() -> None:
    async def work() -> None:
        starts = Starts(answer=FINE)
        pool = Pool(starts, known=True)
        leaving = asyncio.create_task(asked(pool, b"a"))
        await asyncio.sleep(0)
        staying = asyncio.create_task(asked(pool, b"a"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == FINE
        assert starts.made[0].told == [b"a"]

    run(work())


def test_a_provider_that_broke_off_is_asked_again() -> None:
    class Broken(Fake):
        async def ask(self, call: Call, request: bytes, metadata: Any = ()) -> bytes:
            self.dead = True
            raise ConnectionError("broke off")

    processes = iter([Broken(0), Fake(1, FINE)])

    async def start() -> ProviderProcess:
        return next(processes)

    async def work() -> None:
        pool = Pool(start, known=True)
        with pytest.raises(ConnectionError):
            await asked(pool, b"a")
        assert await asked(pool, b"a") == FINE

    run(work())
