"""A Dask cluster as the machine that was asked to deploy sees it, with a double for Dask's client."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.executor import dask_cluster as cluster
from holdfast_orchestrator.executor import dask_worker as worker
from holdfast_orchestrator.executor.address import Cluster
from holdfast_orchestrator.executor.job import ProjectSettings
from holdfast_orchestrator.system.stop import StopSignal

if TYPE_CHECKING:
    from holdfast_orchestrator.context.run import Run

ADDRESS = "tcp://127.0.0.1:8786"


class Client:
    """What `distributed.Client` does with what the workers answer, or fail with."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.answers = answers
        self.told = list[tuple[object, ...]]()
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, *_: object, **__: object) -> "Client":
        return self

    def run(self, _: Callable[..., object], *told: object, on_error: str = "raise") -> dict[str, Any]:
        self.told.append(told)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        failed = [answer for answer in self.answers.values() if isinstance(answer, Exception)]
        if failed and on_error == "raise":
            raise failed[0]
        return dict(self.answers)

    def close(self, **_: object) -> None:
        pass

    def scheduler_info(self) -> dict[str, str]:
        return {"address": ADDRESS}


def refused(monkeypatch: pytest.MonkeyPatch, **answers: object) -> HoldfastError:
    client = Client({f"tcp://{name}:1": answer for name, answer in answers.items()})
    monkeypatch.setattr(cluster, "import_module", lambda _: SimpleNamespace(Client=client))
    with pytest.raises(HoldfastError) as refusal, cluster.joined(Cluster(address=ADDRESS), ProjectSettings()):
        pytest.fail("a cluster that cannot deploy was joined")
    return refusal.value


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (
            Exception("ModuleNotFoundError(\"No module named 'holdfast_orchestrator'\")"),
            "ModuleNotFoundError",
        ),
        (Exception("AttributeError(\"Can't get attribute 'ready'\")"), "AttributeError"),
        (
            ModuleNotFoundError("No module named 'pydantic'"),
            "ModuleNotFoundError: No module named 'pydantic'",
        ),
        (OSError("Timed out trying to connect"), "OSError: Timed out trying to connect"),
    ],
)
def test_a_worker_that_cannot_even_be_asked_is_named(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, told: str
) -> None:
    error = refused(monkeypatch, good=(worker.package_version(), None), bad=failure)

    assert error.what.startswith(f"1 of 2 workers cannot deploy: tcp://bad:1: {told}")
    assert error.exit_code == 1
    assert error.next_step == "install the same holdfast there, or take them out of the cluster"


def test_workers_of_another_version_and_without_terraform_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = worker.package_version()

    error = refused(monkeypatch, other=("0.0.1", None), bare=(ours, "no terraform"))

    assert error.what == (
        "2 of 2 workers cannot deploy: "
        f"tcp://bare:1: no terraform; tcp://other:1 has Holdfast 0.0.1, not {ours}"
    )
    assert error.next_step == "correct them, or take them out of the cluster"


class Stopping:
    """A run that is asked to stop, as its crew sees it, and the seconds that pass."""

    def __init__(self, client: Client) -> None:
        self.id, self.stop, self.clock = "R1", StopSignal(), self
        self.seconds = 0.0
        self.crew = cluster.DaskCrew(client, ProjectSettings())

    def monotonic(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        self.seconds += seconds
        self.crew._pass_on(cast("Run", self))


def test_nobody_is_told_to_stop_unasked() -> None:
    client = Client({})

    Stopping(client).passes(10)

    assert client.told == []


def test_workers_that_join_after_a_ctrl_c_are_told_of_it() -> None:
    client = Client({})
    run = Stopping(client)
    run.stop.ask()

    run.passes(0.5)
    run.passes(0.5)
    assert client.told == [("R1", 1)]
    run.passes(2)
    assert client.told == [("R1", 1)] * 2
    run.stop.ask()
    run.passes(0.5)
    run.passes(2)
    assert client.told == [("R1", 1), ("R1", 1), ("R1", 2), ("R1", 2)]


def test_a_worker_that_does_not_answer_holds_up_one_thread_and_no_second_ctrl_c() -> None:
    client = Client({})
    run = Stopping(client)
    run.stop.ask()
    client.meanwhile = lambda: run.passes(5)

    run.passes(0.5)
    assert client.told == [("R1", 1)]

    def again() -> None:
        run.stop.ask()
        run.passes(0.5)

    client.meanwhile = again
    run.passes(5)
    assert client.told == [("R1", 1), ("R1", 1), ("R1", 2)]
