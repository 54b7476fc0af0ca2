"""What runs on a Dask worker: `carry` in one of its threads, the rest in its event loop.

A worker keeps what the shards of a run share (runtime, warm providers, the signal to stop) until `end`, or
until it has had no shard of the run for IDLE_SECONDS, because the sender of `end` may have died. Environment,
credentials, cache folder and Terraform are the worker's own.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version as installed_version
from pathlib import Path

from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.context.tools import RealTools, Tools
from holdfast_orchestrator.context.warm_up import warmed_tools
from holdfast_orchestrator.deploy.cleanup import tidy_cache
from holdfast_orchestrator.deploy.outcome import ShardResult
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.deploy.workers import take_over
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.errors import HoldfastError, ToolchainError
from holdfast_orchestrator.events import Emitter, Event, Notice
from holdfast_orchestrator.executor.job import Job
from holdfast_orchestrator.executor.messages import error_text, event_text, job_of, result_text, version_of
from holdfast_orchestrator.inputs.variables import secret_variables
from holdfast_orchestrator.system.private_files import cache_folder_of, replace_file
from holdfast_orchestrator.system.runtime import Runtime, real_runtime
from holdfast_orchestrator.system.secret_places import secrets_in_configuration
from holdfast_orchestrator.system.stop import StopSignal, Urgency

IDLE_SECONDS = 300.0
"""How long a worker keeps what the shards of a run share, without a shard of the run."""


def topic_of(run: str) -> str:
    """Return the Dask topic for a run's events; each event is a text (`messages`)."""
    return f"holdfast-{run}"


def package_version() -> str:
    """Return the version of this package."""
    return installed_version("holdfast")


def carry(text: str) -> str:
    """Deploy the shard of a job, or complete what a dead worker had begun on it.

    Job and answer are texts of `messages`; an error is an answer too.
    """
    try:
        return result_text(_carried(_job(text)))
    except Exception as error:  # noqa: BLE001 - an exception would travel as a pickle
        return error_text(error)


def _job(text: str) -> Job:
    """Read a job. Raises ToolchainError if this worker has another version of the package."""
    if package_version() != (theirs := version_of(text)):
        raise ToolchainError(
            f"a worker has Holdfast {package_version()}, the run was begun with {theirs}",
            next_step="install the same version on every worker",
        )
    return job_of(text)


def _carried(job: Job) -> ShardResult:
    from distributed import get_worker  # noqa: PLC0415 - an extra

    worker, topic = get_worker(), topic_of(job.run)

    def tell(event: Event) -> None:
        worker.log_event(topic, event_text(event))

    with _POSTS.at_work(job, tell) as post:
        return post.carry(job, tell)


def stop(run: str, urgency: int) -> None:
    """Ask all present and later work of this worker for a run to stop."""
    _POSTS.stop(run, Urgency(urgency))


async def end(run: str) -> None:
    """Drop what was kept for a run, in a thread: providers may take seconds to end."""
    await asyncio.to_thread(_POSTS.end, run)


def ready() -> tuple[str, str | None]:
    """Return this worker's version of the package, and why it cannot deploy, if so."""
    runtime = real_runtime()
    try:
        _ = RealTools(runtime=runtime, project=runtime.cwd).engine
    except HoldfastError as error:
        return package_version(), str(error)
    return package_version(), None


@dataclass(eq=False, kw_only=True)
class _Post:
    """What the shards of one run share on this worker; `jobs` use it now, `closing` drops it later."""

    runtime: Runtime
    tools: Tools
    held: ExitStack
    stop: StopSignal = field(default_factory=StopSignal)
    jobs: int = 0
    closing: threading.Timer | None = None

    def carry(self, job: Job, tell: Callable[[Event], None]) -> ShardResult:
        redactor = self.runtime.redactor
        redactor.learn([*secrets_in_configuration(job.shard.configuration), *secret_variables(job.shard)])
        run = Run(
            id=job.run,
            manifest=job.manifest,
            tools=self.tools,
            runtime=self.runtime,
            redactor=redactor,
            emit=Emitter(self.runtime.clock, redactor, tell),
            stop=self.stop,
            label=lambda name: job.labels.get(name, name),
            project=job.project,
            is_named=job.is_named,
        )
        run_context = RunContext.of(self.runtime, job.policy, actor=job.actor, git=job.git)
        return take_over(job.shard, run, job.intent, run_context)


class _Posts:
    """The runs that this worker deploys shards of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._posts: dict[str, _Post] = {}
        self._asked: dict[str, Urgency] = {}

    @contextmanager
    def at_work(self, job: Job, tell: Callable[[Event], None]) -> Iterator[_Post]:
        """Yield the post of a job's run; it is closed some time after its last job."""
        with self._lock:
            if job.run not in self._posts:
                self._posts[job.run] = _manned(job, tell)
                self._ask(job.run)
            post = self._posts[job.run]
            post.jobs += 1
            _keep_open(post)
        try:
            yield post
        finally:
            with self._lock:
                post.jobs -= 1
                if not post.jobs and self._posts.get(job.run) is post:
                    post.closing = threading.Timer(IDLE_SECONDS, self._close_idle, (job.run, post))
                    post.closing.daemon = True
                    post.closing.start()

    def stop(self, run: str, urgency: Urgency) -> None:
        with self._lock:
            self._asked[run] = max(urgency, self._asked.get(run, Urgency.NONE))
            self._ask(run)

    def end(self, run: str) -> None:
        with self._lock:
            post = self._posts.pop(run, None)
            self._asked.pop(run, None)
            if post is not None:
                _keep_open(post)
        if post is not None:
            post.held.close()

    def _close_idle(self, run: str, post: _Post) -> None:
        with self._lock:
            # A job may have arrived, or the run may have ended, just before.
            if post.jobs or self._posts.get(run) is not post:
                return
            del self._posts[run]
        post.held.close()

    def _ask(self, run: str) -> None:
        post = self._posts.get(run)
        while post is not None and post.stop.urgency < self._asked.get(run, Urgency.NONE):
            post.stop.ask()


def _keep_open(post: _Post) -> None:
    if post.closing is not None:
        post.closing.cancel()
        post.closing = None


_POSTS = _Posts()


def _manned(job: Job, tell: Callable[[Event], None]) -> _Post:
    runtime = real_runtime()
    runtime.redactor.learn(list(job.project_settings.redact), named=True)
    tidy_cache(runtime.cache, runtime.clock.now())
    project = _project(runtime, job)
    # In this folder, Git and Terraform find nothing of the worker's own working folder.
    runtime = replace(runtime, cwd=project)
    tools = RealTools(
        runtime=runtime,
        project=project,
        engine_choice=job.project_settings.engine,
        parallelism=job.project_settings.parallelism,
        # Other workers change objects of the same run, which the gateway here does not see.
        full_verify=True,
    )
    held = ExitStack()
    if job.project_settings.cold_providers:
        return _Post(runtime=runtime, tools=tools, held=held)
    emit = Emitter(runtime.clock, runtime.redactor, tell)
    warm = warmed_tools(
        tools, environments=(job.shard.environment,), tell=lambda why: emit(Notice(message=why))
    )
    return _Post(runtime=runtime, tools=held.enter_context(warm), held=held)


def _project(runtime: Runtime, job: Job) -> Path:
    """Return a folder of this worker that replaces the project's, with its provider locks."""
    folder = cache_folder_of(runtime.cache, "crew", job.project_folder)
    if job.project_settings.lock_file is not None:
        replace_file(folder / lockfile.NAME, job.project_settings.lock_file.encode())
    return folder
