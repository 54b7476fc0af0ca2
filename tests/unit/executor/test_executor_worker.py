"""What a worker keeps for a run, and that letting go of it takes no time in Dask's event loop."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from holdfast_orchestrator.context.tools import RealTools
from holdfast_orchestrator.executor import dask_worker as worker
from holdfast_orchestrator.system.stop import Urgency
from holdfast_orchestrator.testing import refusing_runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.executor.job import Job


class Posts(worker._Posts):
    """Posts that hold nothing; which were opened, and which of them were closed."""

    def __init__(self) -> None:
        super().__init__()
        self.opened, self.closed, self.one_closed = list[worker._Post](), list[worker._Post](), Event()

    def manned(self) -> worker._Post:
        post = an_empty_post()
        post.held.callback(self.one_closed.set)
        post.held.callback(self.closed.append, post)
        self.opened.append(post)
        return post

    def job(self) -> AbstractContextManager[worker._Post]:
        return self.at_work(cast("Job", SimpleNamespace(run="R1")), lambda _: None)


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Posts]:
    posts = Posts()
    monkeypatch.setattr(worker, "_manned", lambda *_: posts.manned())
    yield posts
    posts.end("R1")


def an_empty_post() -> worker._Post:
    runtime = refusing_runtime(environ={})
    return worker._Post(runtime=runtime, tools=RealTools(runtime=runtime, project=Path()), held=ExitStack())


def test_what_was_kept_for_a_run_whose_end_never_comes_is_let_go_of(
    posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.01)

    with posts.job():
        pass

    assert posts.one_closed.wait(5)
    assert posts.closed == posts.opened


def test_a_later_shard_of_the_run_finds_a_post_that_still_knows_it_is_to_stop(posts: Posts) -> None:
    with posts.job() as first:
        posts.stop("R1", Urgency.FINISH)
    posts._close_idle("R1", first)

    with posts.job() as second:
        assert second is not first
        assert second.stop.urgency is Urgency.FINISH
    assert posts.closed == [first]


def test_a_shard_that_comes_just_as_the_time_is_up_keeps_the_post(posts: Posts) -> None:
    with posts.job() as first:
        pass

    with posts.job() as second:
        posts._close_idle("R1", first)
        assert second is first
        assert posts.closed == []
        assert first.closing is None


def test_the_time_begins_with_the_end_of_the_last_of_several_shards(posts: Posts) -> None:
    with posts.job() as post:
        with posts.job():
            pass
        assert post.closing is None
    assert post.closing is not None
    assert post.closing.interval == worker.IDLE_SECONDS


def test_a_run_that_ends_is_let_go_of_once(posts: Posts) -> None:
    with posts.job() as post, posts.job():
        pass
    timer = post.closing
    assert timer is not None

    posts.end("R1")
    timer.join(5)
    posts._close_idle("R1", post)

    assert not timer.is_alive()
    assert posts.closed == [post]


def test_a_shard_that_outlives_its_run_leaves_nothing_behind(posts: Posts) -> None:
    with posts.job() as post:
        posts.end("R1")

    assert post.closing is None
    assert posts._posts == {}


def test_the_event_loop_goes_on_while_a_run_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    post, went_on, seen = an_empty_post(), Event(), list[bool]()
    post.held.callback(lambda: seen.append(went_on.wait(5)))
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
    posts, post = worker._Posts(), an_empty_post()

    posts.stop("R1", Urgency.INTERRUPT)
    posts.stop("R1", Urgency.FINISH)
    posts._posts["R1"] = post
    posts._ask("R1")

    assert post.stop.urgency is Urgency.INTERRUPT
