"""What a plan has read is given to its verify, and to nobody else; what may have changed is asked again."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.engine.warm import protobuf_wire as wire
from holdfast_orchestrator.engine.warm import reads
from holdfast_orchestrator.engine.warm.connection import Attachment, Connection
from holdfast_orchestrator.engine.warm.pool import Pool
from holdfast_orchestrator.engine.warm.protocol import Call
from holdfast_orchestrator.engine.warm.reads import ReadMemory, ReadUse
from holdfast_orchestrator.engine.warm.values import NIL, diagnostic, encoded
from holdfast_orchestrator.terraform.reads import ReadCount

KEY, ORIGIN = "run shard", b"origin"
STATE = {"id": "hjk", "name": "hjk", "tags": {"b": "1", "a": "2"}}
# Nothing of it is in STATE.
ELSEWHERE = {"id": "qwx", "name": "qwx"}


def request(state: Mapping[str, Any] = STATE, **parts: bytes) -> bytes:
    """A ReadResource as Terraform sends it."""
    fields = {"kind": b"aws_x", "private": b"p", "meta": b"", "capabilities": b"", "identity": b""} | parts
    numbered = {
        1: fields["kind"],
        2: encoded(state),
        3: fields["private"],
        4: fields["meta"],
        5: fields["capabilities"],
        6: fields["identity"],
    }
    return b"".join(wire.sized(number, part) for number, part in numbered.items() if part)


def answer(state: Mapping[str, Any] = STATE, *more: bytes, private: bytes = b"p") -> bytes:
    return wire.sized(1, encoded(state)) + wire.sized(3, private) + b"".join(more)


def change(
    prior: Mapping[str, Any] | None, planned: Mapping[str, Any] | None, kind: bytes = b"aws_y"
) -> bytes:
    """An ApplyResourceChange as Terraform sends it."""
    values = [wire.sized(1, NIL) if value is None else encoded(value) for value in (prior, planned)]
    return wire.sized(1, kind) + wire.sized(2, values[0]) + wire.sized(3, values[1])


@dataclass
class Remembering:
    """A memory in which a plan has read one object."""

    now: float = 1000.0
    asked: bytes = field(default_factory=request)
    answered: bytes = field(default_factory=answer)
    memory: ReadMemory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = ReadMemory(lambda: self.now)
        self.memory.begin(KEY)
        self.memory.keep(KEY, ORIGIN, self.asked, self.answered)

    def recall(self, asked: bytes | None = None, *, key: str = KEY, origin: bytes = ORIGIN) -> bytes | None:
        return self.memory.recall(key, origin, asked or request(), oldest=600)


def test_the_question_after_a_read_gets_the_answer_of_the_read() -> None:
    drifted = {**STATE, "tags": {}}
    world = Remembering(asked=request(drifted, private=b"before"))

    assert world.recall() == answer()
    assert world.recall(request(drifted, private=b"before")) is None


def test_the_order_of_names_does_not_matter_and_everything_else_does() -> None:
    world = Remembering()
    other_order = dict(reversed([*STATE.items()]))
    identity = wire.sized(1, encoded({"id": "hjk"}))

    assert world.recall(request(other_order)) == answer()
    for asked in (
        request({**STATE, "tags": {"b": "1"}}),
        request({**STATE, "size": 1}),
        request(kind=b"aws_z"),
        request(private=b"q"),
        request(meta=b"m"),
        request(capabilities=b"c"),
        request(identity=identity),
    ):
        assert world.recall(asked) is None
    assert world.recall(origin=b"another configuration") is None
    assert world.recall(key="another run") is None


def test_true_is_not_1_and_a_number_is_no_text() -> None:
    world = Remembering(asked=request({"id": "h", "v": 1}), answered=answer({"id": "h", "v": 1}))

    assert world.recall(request({"id": "h", "v": True})) is None
    assert world.recall(request({"id": "h", "v": "1"})) is None


def test_the_identity_is_that_of_the_answer_or_else_that_of_the_question() -> None:
    one, two = (wire.sized(1, encoded({"id": name})) for name in ("1", "2"))
    kept = Remembering(asked=request(identity=one))
    given_anew = Remembering(asked=request(identity=one), answered=answer(STATE, wire.sized(5, two)))

    assert kept.recall(request(identity=one)) is not None
    assert given_anew.recall(request(identity=one)) is None
    assert given_anew.recall(request(identity=two)) is not None


@pytest.mark.parametrize(
    "answered",
    [
        answer(STATE, wire.sized(2, diagnostic("no", "access denied"))),
        answer(STATE, wire.sized(4, wire.counted(1, 1))),
        wire.sized(1, wire.sized(1, NIL)),
        b"",
        wire.sized(1, wire.sized(1, msgpack.packb({"id": msgpack.ExtType(0, b"")}))),
        wire.sized(1, wire.sized(2, b'{"id": "hjk"}')),
        wire.sized(1, wire.sized(1, b"\xdf\xff")),
    ],
    ids=["error", "deferred", "gone", "nothing", "unknown", "json", "damaged"],
)
def test_what_was_not_read_is_not_remembered(answered: bytes) -> None:
    assert Remembering(answered=answered).memory.size(KEY) == 0


def test_a_warning_is_remembered_with_its_answer() -> None:
    warning = wire.sized(2, wire.counted(1, 2) + wire.sized(2, b"careful"))

    assert Remembering(answered=answer(STATE, warning)).recall() == answer(STATE, warning)


@pytest.mark.parametrize(
    ("prior", "planned", "applied"),
    [
        (STATE, {**STATE, "size": 1}, None),
        (None, {"name": "z", "role": "hjk"}, None),
        ({"name": "z", "role": "hjk"}, None, None),
        (None, {"name": "z"}, {"name": "z", "role": "hjk"}),
    ],
    ids=["itself", "created", "deleted", "known after the apply"],
)
def test_a_neighbour_of_what_was_changed_is_read_again(
    prior: dict[str, Any] | None, planned: dict[str, Any] | None, applied: dict[str, Any] | None
) -> None:
    world = Remembering()

    world.memory.changing(change(prior, planned))
    if applied is not None:
        assert world.recall() == answer()
        world.memory.changing(change(prior, planned), wire.sized(1, encoded(applied)))

    assert world.recall() is None


def test_what_has_nothing_in_common_with_a_change_is_not_read_again() -> None:
    world = Remembering()

    world.memory.changing(change(None, ELSEWHERE))

    assert world.recall() == answer()


def test_a_change_that_another_shard_makes_later_counts_too() -> None:
    world = Remembering()
    world.memory.changing(change(None, ELSEWHERE))
    assert world.recall() == answer()

    world.memory.changing(change(None, {"to": "hjk"}))

    assert world.recall() is None


def test_a_change_before_the_plan_began_does_not_count() -> None:
    memory = ReadMemory(lambda: 0.0)
    memory.begin("another")
    memory.changing(change(None, {"to": "hjk"}))
    memory.begin(KEY)
    memory.keep(KEY, ORIGIN, request(), answer())

    assert memory.recall(KEY, ORIGIN, request(), oldest=600) == answer()


def test_a_change_that_cannot_be_understood_ends_what_is_remembered() -> None:
    world = Remembering()

    world.memory.changing(wire.sized(1, b"aws_y") + wire.sized(2, wire.sized(1, b"\xdf\xff")))

    assert world.recall() is None


def test_an_old_read_is_made_again() -> None:
    world = Remembering()

    world.now += 600
    assert world.recall() == answer()
    world.now += 1
    assert world.recall() is None


def test_a_plan_that_begins_forgets_the_one_before() -> None:
    world = Remembering()

    world.memory.begin(KEY)

    assert world.memory.size(KEY) == 0
    assert world.recall() is None


def test_the_oldest_plans_are_forgotten_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "MOST_BYTES", 2 * len(answer()))
    memory = ReadMemory(lambda: 0.0)
    for key in ("a", "b", "c"):
        memory.begin(key)
        memory.keep(key, ORIGIN, request(), answer())

    assert [memory.size(key) for key in ("a", "b", "c")] == [0, 1, 1]


@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(0, 9) | st.booleans(), min_size=1)
)
def test_only_an_equal_state_gets_the_answer(state: dict[str, Any]) -> None:
    world = Remembering(asked=request(state), answered=answer(state))
    name, value = next(iter(state.items()))

    assert world.recall(request(dict(reversed([*state.items()])))) == answer(state)
    assert world.recall(request({**state, name: f"{value}!"})) is None


class Provider:
    """A provider process that answers reads and changes, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.claim = b"configured"

    async def ask(self, call: Call, asked: bytes, _metadata: Any = ()) -> bytes:
        self.asked.append(call.name)
        return answer() if call.name == "ReadResource" else wire.sized(1, encoded({"id": "new"}))


