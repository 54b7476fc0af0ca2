"""Rows 28 to 36: the state, a backup or a plan is not what it was."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import asks, s3, state
from tests.faults.lab.proxy import Answer, Rewrite, Rule
from tests.faults.lab.scenarios import FIRST, PLAIN, PLAIN_SECOND, SECOND
from tests.faults.lab.world import DEPLOY, Ended, World

HELD = {4, 6}
CHANGES = asks("PutParameter|DeleteParameter")


def damaged(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    def apply(content: bytes) -> bytes:
        document = json.loads(content)
        change(document)
        return json.dumps(document).encode()

    return apply


def older(document: Any) -> None:
    document["serial"] -= 1


def same_serial_other_content(document: Any) -> None:
    document["resources"] = document["resources"][1:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "row_28_zero_bytes": lambda content: b"",
    "row_28_only_a_version": lambda content: b'{"version": 4}',
    "row_29_truncated": lambda content: content[: len(content) // 2],
    "row_32_another_lineage": damaged(lambda document: document.update(lineage="0-another")),
    "row_32_no_lineage": damaged(lambda document: document.update(lineage="")),
    "row_32_an_older_serial": damaged(older),
    "row_32_the_same_serial_with_other_content": damaged(same_serial_other_content),
}


def restore(world: World) -> Ended:
    """Put the newest backup back."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return world.holdfast("state", "restore", "shop", "--at", now, "--yes", "--confirm", "shop")


def two_serials(world: World) -> None:
    """Deploy once more, so that there is a backup and something newer than it."""
    ended = world.deploy(PLAIN_SECOND)
    assert ended.code == 0, str(ended)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_rows_28_29_32_a_state_that_is_not_ours_is_never_planned_upon(
    world: World, damage: Callable[[bytes], bytes]
) -> None:
    world.begin(FIRST)
    found = damage(world.cloud.get(world.state_key()))
    world.put_state(found)
    world.proxy.log.clear()

    ended = world.deploy(SECOND)

    assert ended.code in HELD, str(ended)
    assert not world.proxy.seen(CHANGES)
    assert world.cloud.get(world.state_key()) == found
    assert "shop" in ended.text
    assert "restore" in ended.text or "rebaseline" in ended.text


@pytest.mark.parametrize("damage", ["row_28_zero_bytes", "row_29_truncated"])
def test_rows_28_29_a_damaged_state_is_restored_with_its_lineage(world: World, damage: str) -> None:
    world.begin(PLAIN)
    lineage = world.state()["lineage"]
    two_serials(world)
    world.put_state(DAMAGES[damage](world.cloud.get(world.state_key())))
    held = world.deploy()

    restored = restore(world)

    assert held.code in HELD, str(held)
    assert_safe(world, restored, code=0)
    assert world.state()["lineage"] == lineage
    assert_safe(world, world.deploy(), code=0)


def test_row_30_a_deleted_state_is_no_first_deploy(world: World) -> None:
    world.begin(FIRST)
    world.cloud.delete(world.state_key())
    world.proxy.log.clear()

    ended = world.deploy(SECOND)

    assert ended.code in HELD, str(ended)
    assert not world.proxy.seen(CHANGES)


def test_row_30_a_deleted_state_is_restored(world: World) -> None:
    world.begin(PLAIN)
    two_serials(world)
    lineage = world.state()["lineage"]
    world.cloud.delete(world.state_key())

    restored = restore(world)

    assert_safe(world, restored, code=0)
    assert world.state()["lineage"] == lineage
    assert_safe(world, world.deploy(), code=0)


@pytest.mark.parametrize("status", [404, 403])
def test_row_31_a_store_that_denies_the_state_exists_is_not_believed(world: World, status: int) -> None:
    world.begin(FIRST)
    code = "NoSuchKey" if status == 404 else "AccessDenied"
    world.proxy.add(Rule(what=state("HEAD"), fault=Answer(status, code)))

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code={1, 4, 6})
    assert not world.proxy.seen(CHANGES)


def test_an_answer_that_arrives_cut_short_is_asked_for_again(world: World) -> None:
    world.begin(FIRST)
    cut = world.proxy.add(
        Rule(what=s3("GET", r"_holdfast/.*"), fault=Rewrite(lambda body: body[:-1]), times=2)
    )

    ended = world.deploy(SECOND)

    assert cut.hits == 2
    assert_safe(world, ended, code=0)


def test_row_33_a_backup_that_does_not_read_back_stops_the_deploy(world: World) -> None:
    world.begin(FIRST)
    world.proxy.add(
        Rule(
            what=s3("GET", r"_holdfast/backups/.*\.json"),
            fault=Rewrite(lambda body: body.replace(b"1", b"7")),
        )
    )

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code={1, 6})
    assert not world.proxy.seen(CHANGES)


def test_row_33_a_damaged_backup_is_not_restored(world: World) -> None:
    world.begin(PLAIN)
    two_serials(world)
    before = world.cloud.get(world.state_key())
    (key,) = (key for key in world.cloud.listing("_holdfast/backups/") if not key.endswith(".meta.json"))
    world.cloud.put(key, world.cloud.get(key).replace(b"terraform_data", b"terraform_dada"))
    backup = key.rpartition("/")[2]

    ended = world.holdfast("state", "restore", "shop", "--backup", backup, "--yes", "--confirm", "shop")

    assert_safe(world, ended, code={1, 6})
    assert world.cloud.get(world.state_key()) == before


def keep_plan(world: World) -> Path:
    folder = world.folder / "plans"
    planned = world.holdfast("plan", "--out", str(folder))
    assert planned.code == 0, str(planned)
    return folder


@pytest.mark.parametrize("damage", ["flipped", "truncated"])
def test_row_34_a_kept_plan_that_was_changed_is_not_applied(world: World, damage: str) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    folder = keep_plan(world)
    for file in folder.rglob("*.tfplan"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 0xFF
        file.write_bytes(content if damage == "flipped" else content[: len(content) // 2])

    ended = world.holdfast(*DEPLOY, "--plan", str(folder))

    assert_safe(world, ended, code={1, 4, 64})
    assert not world.proxy.seen(CHANGES)


def test_row_35_a_plan_made_before_the_state_changed_is_not_applied(world: World) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    folder = keep_plan(world)
    world.deploy(SECOND)
    world.proxy.log.clear()

    ended = world.holdfast(*DEPLOY, "--plan", str(folder))

    assert_safe(world, ended, code={1, 4})
    assert not world.proxy.seen(CHANGES)


def test_row_36_a_first_plan_is_not_applied_again_after_its_state_was_deleted(world: World) -> None:
    world.write(FIRST)
    folder = keep_plan(world)
    first = world.holdfast(*DEPLOY, "--plan", str(folder))
    world.cloud.delete(world.state_key())
    world.proxy.log.clear()

    ended = world.holdfast(*DEPLOY, "--plan", str(folder))

    assert first.code == 0, str(first)
    assert ended.code in {1, 4, 6}, str(ended)
    assert not world.proxy.seen(CHANGES)


def test_row_36_no_plan_is_left_where_it_could_be_applied_again(world: World) -> None:
    world.begin(PLAIN)

    ended = world.deploy(PLAIN_SECOND)

    assert_safe(world, ended, code=0)
    assert not list(world.cache.rglob("*.tfplan"))
