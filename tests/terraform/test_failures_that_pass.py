"""A Terraform command that fails for a moment, after the apply: tried again, and never taken for the verdict.

The engine is real; a script in its place lets one plan fail as a throttled provider does.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.system.runtime import real_runtime

if TYPE_CHECKING:
    from tests.terraform.conftest import App

ROOT = Path(__file__).resolve().parent.parent.parent
THROTTLED = "ThrottlingException: Rate exceeded"
DENIED = "AccessDenied: not allowed"
WRAPPER = """#!/bin/sh
case "$*" in
*-out={plan}*)
  mktemp "{calls}/XXXXXX" > /dev/null
  call=$(ls "{calls}" | wc -l)
  if [ "$call" -ge {first} ] && [ "$call" -le {last} ]; then
    echo '{{"@level":"error","type":"diagnostic","diagnostic":{{"severity":"error","summary":"{text}"}}}}'
    exit 1
  fi
esac
exec "{engine}" "$@"
"""


def with_failing(app: "App", folder: Path, plan: str, *, calls: range, text: str = THROTTLED) -> "App":
    """The app with an engine that fails these of its plans into `plan`, counted from 1."""
    engine = find_engine(real_runtime(), project=ROOT).path
    made = folder / "calls"
    made.mkdir()
    script = folder / "terraform"
    script.write_text(
        WRAPPER.format(plan=plan, calls=made, first=calls[0], last=calls[-1], text=text, engine=engine)
    )
    script.chmod(0o755)
    return replace(app, environ={**app.environ, "HOLDFAST_ENGINE": str(script)})


def stack(**inputs: str) -> dict[str, Any]:
    return {"shop": {"resource": {"terraform_data": {name: {"input": at} for name, at in inputs.items()}}}}


def deployed(app: "App", stacks: Mapping[str, Any]) -> tuple[int, dict[str, Any], list[str]]:
    """Exit code, the shard's part of the answer, and what its state manages."""
    app.write(stacks)
    ran = app.run("deploy", "--yes", "--json")
    (shard,) = json.loads(ran.stdout)["shards"]
    return ran.returncode, shard, sorted(one["name"] for one in app.state("shop")["resources"])


@pytest.mark.parametrize(
    ("plan", "call"),
    [
        pytest.param("verify.tfplan", 1, id="the verify"),
        pytest.param("stage-two.tfplan", 1, id="the plan of the deletes", marks=pytest.mark.long),
        pytest.param("verify.tfplan", 2, id="the verify after the deletes", marks=pytest.mark.long),
    ],
)
def test_a_plan_after_the_apply_that_fails_in_passing_is_tried_again(
    plain_app: "App", tmp_path: Path, plan: str, call: int
) -> None:
    deployed(plain_app, stack(kept="1", gone="1"))
    app = with_failing(plain_app, tmp_path, plan, calls=range(call, call + 1))

    code, shard, there = deployed(app, stack(kept="2", fresh="1"))

    assert len(list((tmp_path / "calls").iterdir())) > call
    assert (code, shard["outcome"]) == (0, "committed"), shard
    assert there == ["fresh", "kept"]


@pytest.mark.parametrize(
    ("call", "point", "before"),
    [
        pytest.param(1, "retry_forward:after", stack(kept="1"), id="a try that found nothing to do"),
        pytest.param(2, "retry_forward:before", stack(kept="1", gone="1"), id="a try after the deletes"),
    ],
)
def test_a_runner_that_dies_while_it_tries_again_undoes_nothing_that_is_right(
    plain_app: "App", tmp_path: Path, call: int, point: str, before: dict[str, Any]
) -> None:
    deployed(plain_app, before)
    plain_app.write(stack(kept="2"))
    app = with_failing(plain_app, tmp_path, "verify.tfplan", calls=range(call, call + 1))
    dying = replace(app, environ={**app.environ, "HOLDFAST_CRASH_AT": point})
    assert dying.run("deploy", "--yes").returncode == 137
    (run, *_) = json.loads(plain_app.run("runs", "--json").stdout)["runs"]

    resumed = plain_app.run("resume", run["run"], "--json")

    (shard,) = json.loads(resumed.stdout)["shards"]
    assert (resumed.returncode, shard["outcome"]) == (0, "committed"), resumed.stderr
    (kept,) = plain_app.state("shop")["resources"]
    assert kept["instances"][0]["attributes"]["input"]["value"] == "2"


@pytest.mark.parametrize(
    ("text", "calls"),
    [(DENIED, range(1, 2)), pytest.param(THROTTLED, range(1, 9), marks=pytest.mark.long)],
)
def test_deletes_that_cannot_be_planned_do_not_end_committed(
    plain_app: "App", tmp_path: Path, text: str, calls: range
) -> None:
    deployed(plain_app, stack(kept="1", gone="1"))
    app = with_failing(plain_app, tmp_path, "stage-two.tfplan", calls=calls, text=text)

    code, shard, there = deployed(app, stack(kept="2", fresh="1"))

    assert (code, shard["outcome"]) == (5, "rolled_back"), shard
    assert text in shard["reason"]
    assert there == ["gone", "kept"]
