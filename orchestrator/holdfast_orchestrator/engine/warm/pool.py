"""The processes of one spec, and who gets which.

A process is configured once in its life. A connection that configures gets a process that has exactly the
same configuration, byte for byte, or one that has none yet; nobody else ever gets there. What a process
once answered to its configuration is the answer to the next one with the same bytes; and so it is with the
question before that, whether a configuration is valid.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from holdfast_orchestrator.engine.warm import protobuf_wire as wire
from holdfast_orchestrator.engine.warm.protocol import (
    CONFIGURE_CAPABILITIES,
    CONFIGURE_DIAGNOSTICS,
    PURE,
    Call,
)
from holdfast_orchestrator.engine.warm.provider_process import Metadata, ProviderProcess

# Of 400 objects in a state Terraform asks about 800 such questions; an answer is some kilobytes.
_KEPT_ANSWERS = 4096

Starter = Callable[[], Awaitable[ProviderProcess]]


class Pool:
    """The processes of one spec; lives in the gateway's one thread."""

    def __init__(self, start: Starter, *, known: bool = False) -> None:
        self.processes: list[ProviderProcess] = []
        self.known = known
        self._start = start
        self._lock = asyncio.Lock()
        self._pure: dict[tuple[str, bytes], asyncio.Task[bytes]] = {}

    async def configured(
        self, call: Call, request: bytes, metadata: Metadata, user: object
    ) -> tuple[ProviderProcess, bytes]:
        """Bind `user` to a process with this configuration; return it and its answer.

        Raises StartError, grpc.RpcError.
        """
        claimed = wire.without(request, CONFIGURE_CAPABILITIES) if self.known else request
        claim = hashlib.sha256(claimed).digest()
        process = self._same(claim)
        if process is None:
            async with self._lock:
                process = self._same(claim) or await self._free()
                process.users.add(user)
                if process.claim is None:
                    process.claim = claim
                    process.answer = asyncio.create_task(process.ask(call, request, metadata))
        process.users.add(user)
        if process.answer is None:
            raise AssertionError("a process with a claim has been asked")
        try:
            answer = await asyncio.shield(process.answer)
            process.spent |= wire.has_error(answer, CONFIGURE_DIAGNOSTICS)
        except BaseException:
            process.spent = process.spent or process.answer.done()
            raise
        return process, answer

    async def pure(self, call: Call, request: bytes, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the answer to a call of `protocol.PURE`; `ask` is awaited where none is kept.

        The AWS provider builds all its schemas for each PREPARE (80 ms of CPU measured), and Terraform
        validates and upgrades every object again in every command. An answer with an error is not kept.
        Raises StartError, grpc.RpcError.
        """
        question = (call.path, hashlib.sha256(request).digest())
        task = self._pure.get(question)
        if task is None:
            task = self._pure[question] = asyncio.ensure_future(ask())
            if len(self._pure) > _KEPT_ANSWERS:
                del self._pure[next(iter(self._pure))]
        try:
            answer = await asyncio.shield(task)
        except BaseException:
            if task.done():
                self._pure.pop(question, None)
            raise
        if wire.has_error(answer, PURE[call.name]):
            self._pure.pop(question, None)
        return answer

    @asynccontextmanager
    async def any(self) -> AsyncIterator[ProviderProcess]:
        """Lend a process for a call that is answered alike by all. Raises StartError."""
        usable = [process for process in self._living() if not process.spent]
        # One without a configuration comes first.
        process = min(usable, key=lambda process: process.claim is not None, default=None)
        if process is None:
            async with self.unconfigured() as fresh:
                yield fresh
        else:
            with _using(process):
                yield process

    @asynccontextmanager
    async def unconfigured(self) -> AsyncIterator[ProviderProcess]:
        """Lend a process that has no configuration, and gets none meanwhile. Raises StartError."""
        async with self._lock:
            process = await self._free(lent=True)
            process.borrowed += 1
        try:
            yield process
        finally:
            process.borrowed -= 1

    async def warm(self) -> None:
        """See that one process runs."""
        async with self._lock:
            if not self._living():
                await self._started()

    def _same(self, claim: bytes) -> ProviderProcess | None:
        same = (each for each in self._living() if each.claim == claim and not each.spent)
        return next(same, None)

    async def _free(self, *, lent: bool = False) -> ProviderProcess:
        free = (each for each in self._living() if each.claim is None and not each.spent)
        return next((each for each in free if lent or not each.borrowed), None) or await self._started()

    async def _started(self) -> ProviderProcess:
        process = await self._start()
        self.processes.append(process)
        return process

    def _living(self) -> list[ProviderProcess]:
        return [process for process in self.processes if process.lives]


@contextlib.contextmanager
def _using(process: ProviderProcess) -> Iterator[None]:
    marker = object()
    process.users.add(marker)
    try:
        yield
    finally:
        process.users.discard(marker)
