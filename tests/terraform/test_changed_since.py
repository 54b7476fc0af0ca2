"""`--changed-since` compares what is synthesized, with the real git and the real command line."""

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from holdfast_orchestrator.engine import lockfile

if TYPE_CHECKING:
    from tests.terraform.conftest import App

STACKS: dict[str, Any] = {
    "network": {"resource": {"terraform_data": {"n": {"input": "1"}}}},
    "orders": {"resource": {"terraform_data": {"o": {"input": "1"}}}},
}


def git(app: "App", *argv: str) -> None:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    subprocess.run(
        ("git", *identity, *argv), cwd=app.folder, env=app.environ, check=True, capture_output=True
    )


def lock(app: "App", version: str, *hashes: str) -> None:
    locks = {"registry.terraform.io/hashicorp/aws": lockfile.LockedProvider(version, "", hashes)}
    (app.folder / lockfile.NAME).write_text(lockfile.render(locks))


@pytest.fixture
def committed(plain_app: "App") -> "App":
    plain_app.write(STACKS)
    git(plain_app, "init", "--quiet")
    git(plain_app, "add", "--all")
    git(plain_app, "commit", "--quiet", "-m", "first")
    return plain_app


def listed(app: "App", *argv: str) -> list[str]:
    ran = app.run("list", "--json", *argv)
    assert ran.returncode == 0, ran.stderr
    return [shard["name"] for shard in json.loads(ran.stdout)["shards"]]


def changed(**inputs: str) -> dict[str, Any]:
    return {
        name: {"resource": {"terraform_data": {name[0]: {"input": inputs.get(name, "1")}}}}
        for name in (*STACKS, *inputs)
    }


def test_only_what_synthesizes_differently_is_chosen(committed: "App") -> None:
    assert listed(committed, "--changed-since", "HEAD") == []

    committed.write(changed(orders="2", fresh="1"))

    assert listed(committed, "--changed-since", "HEAD") == ["fresh", "orders"]
    assert listed(committed, "--changed-since", "HEAD", "--stack", "orders") == ["orders"]


def test_a_provider_that_is_locked_differently_chooses_who_requires_it(plain_app: "App") -> None:
    needy: dict[str, Any] = {
        "resource": {"aws_sqs_queue": {"q": {}}},
        "terraform": {"required_providers": {"aws": {}}},
    }
    plain_app.write({**STACKS, "needy": needy})
    lock(plain_app, "5.99.0", "h1:a=", "h1:b=")
    git(plain_app, "init", "--quiet")
    git(plain_app, "add", "--all")
    git(plain_app, "commit", "--quiet", "-m", "first")

    lock(plain_app, "5.99.0", "h1:b=")
    assert listed(plain_app, "--changed-since", "HEAD") == []
    lock(plain_app, "5.100.0", "h1:a=")
    assert listed(plain_app, "--changed-since", "HEAD") == ["needy"]
    git(plain_app, "rm", "--quiet", "--cached", lockfile.NAME)
    git(plain_app, "commit", "--quiet", "-m", "not kept")
    assert listed(plain_app, "--changed-since", "HEAD") == []


def test_a_changed_file_that_synthesizes_the_same_is_no_change(committed: "App") -> None:
    (committed.folder / "app.py").write_text((committed.folder / "app.py").read_text() + "# a comment\n")

    assert listed(committed, "--changed-since", "HEAD") == []


def test_plan_and_deploy_are_narrowed_and_nothing_is_left_behind(committed: "App") -> None:
    committed.write(changed(orders="2"))

    planned = committed.outcomes("plan", "--changed-since", "HEAD")
    outcomes = committed.outcomes("deploy", "--yes", "--changed-since", "HEAD")
    git(committed, "add", "--all")
    git(committed, "commit", "--quiet", "-m", "second")
    nothing = committed.run("deploy", "--yes", "--changed-since", "HEAD")

    assert planned == {"orders": "changes"}
    assert outcomes == {"orders": "committed"}
    assert (nothing.returncode, nothing.stderr) == (0, "")
    trees = subprocess.run(
        ("git", "worktree", "list"), cwd=committed.folder, capture_output=True, text=True, check=True
    )
    assert len(trees.stdout.splitlines()) == 1


def test_an_unknown_revision_and_one_that_is_an_option_are_refused(committed: "App") -> None:
    for ref in ("nowhere", "--all"):
        ran = committed.run("list", f"--changed-since={ref}")

        assert ran.returncode == 64
        assert f"git knows no commit {ref!r}" in ran.stderr


def test_without_git_that_is_said(plain_app: "App") -> None:
    plain_app.write(STACKS)

    ran = plain_app.run("list", "--changed-since", "HEAD")

    assert ran.returncode == 64
    assert "is in no git repository" in ran.stderr
    assert "next: run inside the git checkout" in ran.stderr


def test_an_app_that_did_not_synthesize_then_is_an_error_of_its_own(committed: "App") -> None:
    good = (committed.folder / "app.py").read_text()
    (committed.folder / "app.py").write_text("raise SystemExit('broken then')\n")
    git(committed, "commit", "--all", "--quiet", "-m", "broken")
    (committed.folder / "app.py").write_text(good)

    ran = committed.run("list", "--changed-since", "HEAD")

    assert ran.returncode == 64
    assert "the app at that revision does not synthesize" in ran.stderr
    assert "broken then" in ran.stderr


HEEDING = """
import os, pathlib, sys
for name in filter(None, os.environ["HOLDFAST_ENV"].split(",")):
    if not pathlib.Path("environments", name + ".toml").is_file():
        sys.exit("there is no environment " + name)
"""


def test_every_shard_of_an_environment_that_did_not_exist_then_is_chosen(committed: "App") -> None:
    (committed.folder / "app.py").write_text(HEEDING + (committed.folder / "app.py").read_text())
    git(committed, "commit", "--all", "--quiet", "-m", "heeds")
    (committed.folder / "environments").mkdir()
    (committed.folder / "environments" / "dev.toml").touch()

    assert listed(committed, "--env", "dev", "--changed-since", "HEAD") == ["network", "orders"]

    git(committed, "add", "--all")
    git(committed, "commit", "--quiet", "-m", "dev")

    assert listed(committed, "--env", "dev", "--changed-since", "HEAD") == []
