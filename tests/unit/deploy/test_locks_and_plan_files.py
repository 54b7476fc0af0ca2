"""Whose a lock is, which state a plan was made from, and which of two versions is newer."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast_orchestrator.deploy.decisions.lock_owner import Owner, Spawned, judge_lock
from holdfast_orchestrator.engine.lockfile import locked_providers
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.terraform_lock import lock_key, read_lock
from holdfast_orchestrator.terraform.error_patterns import (
    lock_not_taken,
    says_lock_not_released,
)
from holdfast_orchestrator.terraform.plan import prior_stamp
from holdfast_orchestrator.terraform.state_file import NO_STATE, StateStamp
from holdfast_orchestrator.terraform.versions import is_older, newest

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
TEXT = "2026-11-21T12:00:05.123456789Z"


def spawned(**fields: Any) -> Spawned:
    return Spawned(**{"who": "ci@runner", "started": NOW, "ended": True, **fields})


@pytest.mark.parametrize(
    ("lock", "process", "owner"),
    [
        ({"ID": "1", "Who": "ci@runner", "Created": TEXT}, spawned(), Owner.OURS),
        ({"ID": "1", "Who": "ci@runner", "Created": TEXT}, spawned(ended=False), Owner.RUNNING),
        ({"ID": "1", "Who": "anna@laptop", "Created": TEXT}, spawned(), Owner.FOREIGN),
        ({"ID": "1", "Who": "ci@runner", "Created": TEXT}, spawned(started=LATER), Owner.FOREIGN),
        ({"ID": "1", "Who": "ci@runner", "Created": "soon"}, spawned(), Owner.FOREIGN),
        ({"ID": "1", "Who": "anna@laptop"}, spawned(lock_id="1"), Owner.OURS),
        ({"ID": "2", "Who": "ci@runner", "Created": TEXT}, spawned(lock_id="1"), Owner.FOREIGN),
        ({"ID": "1", "Who": "ci@runner", "Created": TEXT}, None, Owner.FOREIGN),
        ({"Who": "ci@runner"}, spawned(), Owner.UNREADABLE),
        (None, spawned(), Owner.UNREADABLE),
    ],
)
def test_only_a_lock_that_is_proven_ours_is_ours(lock: Any, process: Spawned | None, owner: Owner) -> None:
    store = MemoryStore()
    store.create(lock_key("s"), json.dumps(lock).encode())
    left = read_lock(store, "s")

    assert left is not None
    assert judge_lock(left, process) is owner


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return packed.getvalue()


def test_a_plan_file_tells_which_state_it_was_made_from() -> None:
    nothing = {"version": 4, "lineage": "", "serial": 0}

    assert prior_stamp(archive(tfstate=json.dumps({"lineage": "L", "serial": 3}))) == StateStamp("L", 3)
    assert prior_stamp(archive(tfstate=json.dumps(nothing))) == NO_STATE


@pytest.mark.parametrize(
    "content", [b"", b"no zip", archive(other="x"), archive(tfstate="{"), archive(tfstate="[]")]
)
def test_what_is_no_plan_file_is_refused(content: bytes) -> None:
    with pytest.raises(HoldfastError, match="not a plan file"):
        prior_stamp(content)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9.0", "1.10.0"),
        ("5.99.1", "~> 5.100"),
        ("1.0.0-rc1", "1.0.0"),
        ("", "0.1.0"),
        (">= 1.2, < 2.0", "2.1.0"),
    ],
)
def test_the_newer_of_two_versions_is_kept(older: str, newer: str) -> None:
    assert newest(older, newer) == newest(newer, older) == newer
    assert is_older(older, newer)
    assert not is_older(newer, older)


def test_the_lock_file_names_the_version_of_each_provider() -> None:
    text = """
provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "5.100.0"
  hashes = [
    "h1:x",
  ]
}

provider "registry.terraform.io/hashicorp/random" {
  version = "3.6.0"
}
"""

    assert locked_providers(text) == {
        "registry.terraform.io/hashicorp/aws": "5.100.0",
        "registry.terraform.io/hashicorp/random": "3.6.0",
    }


def test_a_lock_the_store_refuses_for_a_moment_is_told_from_one_somebody_holds() -> None:
    conflict = "Error acquiring the state lock StatusCode: 409, ConditionalRequestConflict"
    held = "Error acquiring the state lock StatusCode: 412, PreconditionFailed: Lock Info: ID: 1b2c"

    assert lock_not_taken([conflict])
    assert not lock_not_taken([held])
    assert not lock_not_taken([conflict, "creating SSM Parameter: AccessDeniedException"])
    assert not lock_not_taken([])


def test_a_lock_that_could_not_be_released_is_told_from_one_that_could_not_be_had() -> None:
    assert says_lock_not_released(["Error releasing the state lock: failed to retrieve lock info"])
    assert not says_lock_not_released(["Error acquiring the state lock"])
