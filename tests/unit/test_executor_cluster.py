"""A Dask cluster as the machine that was asked to deploy sees it, with a double for Dask's client."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.executor import cluster, worker
from holdfast_orchestrator.executor.job import Belongings

ADDRESS = "tcp://scheduler:8786"


class Client:
    """What `distributed.Client` does with what the workers answer, or fail with."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.answers = answers

    def __call__(self, *_: object, **__: object) -> "Client":
        return self

    def run(self, _: Callable[..., object], *__: object, on_error: str = "raise") -> dict[str, Any]:
        failed = [answer for answer in self.answers.values() if isinstance(answer, Exception)]
        if failed and on_error == "raise":
            raise failed[0]
        return dict(self.answers)

    def close(self, **_: object) -> None:
        pass


def refused(monkeypatch: pytest.MonkeyPatch, **answers: object) -> HoldfastError:
    client = Client({f"tcp://{name}:1": answer for name, answer in answers.items()})
    monkeypatch.setattr(cluster, "import_module", lambda _: SimpleNamespace(Client=client))
    with pytest.raises(HoldfastError) as refusal, cluster.joined(ADDRESS, Belongings()):
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
    assert error.next_step == "mend them, or take them out of the cluster"
