"""Somebody sits at the terminal: the plan is shown first, and only `yes` deploys it."""

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.terraform import test_kept_plans as kept_plans

from holdfast_orchestrator.cli import invoke
from holdfast_orchestrator.engine.warm import ahead
from holdfast_orchestrator.engine.warm.client import WarmProviders
from holdfast_orchestrator.runtime import Runtime, real_runtime
from holdfast_orchestrator.testing import captured_terminal

if TYPE_CHECKING:
    from tests.terraform.conftest import App

STACKS = {"network": {"resource": {"terraform_data": {"n": {"input": "n"}}}}}


def at_a_terminal(app: "App", answers: str) -> Runtime:
    return replace(
        real_runtime(),
        environ=app.environ,
        cwd=app.folder,
        terminal=captured_terminal(answers=answers, is_tty=True),
        cache=Path(app.environ["HOLDFAST_CACHE_DIR"]),
    )


def shown(runtime: Runtime) -> str:
    out: str = runtime.terminal.out.getvalue()  # type: ignore[attr-defined]
    return out


def test_yes_deploys_the_plan_that_was_shown(plain_app: "App") -> None:
    plain_app.write(STACKS)
    runtime = at_a_terminal(plain_app, "yes\n")

    code = invoke(["deploy"], runtime)

    assert code == 0
    assert "+ terraform_data.n" in shown(runtime)
    assert "committed" in shown(runtime)
    assert plain_app.state_keys() == ["network/123456789012/eu-west-1/dev/terraform.tfstate"]


def test_a_plan_whose_inputs_change_while_somebody_thinks_is_not_applied(plain_app: "App") -> None:
    plain_app.write(kept_plans.app())
    assert plain_app.run("deploy", "--yes").returncode == 0
    plain_app.write(kept_plans.app(network="n2", orders="o2"))

    class Thinking(io.StringIO):
        def readline(self, *_: Any) -> Any:
            plain_app.run("deploy", "--stack", "network", "--yes")
            return "yes\n"

    runtime = at_a_terminal(plain_app, "")
    runtime = replace(runtime, terminal=replace(runtime.terminal, inp=Thinking()))

    code = invoke(["deploy", "--stack", "orders"], runtime)

    (resource,) = [one for one in plain_app.state("orders")["resources"] if one["mode"] == "managed"]
    assert code == 4
    assert resource["instances"][0]["attributes"]["input"]["value"] == "o1 n1"


@pytest.mark.parametrize("answer", ["", "y\n", "no\n"])
def test_anything_else_deploys_nothing(plain_app: "App", answer: str) -> None:
    plain_app.write(STACKS)
    runtime = at_a_terminal(plain_app, answer)

    code = invoke(["deploy"], runtime)

    assert code == 4
    assert plain_app.state_keys() == []


def test_destroy_goes_on_once_the_environment_is_typed(plain_app: "App") -> None:
    plain_app.write(STACKS)
    assert plain_app.run("deploy", "--yes").returncode == 0
    runtime = at_a_terminal(plain_app, "dev\n")

    code = invoke(["destroy"], runtime)

    assert code == 0
    assert plain_app.state("network")["resources"] == []


@pytest.mark.parametrize(("verb", "answer"), [("deploy", "yes\n"), ("destroy", "dev\n")])
def test_the_steps_of_a_command_share_their_providers(
    plain_app: "App", monkeypatch: pytest.MonkeyPatch, verb: str, answer: str
) -> None:
    started: list[WarmProviders] = []

    def start(*words: Any) -> WarmProviders:
        started.append(WarmProviders(*words))
        return started[-1]

    monkeypatch.setattr(ahead, "WarmProviders", start)
    plain_app.write(STACKS)

    assert invoke([verb], at_a_terminal(plain_app, answer)) == 0

    assert len(started) == 1
