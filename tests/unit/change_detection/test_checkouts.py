"""What a killed `--changed-since` leaves is removed, with git's note of it, and nothing else is."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast_orchestrator.change_detection.checkouts import checkout_folder, sweep_checkouts

KILLED = """
import os, subprocess, sys, tempfile
from holdfast_orchestrator.change_detection.checkouts import checkout_folder
tempfile.tempdir = sys.argv[1]
with checkout_folder() as tree:
    subprocess.run(["git", "worktree", "add", "--detach", "--quiet", str(tree)], cwd=sys.argv[2], check=True)
    (tree / "cdk.tf.json").write_text("canary")
    os.kill(os.getpid(), 9)
"""


def now() -> datetime:
    return datetime.now(UTC)


def tomorrow() -> datetime:
    return now() + timedelta(days=1, minutes=1)


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def git(*argv: str, repository: Path) -> str:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    ran = subprocess.run(
        ("git", *identity, *argv), cwd=repository, check=True, capture_output=True, text=True
    )
    return ran.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git("init", "--quiet", repository=folder)
    git("commit", "--allow-empty", "--quiet", "-m", "first", repository=folder)
    git("worktree", "add", "--detach", "--quiet", str(tmp_path / "theirs"), repository=folder)
    return folder


def test_what_a_killed_one_left_is_removed_and_git_forgets_it(temp: Path, repository: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(temp), str(repository)], check=False)
    (left,) = temp.iterdir()
    assert (left / "tree" / "cdk.tf.json").exists()
    assert str(left) in git("worktree", "list", repository=repository)

    assert sweep_checkouts(now) == (left,)

    assert list(temp.iterdir()) == []
    listed = git("worktree", "list", repository=repository).splitlines()
    assert len(listed) == 2
    assert "theirs" in listed[1]


def test_one_in_use_stays_and_takes_itself_away(temp: Path) -> None:
    with checkout_folder() as tree:
        tree.mkdir()
        assert sweep_checkouts(tomorrow) == ()
        assert tree.exists()
    assert list(temp.iterdir()) == []


def test_one_of_an_earlier_version_goes_after_a_day(temp: Path) -> None:
    old = temp / "holdfast-since-abcd1234"
    (old / "tree").mkdir(parents=True)
    old.chmod(0o700)

    assert sweep_checkouts(now) == ()
    assert sweep_checkouts(tomorrow) == (old,)


@pytest.mark.parametrize("why", ["more in it", "another name", "open to others"])
def test_what_may_be_somebody_elses_stays(temp: Path, why: str) -> None:
    name = "holdfast-since-mine" if why == "another name" else "holdfast-since-abcd1234"
    (temp / name / "tree").mkdir(parents=True)
    (temp / name).chmod(0o755 if why == "open to others" else 0o700)
    if why == "more in it":
        (temp / name / "ledger").touch()

    assert sweep_checkouts(tomorrow) == ()
    assert (temp / name).exists()


def test_a_note_that_names_another_worktree_stays(temp: Path, repository: Path) -> None:
    left = temp / "holdfast-since-abcd1234"
    (left / "tree").mkdir(parents=True)
    left.chmod(0o700)
    (theirs,) = (repository / ".git" / "worktrees").iterdir()
    (left / "tree" / ".git").write_text(f"gitdir: {theirs}\n")
    os.close(os.open(left / "alive", os.O_CREAT | os.O_RDWR, 0o600))

    assert sweep_checkouts(now) == (left,)
    assert (theirs / "gitdir").exists()
