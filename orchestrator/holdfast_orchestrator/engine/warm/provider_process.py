"""One running provider: started with `-debug`, reached over its socket, ended with the gateway.

The provider is the child of a shell that waits at a named pipe whose other end the gateway holds. However
the gateway ends, and be it by SIGKILL, that end closes and the shell kills the provider.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from holdfast_orchestrator.engine.warm.process_spec import Spec
from holdfast_orchestrator.engine.warm.protocol import Call
from holdfast_orchestrator.engine.warm.voice import Voice, silenced
from holdfast_orchestrator.system.process import Command, Processes

Metadata = tuple[tuple[str, str | bytes], ...]

START_SECONDS = 30.0
UNLIMITED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))

_LOOK_SECONDS = 0.02
_GRACE_SECONDS = 2.0
_LAST_WORDS = 500
_HAS_ENDED = "holdfast: the provider has ended"
_KEEPER = (
    f'trap "" TERM; exec 9<"$1"; shift; {{ "$@" 9<&-; echo "{_HAS_ENDED}"; }} & read -r _ <&9; kill -KILL -$$'
)


class StartError(Exception):
    """A provider that did not come up."""


@dataclass(eq=False, kw_only=True)
class ProviderProcess:
    """A process and what is known of it.

    `claim` is the configuration it has, or will have in a moment; `answer` is its answer to that. A
    `spent` one gets no new user. `users` are the connections bound to it, `borrowed` counts calls of
    others that need it without configuration. `place` is the account and region it works in, once asked.
    """

    pid: int
    birth: str
    version: int
    keeper: int
    leash: int
    voice: Voice
    channel: Any
    processes: Processes
    claim: bytes | None = None
    answer: "asyncio.Task[bytes] | None" = None
    spent: bool = False
    borrowed: int = 0
    idle_since: float = 0.0
    place: "asyncio.Task[Any] | None" = None
    users: set[object] = field(default_factory=set)
    calls: dict[str, Any] = field(default_factory=dict)

    @property
    def lives(self) -> bool:
        """Whether it still runs."""
        return self.leash >= 0 and self.processes.birth(self.pid) == self.birth

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses it."""
        return not self.users and not self.borrowed

    def stream(self, call: Call, requests: AsyncIterator[bytes], metadata: Metadata = ()) -> Any:
        """Start a call of raw bytes with streams both ways."""
        return self.channel.stream_stream(call.path)(requests, metadata=metadata)

    async def ask(self, call: Call, request: bytes, metadata: Metadata = ()) -> bytes:
        """Call with one request and return the one answer. Raises grpc.RpcError."""
        if call.path not in self.calls:
            self.calls[call.path] = self.channel.unary_unary(call.path)
        answer: bytes = await self.calls[call.path](request, metadata=metadata)
        return answer

    async def end(self) -> None:
        """Let it go: its keeper kills it."""
        if self.leash >= 0:
            os.close(self.leash)
            self.leash = -1
        await self.channel.close(None)
        await asyncio.to_thread(self.processes.terminate, self.keeper, grace=_GRACE_SECONDS)
        self.voice.close()


async def start(spec: Spec, place: Path, processes: Processes) -> ProviderProcess:
    """Start a provider; what it needs and leaves lies in `place.*`. Raises StartError."""
    pipe, voice = place.with_suffix(".pipe"), Voice()
    leash = keeper = -1
    command = Command(
        argv=("/bin/sh", "-c", _KEEPER, "sh", str(pipe), str(spec.binary), "-debug"),
        cwd=spec.folder,
        environ={**silenced(spec.environ, spec.binary), "PLUGIN_UNIX_SOCKET_DIR": str(place.parent)},
    )
    try:
        os.mkfifo(pipe, 0o600)
        leash = os.open(pipe, os.O_RDWR | os.O_CLOEXEC)
        keeper = processes.start_detached(command, log=voice.writing)
        voice.started()
        address = await _reattach(voice, keeper, processes)
        voice.forget()
        pid = int(address["Pid"])
        return ProviderProcess(
            pid=pid,
            birth=processes.birth(pid) or "",
            version=int(address["ProtocolVersion"]),
            keeper=keeper,
            leash=leash,
            voice=voice,
            channel=grpc.aio.insecure_channel(f"unix:{address['Addr']['String']}", options=UNLIMITED),
            processes=processes,
        )
    except BaseException as error:
        voice.close()
        if leash >= 0:
            os.close(leash)
        if keeper >= 0:
            await asyncio.to_thread(processes.terminate, keeper, grace=_GRACE_SECONDS)
        if isinstance(error, OSError):
            raise StartError(f"this machine could not start the provider: {error}") from error
        raise
    finally:
        pipe.unlink(missing_ok=True)


async def _reattach(voice: Voice, keeper: int, processes: Processes) -> Mapping[str, Any]:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while processes.birth(keeper) is not None:
                if voice.reattach:
                    return _checked(next(iter(json.loads(voice.reattach).values())))
                if _HAS_ENDED in voice.text:
                    break
                await asyncio.sleep(_LOOK_SECONDS)
    last = voice.text.strip().splitlines()[-2:]
    why = " ".join(last)[-_LAST_WORDS:] or "it said nothing"
    raise StartError(f"the provider did not start: {why}")


def _checked(address: Mapping[str, Any]) -> Mapping[str, Any]:
    if address["Protocol"] != "grpc" or address["Addr"]["Network"] != "unix":
        raise StartError(f"the provider speaks {address['Protocol']} over {address['Addr']['Network']}")
    return address
