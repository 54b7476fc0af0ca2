"""What a worker does in Dask's event loop takes no time there."""

import asyncio
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from holdfast_orchestrator.executor import worker
from holdfast_orchestrator.stop import Urgency
from holdfast_orchestrator.testing import refusing_runtime
from holdfast_orchestrator.tools import RealTools


def test_the_event_loop_goes_on_while_a_run_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = refusing_runtime(environ={})
    held, went_on, seen = ExitStack(), threading.Event(), list[bool]()
    held.callback(lambda: seen.append(went_on.wait(5)))
    post = worker._Post(runtime=runtime, tools=RealTools(runtime=runtime, project=Path()), held=held)
    posts = worker._Posts()
    monkeypatch.setattr(posts, "_posts", {"R1": post})
    monkeypatch.setattr(worker, "_POSTS", posts)

    async def work() -> None:
        ending = asyncio.create_task(worker.end("R1"))
        await asyncio.sleep(0)
        went_on.set()
        await ending

    asyncio.run(work())

    assert seen == [True]


def test_an_urgent_demand_to_stop_is_not_forgotten_for_a_late_one_that_is_less_urgent() -> None:
    runtime = refusing_runtime(environ={})
    tools = RealTools(runtime=runtime, project=Path())
    posts, post = worker._Posts(), worker._Post(runtime=runtime, tools=tools, held=ExitStack())

    posts.stop("R1", Urgency.INTERRUPT)
    posts.stop("R1", Urgency.FINISH)
    posts._posts["R1"] = post
    posts._ask("R1")

    assert post.stop.urgency is Urgency.INTERRUPT
