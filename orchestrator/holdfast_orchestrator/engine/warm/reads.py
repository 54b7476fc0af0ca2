"""What ReadResource answered in a plan, for the verify of the same run: each object is read once.

A plan reads every object, the verify after the apply would read all of them again. A read is answered from
memory where Terraform asks with exactly the state that the provider returned in the plan, the object shares
no identifier with anything applied since (`terraform.neighbours`), and the read is recent. Everything that
could change the answer is part of the question: type, state, private data, identity, provider metadata,
capabilities, and the process's configuration and environment.

Never remembered are answers with an error, deferred ones, and objects that are gone; data sources are not
objects. Whether a verify may ask at all is decided where its run is known (`deploy.decisions.read_again`).
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import msgpack

from holdfast_orchestrator.engine.warm import protobuf_wire as wire
from holdfast_orchestrator.engine.warm.values import decoded
from holdfast_orchestrator.terraform.neighbours import Neighbourhood, Traces, traces_of
from holdfast_orchestrator.terraform.reads import ReadCount

MOST_BYTES = 1 << 26
"""How much the answers of all plans may take; the oldest plan is forgotten first."""

# Fields of ReadResource: the request and the answer, in protocol 5 and 6.
_TYPE, _STATE, _PRIVATE, _META, _CAPABILITIES, _IDENTITY = 1, 2, 3, 4, 5, 6
_NEW_STATE, _DIAGNOSTICS, _NEW_PRIVATE, _DEFERRED, _NEW_IDENTITY = 1, 2, 3, 4, 5
_IDENTITY_DATA = 1
# Fields of ApplyResourceChange.
_PRIOR, _PLANNED, _CONFIG, _APPLIED = 2, 3, 4, 1


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: bytes
    kind: str
    at: float

    @property
    def traces(self) -> Traces:
        return traces_of(self.kind, decoded(wire.part(self.answer, _NEW_STATE)))


@dataclass(eq=False)
class _Plan:
    """The reads of one plan, by the digest of the question.

    `began` is how many changes there had been when it did. `judged` is how many of them its objects were held
    against; `near` are the questions about neighbours of what was changed.
    """

    began: int
    kept: dict[bytes, _Kept] = field(default_factory=dict)
    size: int = 0
    near: set[bytes] = field(default_factory=set)
    judged: int = field(init=False)

    def __post_init__(self) -> None:
        self.judged = self.began

    def take_in(self, changes: Sequence[Traces]) -> None:
        """Find out which objects are neighbours of what was changed since the last time."""
        fresh, self.judged = changes[self.judged :], len(changes)
        if fresh:
            questions, neighbourhood = self._objects
            self.near.update(questions[index] for index in neighbourhood.of(fresh))

    @cached_property
    def _objects(self) -> tuple[tuple[bytes, ...], Neighbourhood]:
        return tuple(self.kept), Neighbourhood([kept.traces for kept in self.kept.values()])


class ReadMemory:
    """The reads of all plans of one gateway, and what was changed since; `now` is in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._plans: dict[str, _Plan] = {}
        self._changes: list[Traces] = []

    def begin(self, key: str) -> None:
        """Forget what is remembered under `key`: a plan begins to read."""
        self._plans.pop(key, None)
        self._plans[key] = _Plan(began=len(self._changes))

    def forget(self, key: str) -> None:
        """Forget what is remembered under `key`."""
        self._plans.pop(key, None)
        if not self._plans:
            # Nobody asks any more what was changed.
            self._changes.clear()

    def size(self, key: str) -> int:
        """Return how many reads are remembered under `key`."""
        return len(self._plans[key].kept) if key in self._plans else 0

    def keep(self, key: str, origin: bytes, request: bytes, answer: bytes) -> None:
        """Remember an answer, if it is one to remember."""
        plan = self._plans.get(key)
        if plan is None:
            return
        try:
            question = _question_after(origin, request, answer)
        except wire.WireError:
            return
        plan.kept[question] = _Kept(answer, wire.part(request, _TYPE).decode(), self._now())
        plan.size += len(answer)
        self._make_room()

    def recall(self, key: str, origin: bytes, request: bytes, *, oldest: float) -> bytes | None:
        """Return the answer that a plan got to this question; None where it has to be asked again."""
        plan = self._plans.get(key)
        if plan is None:
            return None
        try:
            plan.take_in(self._changes)
            question = _question(origin, request)
        except wire.WireError:
            return None
        kept = plan.kept.get(question)
        if kept is None or question in plan.near or self._now() - kept.at > oldest:
            return None
        return kept.answer

    def changing(self, request: bytes, answer: bytes = b"") -> None:
        """Note an object that is about to be changed, and once more, with the answer, that it was."""
        if not self._plans:
            return
        try:
            parts = [wire.part(request, number) for number in (_PRIOR, _PLANNED, _CONFIG)]
            values = map(decoded, (*parts, wire.part(answer, _APPLIED)))
            self._changes.append(traces_of(wire.part(request, _TYPE).decode(), *values))
        except (wire.WireError, UnicodeDecodeError):
            # Nobody knows what it is near to.
            self._plans.clear()

    def _make_room(self) -> None:
        while sum(plan.size for plan in self._plans.values()) > MOST_BYTES:
            del self._plans[next(iter(self._plans))]


