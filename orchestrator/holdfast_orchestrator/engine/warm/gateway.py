"""The gateway process: doors for commands, pools of providers, and an orchestrator that may vanish.

It is asked over `control` in its folder, one JSON line there and one back a connection:

    {"do": "hold"}                                    stays open as long as the orchestrator lives
    {"do": "warm", "spec": …}                         start a process, without waiting for it
    {"do": "attach", "spec": …, "kept": […],          a door                    -> number, reattach
     "watch": {"plans": …, "applies": …, …},          what to watch of its creates
     "reads": {"key": …, "recalls": …, …}}            what to do with its reads
    {"do": "detach", "number": 7}                     it has ended    -> trouble, watched, reads, applied
    {"do": "close"}                                   no more commands: end when the last connection has
    {"do": "stats"}                                   who runs

An orchestrator that is killed leaves its Terraform at work, and that needs the gateway: it goes on until no
connection has been there for LINGER_SECONDS.
"""

import asyncio
import contextlib
import itertools
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from holdfast_orchestrator.engine.warm.connection import Attachment
from holdfast_orchestrator.engine.warm.folders import CONTROL
from holdfast_orchestrator.engine.warm.listener import Door
from holdfast_orchestrator.engine.warm.looks import Looks
from holdfast_orchestrator.engine.warm.pool import Pool
from holdfast_orchestrator.engine.warm.process_spec import Spec
from holdfast_orchestrator.engine.warm.provider_process import ProviderProcess, StartError, start
from holdfast_orchestrator.engine.warm.reads import ReadMemory, ReadUse
from holdfast_orchestrator.engine.warm.reaper import Bounds, superfluous
from holdfast_orchestrator.engine.warm.schemas import KeptSchema
from holdfast_orchestrator.engine.warm.watch import Watch
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.terraform.ownership import Holdings

LINE_LIMIT = 1 << 26
LINGER_SECONDS = 120.0

_LOOK_SECONDS = 1.0