@dataclass
class Commands:
    """Commands of one gateway, one after another."""

    provider: Provider = field(default_factory=Provider)
    memory: ReadMemory = field(default_factory=lambda: ReadMemory(lambda: 0.0))
    last: Attachment | None = None

    def run(self, name: str, asked: bytes, **reading: Any) -> bytes:
        """Make one call in a command; `reading` is what it is to do with its reads."""
        using = None
        if reading:
            using = ReadUse.of(self.memory, "spec", {"key": KEY, "least": 1, "oldest": 600} | reading)
        pool = Pool(lambda: pytest.fail("a process was started"))
        self.last = Attachment(pool=pool, schema=None, kept=frozenset(), memory=self.memory, reads=using)  # type: ignore[arg-type]
        connection = Connection(self.last)
        connection._process = self.provider  # type: ignore[assignment]
        return asyncio.run(connection._answer(Call(f"/tfplugin5.Provider/{name}"), asked, ()))

    def ended(self) -> ReadCount | None:
        """End the last command, and return what it counted."""
        assert self.last is not None
        return None if self.last.reads is None else self.last.reads.end()


def test_a_verify_is_answered_from_the_plan_and_both_count() -> None:
    commands = Commands()

    commands.run("ReadResource", request(), recalls=False)
    assert commands.ended() == ReadCount(read=1, remembered=0)
    assert commands.run("ReadResource", request(), recalls=True) == answer()

    assert commands.provider.asked == ["ReadResource"]
    assert commands.ended() == ReadCount(read=0, remembered=1)