@dataclass(eq=False, kw_only=True)
class ReadUse:
    """One command's use of the memory: its reads are recalled, remembered, or only counted.

    `origin` is what its provider was started with.
    """

    memory: ReadMemory
    key: str
    origin: str = field(repr=False)
    recalls: bool
    remembers: bool
    least: int
    oldest: float
    read: int = 0
    remembered: int = 0

    @classmethod
    def of(cls, memory: ReadMemory, origin: str, asked: Mapping[str, Any]) -> Self:
        """Begin what was asked for over the control socket."""
        key, recalls = str(asked["key"]), bool(asked["recalls"])
        if not recalls:
            memory.begin(key)
        return cls(
            memory=memory,
            key=key,
            origin=origin,
            recalls=recalls and memory.size(key) >= asked["least"],
            remembers=not recalls,
            least=asked["least"],
            oldest=asked["oldest"],
        )

    def end(self) -> ReadCount:
        """Return how many reads were made, and were not; forget a plan that has read too little."""
        if self.remembers and self.memory.size(self.key) < self.least:
            self.memory.forget(self.key)
        return ReadCount(read=self.read, remembered=self.remembered)

    async def answer(self, claim: bytes, request: bytes, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the answer to a ReadResource; `ask` is awaited where it is not known.

        `claim` is the configuration of the process that would be asked. Raises what `ask` raises.
        """
        origin = _digest(self.origin.encode(), claim)
        if self.recalls:
            kept = self.memory.recall(self.key, origin, request, oldest=self.oldest)
            if kept is not None:
                self.remembered += 1
                return kept
        answer = await ask()
        self.read += 1
        if self.remembers:
            self.memory.keep(self.key, origin, request, answer)
        return answer


def _question(origin: bytes, request: bytes) -> bytes:
    """The digest of everything that determines the answer to a request. Raises WireError."""
    state, private, identity = (wire.part(request, number) for number in (_STATE, _PRIVATE, _IDENTITY))
    return _digest(origin, *_about(request), _canonical(state), private, _identity(identity))


def _question_after(origin: bytes, request: bytes, answer: bytes) -> bytes:
    """The digest of the question that Terraform asks once it has taken an answer into its state.

    Raises WireError for an answer that is not to be remembered.
    """
    if wire.has_error(answer, _DIAGNOSTICS) or wire.parts(answer, _DEFERRED):
        raise wire.WireError("the object was not read")
    state, private = wire.part(answer, _NEW_STATE), wire.part(answer, _NEW_PRIVATE)
    identity = wire.part(answer, _NEW_IDENTITY) or wire.part(request, _IDENTITY)
    return _digest(origin, *_about(request), _canonical(state), private, _identity(identity))


def _about(request: bytes) -> Iterator[bytes]:
    return (wire.part(request, number) for number in (_TYPE, _META, _CAPABILITIES))


def _identity(identity: bytes) -> bytes:
    return _canonical(wire.part(identity, _IDENTITY_DATA)) if identity else b""


def _canonical(dynamic: bytes) -> bytes:
    """The same bytes for equal values, in whatever order they were written. Raises WireError for none."""
    value = decoded(dynamic)
    if not value:
        raise wire.WireError("there is no object")
    try:
        packed: bytes = msgpack.packb(_ordered(value))
    except TypeError as error:
        raise wire.WireError("a value is not known") from error
    return packed


def _ordered(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _ordered(value[name]) for name in sorted(value, key=str)}
        case list():
            return [_ordered(inner) for inner in value]
        case _:
            return value


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()
