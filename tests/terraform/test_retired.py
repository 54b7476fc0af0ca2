"""A stack that was removed from the app is found, offered, and taken down only where that is asked for."""

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App


def app(*names: str) -> dict[str, Any]:
    """Shards by name; `reader` reads from `old`."""
    stacks: dict[str, Any] = {
        name: {"resource": {"terraform_data": {"x": {"input": name}}}, "output": {"value": {"value": name}}}
        for name in names
    }
    if "reader" in stacks:
        read = "${data.terraform_remote_state.cross-stack-reference-input-old.outputs.value}"
        stacks["reader"]["resource"]["terraform_data"]["x"]["input"] = read
        stacks["reader"]["dependencies"] = ["old"]
    return stacks


@pytest.fixture
def removed(plain_app: "App") -> "App":
    """`old` and its `reader` were deployed, and are not in the app any more."""
    plain_app.write(app("kept", "old", "reader"))
    assert plain_app.run("deploy", "--yes").returncode == 0
    plain_app.write(app("kept"))
    return plain_app


def managed(app: "App", service: str) -> int:
    return len([one for one in app.state(service)["resources"] if one["mode"] == "managed"])


def test_plan_and_deploy_offer_what_was_removed_and_touch_nothing(removed: "App") -> None:
    planned = removed.run("plan")
    document = json.loads(removed.run("plan", "--json").stdout)
    deployed = removed.run("deploy", "--yes")

    for ran in (planned, deployed):
        assert ran.returncode == 0
        assert "old is not in the app any more and still has 1 object" in ran.stdout
        assert "to take it down: holdfast destroy --env dev --retired old" in ran.stdout
    assert document["retired"] == ["old", "reader"]
    assert managed(removed, "old") == managed(removed, "reader") == 1


def test_what_was_removed_is_taken_down_dependents_first_and_then_forgotten(removed: "App") -> None:
    too_early = removed.run("destroy", "--yes", "--retired", "old")
    reader = removed.outcomes("destroy", "--yes", "--retired", "reader")
    old = removed.outcomes("destroy", "--yes", "--env", "dev", "--retired", "old")

    assert too_early.returncode == 64
    assert "reader would lose what they depend on" in too_early.stderr
    assert (reader, old) == ({"reader": "committed"}, {"old": "committed"})
    assert managed(removed, "old") == managed(removed, "reader") == 0
    assert managed(removed, "kept") == 1
    assert json.loads(removed.run("plan", "--json").stdout)["retired"] == []


@pytest.mark.long
def test_another_project_in_the_same_bucket_is_nobody_elses_to_retire(removed: "App") -> None:
    settings = json.loads((removed.folder / "cdktf.json").read_text())
    (removed.folder / "cdktf.json").write_text(json.dumps({**settings, "projectId": "another"}))
    removed.write(app("theirs"))

    document = json.loads(removed.run("plan", "--json").stdout)
    ran = removed.run("destroy", "--yes", "--retired", "old")

    assert document["retired"] == []
    assert ran.returncode == 64
    assert "no stack 'old' was removed from this app" in ran.stderr


def test_a_retired_stack_is_named_alone(removed: "App") -> None:
    ran = removed.run("destroy", "--yes", "--retired", "old", "--stack", "kept")

    assert ran.returncode == 64
    assert managed(removed, "kept") == 1
