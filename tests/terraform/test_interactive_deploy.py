"""Somebody sits at the terminal: the plan is shown first, and only `yes` deploys it."""

import io
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import kept_plans

from holdfast_orchestrator.api.project import Project
from holdfast_orchestrator.cli import invoke
from holdfast_orchestrator.context import warm_up as ahead
from holdfast_orchestrator.engine.warm.client import WarmProviders
from holdfast_orchestrator.system.runtime import Runtime, real_runtime
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

    def start(*words: Any, **options: Any) -> WarmProviders:
        started.append(WarmProviders(*words, **options))
        return started[-1]

    monkeypatch.setattr(ahead, "WarmProviders", start)
    plain_app.write(STACKS)

    assert invoke([verb], at_a_terminal(plain_app, answer)) == 0

    assert len(started) == 1


PATIENCE_SECONDS = 60
QUESTIONS = {"deploy": b"Type yes to go on: ", "destroy": b"to go on: "}
ANSWERS = {"deploy": "yes\n", "destroy": "dev\n"}


@contextmanager
def at_a_real_terminal(app: "App", verb: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        app.argv(verb), cwd=app.folder, env=app.environ, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, text: bytes) -> None:
    said, deadline = b"", time.monotonic() + PATIENCE_SECONDS
    while text not in said:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, said
        said += os.read(terminal, 4096)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["deploy", "destroy"])
def test_an_interrupt_at_the_question_ends_the_command(
    plain_app: "App", verb: str, number: signal.Signals
) -> None:
    plain_app.write(STACKS)
    with at_a_real_terminal(plain_app, verb) as (process, terminal):
        read_until(terminal, QUESTIONS[verb])
        # The question comes a moment before the wait for its answer.
        time.sleep(0.5)

        process.send_signal(number)
        read_until(terminal, b"interrupted; nothing was being changed")

        assert process.wait(PATIENCE_SECONDS) == 130
    assert plain_app.state_keys() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["deploy", "destroy"])
def test_an_interrupt_right_after_the_answer_begins_nothing(
    plain_app: "App", monkeypatch: pytest.MonkeyPatch, verb: str, number: signal.Signals
) -> None:
    plain_app.write(STACKS)
    begin = getattr(Project, verb)

    def interrupted(*words: Any, **named: Any) -> Any:
        os.kill(os.getpid(), number)
        return begin(*words, **named)

    monkeypatch.setattr(Project, verb, interrupted)
    runtime = at_a_terminal(plain_app, ANSWERS[verb])

    code = invoke([verb], runtime)

    assert code == 130
    assert plain_app.state_keys() == []
    assert [key for key in plain_app.object_keys() if key.startswith("_holdfast/runs/")] == []