def test_a_command_that_neither_remembers_nor_recalls_asks_the_provider() -> None:
    commands = Commands()
    commands.run("ReadResource", request(), recalls=False)

    commands.run("ReadResource", request())

    assert commands.provider.asked == ["ReadResource"] * 2


def test_too_few_reads_are_made_again() -> None:
    commands = Commands()
    commands.run("ReadResource", request(), recalls=False)

    commands.run("ReadResource", request(), recalls=True, least=2)

    assert commands.provider.asked == ["ReadResource"] * 2


def test_a_plan_that_has_read_too_little_is_forgotten_with_all_that_was_changed() -> None:
    commands = Commands()
    commands.run("ReadResource", request(), recalls=False, least=2)
    commands.run("ApplyResourceChange", change(None, {"to": "hjk"}))
    assert commands.memory.size(KEY) == len(commands.memory._changes[::2]) == 1

    commands.run("ReadResource", request(), recalls=False, least=2)
    commands.ended()

    assert commands.memory.size(KEY) == len(commands.memory._changes) == 0


def test_data_sources_are_always_read() -> None:
    commands = Commands()
    commands.run("ReadDataSource", request(), recalls=False)

    commands.run("ReadDataSource", request(), recalls=True, least=0)

    assert commands.provider.asked == ["ReadDataSource"] * 2


def test_an_apply_counts_its_changes_and_a_neighbour_is_read_again() -> None:
    commands = Commands()
    commands.run("ReadResource", request(), recalls=False)

    commands.run("ApplyResourceChange", change(None, {"to": "hjk"}))
    assert commands.last is not None
    assert commands.last.applied == 1
    commands.run("ReadResource", request(), recalls=True)

    assert commands.provider.asked == ["ReadResource", "ApplyResourceChange", "ReadResource"]


def test_a_process_with_another_configuration_is_asked() -> None:
    commands = Commands()
    commands.run("ReadResource", request(), recalls=False)

    commands.provider.claim = b"another"
    commands.run("ReadResource", request(), recalls=True)

    assert commands.provider.asked == ["ReadResource"] * 2


def test_a_change_that_fails_counts() -> None:
    class Failing(Provider):
        async def ask(self, call: Call, asked: bytes, _metadata: Any = ()) -> bytes:
            if call.name == "ApplyResourceChange":
                raise OSError("it died")
            return await super().ask(call, asked)

    commands = Commands(provider=Failing())
    commands.run("ReadResource", request(), recalls=False)

    with pytest.raises(OSError, match="it died"):
        commands.run("ApplyResourceChange", change(None, {"to": "hjk"}))
    commands.run("ReadResource", request(), recalls=True)

    assert commands.provider.asked == ["ReadResource"] * 2
