"""The gateway's own life: it stays while somebody needs it, and ends by itself."""

import asyncio
import json
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.warm import gateway
from holdfast_orchestrator.engine.warm.folders import CONTROL
from holdfast_orchestrator.engine.warm.gateway import Gateway
from holdfast_orchestrator.engine.warm.reaper import Bounds

pytestmark = pytest.mark.timeout(60)


def serve(folder: Path) -> Gateway:
    return Gateway(folder, folder / "cache", Bounds(1))


async def say(folder: Path, what: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while not (folder / CONTROL).exists():  # noqa: ASYNC110 - the file is made by nobody who knows us
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_unix_connection(folder / CONTROL)
    writer.write(json.dumps({"do": what}).encode() + b"\n")
    await writer.drain()
    return reader, writer


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LINGER_SECONDS", 0.3)
    monkeypatch.setattr(gateway, "_LOOK_SECONDS", 0.05)


def test_it_ends_by_itself_when_nobody_is_there(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(serve(tmp_path).serve(), 30))


def test_it_stays_as_long_as_an_orchestrator_holds_it_and_ends_after_that(tmp_path: Path) -> None:
    async def work() -> None:
        serving = asyncio.create_task(serve(tmp_path).serve())
        _, hold = await say(tmp_path, "hold")
        await asyncio.sleep(1)
        assert not serving.done()
        hold.close()
        await asyncio.wait_for(serving, 30)

    asyncio.run(work())


def test_it_ends_at_once_when_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LINGER_SECONDS", 1000.0)

    async def work() -> None:
        serving = asyncio.create_task(serve(tmp_path).serve())
        _, hold = await say(tmp_path, "hold")
        reader, writer = await say(tmp_path, "close")
        assert await reader.readline() == b"{}\n"
        await asyncio.wait_for(serving, 30)
        hold.close()
        writer.close()

    asyncio.run(work())