class Gateway:
    """Everything the process knows; one thread."""

    def __init__(self, folder: Path, cache: Path, bounds: Bounds) -> None:
        self._folder = folder
        self._cache = cache
        self._bounds = bounds
        self._numbers = itertools.count()
        self._pools: dict[str, Pool] = {}
        self._schemas: dict[str, KeptSchema] = {}
        self._doors: dict[int, Door] = {}
        self._holds = 0
        self._closing = False
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looks = Looks()
        self._memory = ReadMemory(time.monotonic)

    async def serve(self) -> None:
        """Work until nobody needs it any more."""
        path = self._folder / CONTROL
        server = await asyncio.start_unix_server(self._control, path, limit=LINE_LIMIT)
        await self._until_unneeded()
        server.close()
        for pool in self._pools.values():
            await asyncio.gather(*(process.end() for process in pool.processes))

    async def _until_unneeded(self) -> None:
        loop = asyncio.get_running_loop()
        needed = loop.time()
        while not (self._closing and not self._connections) and loop.time() - needed < LINGER_SECONDS:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._changed.wait()
            await self._reap(loop.time())
            if self._holds or self._connections:
                needed = loop.time()

    @property
    def _connections(self) -> int:
        return sum(len(door.attachment.connections) for door in self._doors.values())

    async def _reap(self, now: float) -> None:
        pools = self._pools.values()
        every = [process for pool in pools for process in pool.processes]
        for process in every:
            process.idle_since = process.idle_since if process.is_idle else now
        ending = superfluous(every, self._bounds, now)
        for pool in pools:
            pool.processes[:] = [process for process in pool.processes if process not in ending]
        await asyncio.gather(*(process.end() for process in ending))
        for number, door in list(self._doors.items()):
            if door.closed and not door.attachment.connections:
                del self._doors[number]

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(json.loads(line), reader)).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _answer(self, asked: Mapping[str, Any], reader: asyncio.StreamReader) -> dict[str, Any]:
        match asked["do"]:
            case "hold":
                await self._hold(reader)
            case "warm":
                self._later(self._pool(Spec.of(asked["spec"])))
            case "attach":
                return await self._attach(Spec.of(asked["spec"]), asked)
            case "detach":
                return await self._detach(asked["number"])
            case "close":
                self._closing = True
                self._changed.set()
            case "stats":
                return {"pid": os.getpid(), "pools": [_stats(pool) for pool in self._pools.values()]}
        return {}

    async def _hold(self, reader: asyncio.StreamReader) -> None:
        self._holds += 1
        try:
            await reader.read()
        finally:
            self._holds -= 1

    async def _attach(self, spec: Spec, asked: Mapping[str, Any]) -> dict[str, Any]:
        schema, pool = self._schema(spec), self._pool(spec)
        try:
            if schema.version is None:
                async with pool.any() as process:
                    schema.version = process.version
        except StartError as error:
            return {"error": str(error)}
        number = next(self._numbers)
        attachment = Attachment(
            pool=pool,
            schema=schema,
            kept=frozenset(asked["kept"]),
            memory=self._memory,
            watch=self._watch(spec, asked.get("watch")),
            reads=self._reads(spec, asked.get("reads")),
        )
        door = Door(self._folder / f"d{number}", attachment, self._changed.set)
        await door.open()
        self._doors[number] = door
        return {"number": number, "reattach": _reattach(schema.version, door.path)}

    async def _detach(self, number: int) -> dict[str, Any]:
        door = self._doors[number]
        await door.close()
        watch = door.attachment.watch
        watched = None if watch is None else await watch.results()
        reads = door.attachment.reads
        return {
            "trouble": door.attachment.trouble,
            "watched": watched,
            "reads": None if reads is None else asdict(reads.end()),
            "applied": door.attachment.applied,
        }

    def _reads(self, spec: Spec, asked: Mapping[str, Any] | None) -> ReadUse | None:
        """What a read depends on is known of the AWS provider alone."""
        return None if asked is None or not spec.known else ReadUse.of(self._memory, spec.key, asked)

    def _watch(self, spec: Spec, asked: Mapping[str, Any] | None) -> Watch | None:
        """What is known of creates is known of the AWS provider's alone."""
        if asked is None or not spec.known:
            return None
        return Watch(
            looks=self._looks,
            plans=asked["plans"],
            applies=asked["applies"],
            holdings=Holdings.of(asked["holdings"]),
            tags=asked["tags"],
        )

    def _schema(self, spec: Spec) -> KeptSchema:
        if spec.checksum not in self._schemas:
            self._schemas[spec.checksum] = KeptSchema(self._cache, spec.checksum)
        return self._schemas[spec.checksum]

    def _pool(self, spec: Spec) -> Pool:
        if spec.key not in self._pools:
            self._pools[spec.key] = Pool(partial(self._start, spec), known=spec.known)
        return self._pools[spec.key]

    async def _start(self, spec: Spec) -> ProviderProcess:
        process = await start(spec, self._folder / f"p{next(self._numbers)}", SystemProcesses())
        process.idle_since = asyncio.get_running_loop().time()
        return process

    def _later(self, pool: Pool) -> None:
        async def warm() -> None:
            try:
                await pool.warm()
            except StartError:
                return  # the next call that needs it gets the error

        task = asyncio.create_task(warm())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _reattach(version: int, path: Path) -> dict[str, Any]:
    address = {"Network": "unix", "String": str(path)}
    return {"Protocol": "grpc", "ProtocolVersion": version, "Pid": os.getpid(), "Test": True, "Addr": address}


def _stats(pool: Pool) -> list[dict[str, Any]]:
    return [
        {"pid": each.pid, "lives": each.lives, "users": len(each.users), "claimed": each.claim is not None}
        for each in pool.processes
    ]
