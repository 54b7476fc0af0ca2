"""Whatever cdktf allows as a stack's id is deployed, found and taken down by that id."""

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

LONG = "The" + "Very" * 40 + "Long_Stack"
IDS = ("Base_Stack", "prod.network", "网络", "output", LONG)


def app(ids: tuple[str, ...]) -> dict[str, Any]:
    """Stacks without a provider; each reads the one before it."""
    stacks: dict[str, Any] = {}
    before: str | None = None
    for name in ids:
        stack: dict[str, Any] = {
            "resource": {"terraform_data": {"x": {"input": name}}},
            "output": {"value": {"value": "${terraform_data.x.output}"}},
        }
        if before is not None:
            stack["dependencies"] = [before]
        stacks[name] = stack
        before = name
    return stacks


def failing(ids: tuple[str, ...], name: str) -> dict[str, Any]:
    stacks = app(ids)
    stacks[name]["resource"]["terraform_data"]["y"] = {
        "input": "new",
        "provisioner": {"local-exec": {"command": "exit 1"}},
    }
    return stacks


@pytest.mark.long
def test_a_stack_of_any_legal_id_is_deployed_undone_shown_and_taken_down_by_it(plain_app: "App") -> None:
    plain_app.write(app(IDS))

    assert plain_app.outcomes("deploy", "--yes") == dict.fromkeys(IDS, "committed")
    shown = json.loads(plain_app.run("list", "--json").stdout)["shards"]
    assert {shard["name"] for shard in shown} == set(IDS)
    assert {shard["key"].split("/")[0] for shard in shown} >= {"base-stack", "prod-network", "output"}
    assert sorted(shard["key"] for shard in shown) == plain_app.state_keys()

    for name in IDS:
        chosen = json.loads(plain_app.run("list", "--json", "--stack", name).stdout)["shards"]
        assert [shard["name"] for shard in chosen] == [name]
        assert plain_app.run("state", "backups", name).returncode == 0
    assert "Base_Stack" in plain_app.run("plan").stdout

    plain_app.write(failing(IDS, LONG))
    assert plain_app.outcomes("deploy", "--yes", "--stack", LONG) == {LONG: "rolled_back"}

    kept = plain_app.folder / "plans"
    plain_app.write(app(tuple(name for name in IDS if name != LONG)))
    assert plain_app.run("plan", "--refresh", "--out", str(kept)).returncode == 0
    gone = plain_app.run("plan").stdout
    assert f"holdfast destroy --env dev --retired {LONG}" in gone
    assert plain_app.outcomes("destroy", "--yes", "--retired", LONG) == {LONG: "committed"}
    assert set(plain_app.outcomes("destroy", "--yes").values()) == {"committed"}


def test_ids_that_would_share_a_state_are_refused_by_both_names_before_anything_is_made(
    plain_app: "App",
) -> None:
    plain_app.write(app(("MyStack", "mystack")))

    ran = plain_app.run("deploy", "--yes")

    assert ran.returncode == 64
    assert "stacks 'MyStack' and 'mystack' would share the state 'mystack/" in ran.stderr
    assert "next: rename one of the stacks" in ran.stderr
    assert plain_app.object_keys() == []

    assert plain_app.run("list").returncode == 64
    plain_app.write(app(("MyStack", "other")))
    mended = plain_app.run("list")
    assert (mended.returncode, "MyStack" in mended.stdout) == (0, True), mended.stderr


def test_an_id_that_leads_to_the_key_of_another_stack_is_refused_unless_it_is_that_stack_renamed(
    plain_app: "App",
) -> None:
    kept, other = ({"terraform_data": {name: {"input": name}}} for name in ("kept", "other"))
    plain_app.write({"My_Stack": {"resource": kept}})
    assert plain_app.outcomes("deploy", "--yes") == {"My_Stack": "committed"}
    before = plain_app.state("my-stack")

    plain_app.write({"my-stack": {"resource": other}})
    for argv in (("plan",), ("deploy", "--yes"), ("deploy", "--yes", "--rebaseline"), ("destroy", "--yes")):
        ran = plain_app.run(*argv)
        assert ran.returncode == 4, (argv, ran.stdout, ran.stderr)
        assert "is of stack 'My_Stack'" in ran.stdout + ran.stderr, argv
        assert "stack 'my-stack' leads to the same key" in ran.stdout + ran.stderr, argv
    assert plain_app.state("my-stack") == before

    plain_app.write(
        {"MY-stack": {"resource": {"terraform_data": kept["terraform_data"] | other["terraform_data"]}}}
    )
    renamed = plain_app.run("deploy", "--yes")
    assert renamed.returncode == 0, renamed.stdout + renamed.stderr
    assert "stack 'My_Stack' is called 'MY-stack' now" in renamed.stdout + renamed.stderr
    plain_app.write({"MY-stack": {"resource": other}})
    assert plain_app.outcomes("deploy", "--yes") == {"MY-stack": "committed"}, "its own id by now"


def test_a_first_plan_that_only_looks_for_what_another_stack_makes_is_deferred(plain_app: "App") -> None:
    """`second` depends on `first` and reads its state, and refers to nothing in it."""
    stacks = app(("first", "second"))
    plain_app.write(stacks)

    planned = json.loads(plain_app.run("plan", "--json").stdout)["shards"]
    assert {shard["name"]: shard["outcome"] for shard in planned} == {
        "first": "changes",
        "second": "deferred",
    }
    text = plain_app.run("plan")
    assert (text.returncode, "waits for `first`" in text.stdout) == (0, True), text.stdout

    stacks = app(("first", "second"))
    stacks["second"]["resource"]["terraform_data"]["y"] = {"no_such_argument": 1}
    plain_app.write(stacks)
    wrong = json.loads(plain_app.run("plan", "--json").stdout)["shards"]
    assert {shard["name"]: shard["outcome"] for shard in wrong}["second"] == "failed"


@pytest.mark.long
def test_a_command_that_is_printed_names_a_stack_as_a_shell_takes_it(plain_app: "App") -> None:
    name = "R&D(web)"
    plain_app.write(app((name,)))
    assert plain_app.outcomes("deploy", "--yes") == {name: "committed"}
    plain_app.s3.delete_object(Bucket=plain_app.bucket, Key=plain_app.state_keys()[0])

    lost = plain_app.run("deploy", "--yes", "--refresh")
    assert lost.returncode == 6
    assert "next    no copy of it is kept; holdfast state backups 'R&D(web)'" in lost.stdout

    restored = plain_app.run("state", "backups", *shlex.split("'R&D(web)'"), "--json")
    assert restored.returncode == 0
