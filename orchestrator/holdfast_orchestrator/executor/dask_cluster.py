"""The workers of a Dask cluster, seen from the machine that deploys.

    with joined(Cluster(address="tls://scheduler:8786", …), project) as crew:
        carry_out(order, run, crew)

Each thread of the walk hands its shard to the cluster and waits. Meanwhile it emits the workers' events, and
passes a request to stop on to them. If the cluster fails to deploy a shard (its workers died, no worker is
left, or the scheduler does not answer), the thread deploys the shard itself.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import ShardResult
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.deploy.shard.result import ResultBuilder
from holdfast_orchestrator.deploy.workers import take_over
from holdfast_orchestrator.errors import HoldfastError, ToolchainError, UsageError
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.executor import dask_worker as worker
from holdfast_orchestrator.executor.address import Cluster, refuse_open
from holdfast_orchestrator.executor.job import Job, Neighbours, ProjectSettings
from holdfast_orchestrator.executor.messages import MessageError, event_of, job_text, result_of
from holdfast_orchestrator.executor.unpickling import plain_values_only
from holdfast_orchestrator.inputs.kept import hand_over
from holdfast_orchestrator.system.stop import Urgency

_CONNECT_SECONDS = 10
_LOOK_SECONDS = 0.5
_TELL_SECONDS = 10
_COUNT_SECONDS = 2.0
_INSTALL = "install the same holdfast there"
DESERTED_SECONDS = 60.0
"""How long a cluster may have no worker before this machine takes over its shards."""


class NoWorkersError(OSError):
    """No worker is left; the scheduler would wait for new workers for ever."""


class ForeignAnswerError(OSError):
    """The cluster answered something that no worker of Holdfast answers."""


@contextmanager
def joined(cluster: Cluster, project_settings: ProjectSettings) -> Iterator["DaskCrew"]:
    """Connect to a cluster; yields its workers.

    Raises ToolchainError if Dask is not installed, UsageError if no scheduler answers or anyone could use
    the cluster, and HoldfastError if it has no workers or a worker cannot deploy.
    """
    cluster.check()
    address = cluster.address
    try:
        distributed: Any = import_module("distributed")  # an extra, and most of a second
    except ImportError:
        raise ToolchainError(
            "--executor needs the package `distributed`", next_step="pip install 'holdfast[dask]'"
        ) from None
    with plain_values_only():
        client = _connected(distributed, cluster)
        # Dask logs each lost connection; one notice of Holdfast is enough.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            refuse_open(cluster, listening=str(client.scheduler_info()["address"]))
            _refuse_unready(client.run(worker.ready, on_error="return"), address)
            yield DaskCrew(client, project_settings)
        finally:
            with suppress(Exception):
                client.close(timeout=_TELL_SECONDS)


def _connected(distributed: Any, cluster: Cluster) -> Any:
    address = cluster.address
    try:
        return distributed.Client(
            address,
            timeout=_CONNECT_SECONDS,
            set_as_default=False,
            security=cluster.security(distributed),
        )
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address}: {error}",
            next_step="start one (`dask scheduler`), and give its address, such as tls://10.0.0.5:8786",
        ) from None


def _refuse_unready(answers: dict[str, object], address: str) -> None:
    if not answers:
        raise HoldfastError(
            f"the cluster at {address} has no workers", next_step=f"start some: dask worker {address}"
        )
    problems = {
        name: problem for name, answer in answers.items() if (problem := _problem(answer)) is not None
    }
    if problems:
        listed = "; ".join(f"{name}{problem}" for name, problem in sorted(problems.items()))
        unable = any(isinstance(answers[name], Exception) for name in problems)
        raise HoldfastError(
            f"{len(problems)} of {len(answers)} workers cannot deploy: {listed}",
            next_step=f"{_INSTALL if unable else 'correct them'}, or take them out of the cluster",
        )


def _problem(answer: object) -> str | None:
    """Return why a worker cannot deploy, as text after its name; None if it can."""
    if isinstance(answer, Exception):
        # An error that was raised before our code ran arrives as the text of a plain exception.
        kind = "" if type(answer) is Exception else f" {type(answer).__name__}:"
        return f":{kind} {answer}"
    match answer:
        case (str(version), (str() | None) as problem):
            pass
        case _:
            return " answers what no worker of Holdfast does"
    if version != (ours := worker.package_version()):
        return f" has Holdfast {version}, not {ours}"
    return None if problem is None else f": {problem}"


class DaskCrew:
    """Hands shards to the workers of a cluster."""

    def __init__(self, client: Any, project_settings: ProjectSettings) -> None:
        self._client = client
        self._project_settings = project_settings
        self._lock = threading.Lock()
        self._passed_on, self._passed_on_at, self._passing_on = Urgency.NONE, 0.0, 0
        self._staffed_at = self._counted_at = 0.0
        self._complained = False
        self._neighbours = Neighbours(Manifest(()))

    @property
    def hands(self) -> int:
        """How many shards the workers can deploy at once."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    @contextmanager
    def listening(self, run: Run) -> Iterator[None]:
        """While inside, emit the workers' events here; afterwards the workers forget the run."""
        self._neighbours = Neighbours(run.manifest)
        self._staffed_at = self._counted_at = run.clock.monotonic()
        topic = worker.topic_of(run.id)

        def hear(event: tuple[float, object]) -> None:
            try:
                run.emit(event_of(event[1]))
            except MessageError as error:
                self._complain(run, str(error))

        self._client.subscribe_topic(topic, hear)
        try:
            yield
        finally:
            with suppress(Exception):
                self._client.unsubscribe_topic(topic)
                self._client.run(worker.end, run.id, on_error="ignore")

    def work(self, shard: Shard, run: Run, intent: Intent, run_context: RunContext) -> ShardResult:
        """Have a worker deploy a shard; deploy it here if the cluster fails."""
        try:
            return self._result(self._job(shard, run, intent, run_context), run)
        except HoldfastError as error:
            return ResultBuilder(shard=shard, run=run).stopped(error)
        except Exception as error:
            if not _is_the_clusters(error):
                raise
            label, why = run.label(shard.name), type(error).__name__
            message = f"the cluster gave {label} up ({why}); it is taken over here"
            run.emit(Notice(shard=shard.name, message=message))
        return take_over(shard, run, intent, run_context)

    def _result(self, job: Job, run: Run) -> ShardResult:
        key = f"holdfast-{job.run}-{job.shard.name}"
        handed = self._client.submit(worker.carry, job_text(job), key=key, pure=False, retries=0)
        over = threading.Event()
        handed.add_done_callback(lambda _: over.set())
        while not over.wait(_LOOK_SECONDS):
            self._pass_on(run)
            # A run that stops does not wait for new workers.
            patience = 0.0 if run.stop.asked else DESERTED_SECONDS
            if self._deserted_for(run.clock.monotonic()) > patience:
                handed.cancel()
                raise NoWorkersError
        try:
            return result_of(handed.result(), shard=job.shard.name)
        except MessageError as error:
            raise ForeignAnswerError(str(error)) from None

    def _complain(self, run: Run, why: str) -> None:
        """Emit one notice in a run for messages that are not events."""
        with self._lock:
            complained, self._complained = self._complained, True
        if not complained:
            run.emit(Notice(message=f"the cluster sent what is no event of a worker ({why}); it is left out"))

    def _deserted_for(self, now: float) -> float:
        """Return for how many seconds there has been no worker; all threads share one count."""
        with self._lock:
            if now - self._counted_at >= _COUNT_SECONDS:
                self._counted_at = now
                if self._is_staffed():
                    self._staffed_at = now
            return self._counted_at - self._staffed_at

    def _is_staffed(self) -> bool:
        try:
            return bool(self._client.nthreads(callback_timeout=_TELL_SECONDS))
        except Exception:  # noqa: BLE001 - Dask's are many
            # A scheduler that does not answer fails when it is asked for the result.
            return True

    def _pass_on(self, run: Run) -> None:
        """Tell the workers how urgently the run must stop: when that changes, and again and again.

        Workers that have joined or restarted since must be told too, and their addresses do not show which: a
        worker that its nanny restarted may have the address of its predecessor.
        """
        with self._lock:
            urgency, now = run.stop.urgency, run.clock.monotonic()
            # A worker that does not answer delays one thread, not all.
            idle = bool(self._passed_on) and not self._passing_on
            is_due = idle and now - self._passed_on_at >= _COUNT_SECONDS
            if urgency <= self._passed_on and not is_due:
                return
            self._passed_on, self._passed_on_at = urgency, now
            self._passing_on += 1
        # A cluster that cannot be reached fails when it is asked for the result.
        with suppress(Exception):
            self._client.run(worker.stop, run.id, int(urgency), on_error="ignore")
        with self._lock:
            self._passing_on -= 1

    def _job(self, shard: Shard, run: Run, intent: Intent, run_context: RunContext) -> Job:
        # A worker has no files of the app: it reads the shard's inputs from the bucket.
        hand_over(run.tools.store(shard), shard.inputs)
        others = self._neighbours.of(shard)
        names = (shard.name, *(other.name for other in others))
        return Job(
            version=worker.package_version(),
            run=run.id,
            project=run.project,
            is_named=run.is_named,
            shard=shard,
            others=others,
            labels={name: run.label(name) for name in names},
            intent=intent,
            policy=run_context.policy,
            actor=run_context.actor,
            git=run_context.git,
            project_settings=self._project_settings,
        )


def _is_the_clusters(error: Exception) -> bool:
    """Whether the cluster failed, and not the deploy itself."""
    return type(error).__module__.partition(".")[0] == "distributed" or isinstance(error, OSError)
