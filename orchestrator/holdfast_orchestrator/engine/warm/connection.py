"""One connection of one Terraform command: its calls, and the process it is bound to.

Terraform opens one for each provider instance (each alias), configures it once and then works with it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc

from holdfast_orchestrator.engine.warm import protobuf_wire as wire
from holdfast_orchestrator.engine.warm.looks import Asking
from holdfast_orchestrator.engine.warm.pool import Pool
from holdfast_orchestrator.engine.warm.protocol import (
    APPLY,
    CONFIGURE,
    FUNCTION,
    IDENTITIES,
    PLAN,
    PURE,
    READ,
    SCHEMA,
    STATELESS,
    STOP,
    STOP_CALLS,
    UNARY,
    UNCONFIGURED,
    Call,
    kept_maps,
)
from holdfast_orchestrator.engine.warm.provider_process import Metadata, ProviderProcess, StartError
from holdfast_orchestrator.engine.warm.reads import ReadMemory, ReadUse
from holdfast_orchestrator.engine.warm.schemas import KeptSchema
from holdfast_orchestrator.engine.warm.watch import Watch

Requests = AsyncIterator[bytes]
Answers = AsyncIterator[bytes]

_EMPTY = b""
_SERVING = b"\x08\x01"
_OWN_METADATA = ("grpc-", ":", "user-agent", "content-type", "te")


class RefusedError(Exception):
    """A call that must not reach any process as things are."""


@dataclass(eq=False, kw_only=True)
class Attachment:
    """What one command was lent: one provider, as far as the command's shard needs it.

    `trouble` is what went wrong on our side while the command ran. `watch` guards its creates. `reads` is
    what it does with the `memory` of reads; `applied` counts the objects it changed.
    """

    pool: Pool
    schema: KeptSchema
    kept: frozenset[str]
    memory: ReadMemory
    watch: Watch | None = None
    reads: ReadUse | None = None
    applied: int = 0
    trouble: str = ""
    connections: set["Connection"] = field(default_factory=set)

    def failed(self, trouble: object) -> None:
        """Remember what went wrong first."""
        self.trouble = self.trouble or str(trouble)


class Connection:
    """The handler of one connection's calls (what grpc calls a generic RPC handler)."""

    def __init__(self, attachment: Attachment) -> None:
        self._attachment = attachment
        self._process: ProviderProcess | None = None
        self._released = False
        self.stopping = False
        attachment.connections.add(self)

    def service(self, details: Any) -> Any:
        """Return what answers a call; None where nobody does (UNIMPLEMENTED)."""
        call = Call(details.method)
        if call.is_provider and call.name in UNARY:
            return grpc.unary_unary_rpc_method_handler(partial(self._unary, call))
        handler = partial(self._streamed, call) if call.is_provider else _OF_PLUGIN.get(call.path)
        return None if handler is None else grpc.stream_stream_rpc_method_handler(handler)

    async def release(self) -> None:
        """Let go of the process: the connection has ended."""
        self._released = True
        self._attachment.connections.discard(self)
        if (process := self._process) is not None:
            self._process = None
            process.users.discard(self)
            with suppress(grpc.RpcError):
                await _stop_if_all_ask(process)

    async def _unary(self, call: Call, request: bytes, context: Any) -> bytes:
        async with self._failures(call, context):
            return await self._answer(call, request, _passed_on(context.invocation_metadata()))
        raise AssertionError("a call that failed was aborted")

    async def _streamed(self, call: Call, requests: Requests, context: Any) -> Answers:
        async with self._failures(call, context), self._lent(call) as process:
            async for answer in process.stream(call, requests, _passed_on(context.invocation_metadata())):
                yield answer

    @asynccontextmanager
    async def _failures(self, call: Call, context: Any) -> AsyncIterator[None]:
        """Give Terraform what went wrong as a status, and remember what was not the provider's answer."""
        try:
            yield
        except (StartError, RefusedError, wire.WireError) as error:
            self._attachment.failed(error)
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except grpc.RpcError as error:
            if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL}:
                self._attachment.failed(f"the provider broke off {call.name}: {error.details()}")
            await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))

    async def _answer(self, call: Call, request: bytes, metadata: Metadata) -> bytes:
        if call.name in SCHEMA:
            return await self._schema(call, request, metadata)
        if call.name in CONFIGURE:
            return await self._configure(call, request, metadata)
        if call.name in STOP:
            return await self._stop()
        ask = partial(self._ask, call, request, metadata)
        if call.name in PURE and self._attachment.pool.known:
            return await self._attachment.pool.pure(call, request, ask)
        return await ask()

    async def _ask(self, call: Call, request: bytes, metadata: Metadata) -> bytes:
        ask = partial(self._pass, call, request, metadata)
        reads, process = self._attachment.reads, self._process
        if call.name == READ and reads is not None and process is not None:
            return await reads.answer(process.claim or b"", request, ask)
        if call.name == APPLY:
            return await self._applied(request, ask)
        return await ask()

    async def _applied(self, request: bytes, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """Let an object be changed, and note what it was before, was to be, and is now."""
        self._attachment.applied += 1
        self._attachment.memory.changing(request)
        answer = await ask()
        self._attachment.memory.changing(request, answer)
        return answer

    async def _pass(self, call: Call, request: bytes, metadata: Metadata) -> bytes:
        watch, process = self._attachment.watch, self._process
        if watch is not None and process is not None and call.name in (PLAN, APPLY):
            asking = Asking(process=process, call=call, metadata=metadata, schema=self._attachment.schema)
            way = _watched_plan if call.name == PLAN else _watched_apply
            return await way(watch, asking, request)
        async with self._lent(call) as process:
            answer = await process.ask(call, request, metadata)
        maps = kept_maps(call, self._attachment.kept) if call.name in IDENTITIES else {}
        return wire.pruned(answer, maps) if maps else answer

    async def _schema(self, call: Call, request: bytes, metadata: Metadata) -> bytes:
        kept = self._attachment.schema
        whole = kept.answer
        if whole is None:
            async with self._attachment.pool.any() as process:
                whole = await process.ask(call, request, metadata)
            kept.keep(whole)
        return kept.pruned(whole, kept_maps(call, self._attachment.kept))

    async def _configure(self, call: Call, request: bytes, metadata: Metadata) -> bytes:
        if self._process is not None:
            raise RefusedError("a connection configures its provider once")
        try:
            process, answer = await self._attachment.pool.configured(call, request, metadata, self)
        except BaseException:
            self._leave_all()
            raise
        self._process = process
        if self._released:
            self._leave_all()
        return answer

    def _leave_all(self) -> None:
        for process in self._attachment.pool.processes:
            process.users.discard(self)

    async def _stop(self) -> bytes:
        # Other commands may be at work in the same process: it gets the stop when all of them ask.
        self.stopping = True
        if self._process is not None:
            await _stop_if_all_ask(self._process)
        return _EMPTY

    def _lent(self, call: Call) -> AbstractAsyncContextManager[ProviderProcess]:
        if self._process is not None:
            return nullcontext(self._process)
        pool = self._attachment.pool
        if call.name in STATELESS or call.name in IDENTITIES or (pool.known and call.name in FUNCTION):
            return pool.any()
        if call.name in UNCONFIGURED or call.name in FUNCTION:
            return pool.unconfigured()
        raise RefusedError(f"{call.name} before the provider was configured")


async def _watched_plan(watch: Watch, asking: Asking, request: bytes) -> bytes:
    answer = await asking.process.ask(asking.call, request, asking.metadata)
    watch.planned(asking, request, answer)
    return answer


async def _watched_apply(watch: Watch, asking: Asking, request: bytes) -> bytes:
    async with watch.creating(asking, request) as refusal:
        answer = refusal or await asking.process.ask(asking.call, request, asking.metadata)
        await watch.applied(asking, request, answer)
    return answer


async def _stop_if_all_ask(process: ProviderProcess) -> None:
    users = [user for user in process.users if isinstance(user, Connection)]
    if users and not process.spent and all(user.stopping for user in users):
        process.spent = True
        await process.ask(STOP_CALLS[process.version], _EMPTY)


def _passed_on(metadata: Any) -> Metadata:
    return tuple((name, value) for name, value in metadata or () if not name.startswith(_OWN_METADATA))


async def _held(requests: Requests, _context: Any) -> Answers:
    """A stream that go-plugin opens and no provider uses: it stays open, without a thread for it."""
    async for _ in requests:
        yield _EMPTY


def _says(answer: bytes) -> Callable[[Requests, Any], Answers]:
    async def answering(_requests: Requests, _context: Any) -> Answers:
        yield answer

    return answering


# go-plugin's own services are answered here: they are about a process, which is not the command's to end.
_OF_PLUGIN: dict[str, Callable[[Requests, Any], Answers]] = {
    "/plugin.GRPCBroker/StartStream": _held,
    "/plugin.GRPCController/Shutdown": _says(_EMPTY),
    "/grpc.health.v1.Health/Check": _says(_SERVING),
}
