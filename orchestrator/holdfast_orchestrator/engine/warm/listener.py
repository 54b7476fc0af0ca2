"""A socket for one command and one provider, behind which every connection is known from the others.

grpc calls every client of a unix socket "unix:". So connections are accepted here, and each is piped to a
gRPC server of its own, on a socket of its own, whose calls then are that connection's.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path

import grpc

from holdfast_orchestrator.engine.warm.connection import Attachment, Connection
from holdfast_orchestrator.engine.warm.provider_process import UNLIMITED

_CHUNK = 1 << 18
_numbers = itertools.count()


class Door:
    """An attachment's socket; `path` is where Terraform connects."""

    def __init__(self, path: Path, attachment: Attachment, on_change: Callable[[], None]) -> None:
        self.path = path
        self.attachment = attachment
        self._on_change = on_change
        self._server: asyncio.Server | None = None
        self.closed = False

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._accept, self.path)

    async def close(self) -> None:
        """Accept no further connection; those that are open stay."""
        if self._server is not None:
            self._server.close()
            self.closed = True
            self.path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self.attachment)
        inner = self.path.with_name(f"c{next(_numbers)}")
        server = grpc.aio.server(options=UNLIMITED)
        server.add_generic_rpc_handlers((connection,))
        try:
            server.add_insecure_port(f"unix:{inner}")
            await server.start()
            inside = await asyncio.open_unix_connection(inner)
            inner.unlink(missing_ok=True)
            await _joined((reader, writer), inside)
        except (OSError, RuntimeError) as error:
            self.attachment.failed(error)
        finally:
            writer.close()
            await server.stop(None)
            await connection.release()
            self._on_change()


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _joined(outside: _Stream, inside: _Stream) -> None:
    """Pass bytes both ways until one side ends."""
    ways = (
        asyncio.create_task(_pipe(outside[0], inside[1])),
        asyncio.create_task(_pipe(inside[0], outside[1])),
    )
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        inside[1].close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
