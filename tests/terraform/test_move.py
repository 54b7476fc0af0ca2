"""`holdfast move`: objects from state to state; in the cloud nothing changes, and nothing is known twice."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.terraform.shards import Shards, another, parameter, stack, topic, warm_shards

from holdfast_orchestrator.errors import GateError, UsageError

pytestmark = pytest.mark.long

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def providers(deploy_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shards]:
    folder = tmp_path_factory.mktemp("providers")
    with warm_shards(folder / "app", deploy_environ, Path(deploy_environ["HOLDFAST_CACHE_DIR"])) as shards:
        yield shards


@pytest.fixture
def app(providers: Shards, tmp_path: Path) -> Shards:
    return another(providers, tmp_path / "app", f"move-{next(_NUMBERS)}")


@pytest.fixture
def name() -> str:
    return f"m{next(_NUMBERS)}"


def test_a_renamed_stack_keeps_its_objects(app: Shards, name: str) -> None:
    """Report 08: the stack is called otherwise now; its objects are offered, moved, and never destroyed."""
    what = stack(topic(name), parameter(name))
    app.write(core=what)
    assert app.outcomes() == {"core": "committed"}
    app.write(platform=what)

    refused = app.deploy()
    looked = app.project.move("core", "platform")
    moved = app.run("move", "core", "platform", "--env", "dev", "--yes", "--json")
    document = json.loads(moved.stdout)
    afterwards = app.deploy()

    assert refused.exit_code == 4
    assert "holdfast move core platform" in str(refused.results["platform"].next_step)
    assert looked.done is None
    assert len(looked.proposal.moved) == 2
    assert (document["moved"], document["stays"], len(document["objects"])) == (True, 0, 2)
    assert afterwards.is_good, afterwards
    assert afterwards.results["platform"].added == afterwards.results["platform"].destroyed == 0
    assert app.owned() == {"platform": ["aws_sns_topic.t", "aws_ssm_parameter.p"]}
    assert name in app.topics()
    assert app.outcomes() == {"platform": "unchanged"}
    assert "move" in {one["action"] for one in json.loads(app.run("audit", "--json").stdout)["records"]}


def test_a_part_that_moved_to_another_stack_is_moved_alone_and_a_second_time_is_harmless(
    app: Shards, name: str
) -> None:
    app.write(a=stack(topic(name), parameter(name)), b=stack(parameter(f"{name}b", at="other")))
    assert set(app.outcomes().values()) == {"committed"}
    app.write(a=stack(parameter(name)), b=stack(parameter(f"{name}b", at="other"), topic(name)))

    app.project.move("a", "b", yes=True)

    assert app.owned() == {"a": ["aws_ssm_parameter.p"], "b": ["aws_sns_topic.t", "aws_ssm_parameter.other"]}
    with pytest.raises(UsageError, match="nothing that a has"):
        app.project.move("a", "b", yes=True)
    result = app.deploy()
    assert result.is_good, result
    assert sum(one.added + one.destroyed for one in result.shards) == 0
    assert name in app.topics()


def test_what_the_receiver_does_not_declare_does_not_move(app: Shards, name: str) -> None:
    app.write(a=stack(topic(name)), b=stack(parameter(name)))
    assert set(app.outcomes().values()) == {"committed"}

    with pytest.raises(GateError, match="b does not declare aws_sns_topic"):
        app.project.move("a", "b", addresses=["aws_sns_topic.t"], yes=True)

    assert app.owned() == {"a": ["aws_sns_topic.t"], "b": ["aws_ssm_parameter.p"]}
