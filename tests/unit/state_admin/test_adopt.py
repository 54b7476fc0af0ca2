"""Adopting a state: what it refuses, what it leaves; a kill at any write is made good by a second try."""

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.adopting_world import FOLDER, KEY, NOW, OTHER, TARGET, World, state
from tests.support.stores import Killed, MortalStore

from holdfast_orchestrator.app.manifest import Shard, StateElsewhere
from holdfast_orchestrator.errors import GateError, HoldfastError, LeasedError, NeedsPersonError, UsageError
from holdfast_orchestrator.gate.elsewhere import refuse_states_elsewhere
from holdfast_orchestrator.record.adopted import MARK, read_adopted
from holdfast_orchestrator.record.owners import StateOwners
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state.terraform_lock import holding_lock, lock_key
from holdfast_orchestrator.state_admin.adopt_way import Way
from holdfast_orchestrator.state_admin.sources import ObjectSource


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_look_changes_nothing(world: World) -> None:
    proposal = world.propose(world.write(state(3, "a", "b")))

    assert (proposal.way, proposal.objects) == (Way.FIRST, 2)
    assert world.store.objects == {}
    assert [path.name for path in world.folder.iterdir()] == ["terraform.web.tfstate"]


def test_a_file_arrives_as_it_is_is_recorded_and_gets_another_name(world: World) -> None:
    content = state(3, "a", "b")

    done = world.adopt(world.write(content))

    assert world.store.objects[KEY] == content
    kept, adopted = read_state_record(world.store, FOLDER), read_adopted(world.store, FOLDER)
    assert kept is not None
    assert kept.record.state is not None
    assert (kept.record.state.lineage, kept.record.state.serial) == ("ours", 3)
    assert (kept.record.is_open, kept.record.project) == (False, "shop")
    assert adopted is not None
    assert (adopted.source, adopted.serial) == (str(world.file), 3)
    assert [key for key in world.store.objects if key.startswith("_holdfast/backups/")]
    assert done.mark == f"{world.file}{MARK}"
    assert Path(done.mark).read_bytes() == content
    assert not world.file.exists()
    note = json.loads(Path(f"{done.mark}.json").read_bytes())
    assert (note["state_is_now_at"], note["serial"]) == (TARGET, 3)
    assert lock_key(KEY) not in world.store.objects


def test_an_object_of_another_bucket_stays_and_gets_a_mark_beside_it(world: World) -> None:
    content = state(3, "a")

    world.adopt(world.write_object(content))

    assert world.store.objects[KEY] == content
    assert world.old.objects["old/web.tfstate"] == content
    assert json.loads(world.old.objects[f"old/web.tfstate{MARK}"])["state_is_now_at"] == TARGET
    assert world.old.objects.keys() == {"old/web.tfstate", f"old/web.tfstate{MARK}"}


@pytest.mark.parametrize("kind", ["file", "object"])
def test_adopting_again_finds_it_there(world: World, kind: str) -> None:
    source = (world.write if kind == "file" else world.write_object)(state(3, "a"))
    world.adopt(source)
    before = dict(world.store.objects)

    assert world.propose(source).way is Way.THERE
    world.adopt(source)

    assert world.store.objects[KEY] == before[KEY]


@pytest.mark.parametrize("kind", ["file", "object"])
@pytest.mark.parametrize("earlier", [None, state(2, "a"), state(9, lineage="destroyed")])
def test_a_kill_at_any_write_is_made_good_by_the_same_command(
    tmp_path: Path, kind: str, earlier: bytes | None
) -> None:
    """Whichever write was the last, whatever lock is left: a second try ends like an undisturbed one."""
    killed = 0
    for writes in range(30):
        world = World(tmp_path / f"{kind}-{writes}")
        world.folder.mkdir()
        if earlier is not None:
            world.store.create(KEY, earlier)
        content = state(3, "a", "b")
        source = (world.write if kind == "file" else world.write_object)(content)
        mortal = world.store if kind == "file" else _dying_together(world)
        mortal.writes_left = writes
        try:
            world.adopt(source)
        except Killed:
            killed += 1
        world.store.revive(FOLDER)
        world.old.revive(FOLDER)

        done = world.adopt(source)

        assert world.store.objects[KEY] == content
        assert read_adopted(world.store, FOLDER) is not None
        kept = read_state_record(world.store, FOLDER)
        assert kept is not None
        assert kept.record.state is not None
        assert kept.record.state.lineage == "ours"
        assert done.mark.endswith(MARK)
        if earlier is not None:
            kept_copies = [body for key, body in world.store.objects.items() if "/backups/" in key]
            assert earlier in kept_copies
        assert not [key for key in (*world.store.objects, *world.old.objects) if key.endswith(".tflock")]
    assert 5 < killed < 29


def _dying_together(world: World) -> MortalStore:
    """Both buckets end with the process: make them one."""
    for key, body in world.old.objects.items():
        world.store.create(key, body)
    world.old = world.store
    return world.store


def test_a_kill_between_the_new_name_and_its_note_is_made_good(world: World) -> None:
    content = state(3, "a")
    source = world.write(content)
    world.adopt(source)
    Path(f"{world.file}{MARK}.json").unlink()

    world.adopt(source)

    assert json.loads(Path(f"{world.file}{MARK}.json").read_bytes())["state_is_now_at"] == TARGET


def there(world: World, content: bytes) -> bool:
    return world.store.create(KEY, content) is not None


REFUSED: list[tuple[str, Callable[[World], object], type[HoldfastError], str]] = [
    (
        "another state is there",
        lambda world: there(world, state(1, "x", lineage="theirs")),
        GateError,
        "another state is at s3://states/web",
    ),
    (
        "edited under the same serial",
        lambda world: there(world, state(3, "a", "b")),
        GateError,
        "each was written since without the other",
    ),
    (
        "deployed there since it was copied by hand, and here too",
        lambda world: all((there(world, state(2, "a")), world.record(2))),
        GateError,
        "each was written since without the other",
    ),
    ("damaged object", lambda world: there(world, b"{"), NeedsPersonError, "is not a readable state"),
    ("empty object", lambda world: there(world, b""), NeedsPersonError, "is zero bytes"),
    ("lost object", lambda world: world.record(2, lineage="x"), NeedsPersonError, "is gone: serial 2"),
    ("lost newer object", lambda world: world.record(9), NeedsPersonError, "is gone: serial 9"),
    (
        "open run",
        lambda world: world.record(2, is_open=True),
        NeedsPersonError,
        "run EARLIER of web did not end",
    ),
    ("lineage of another shard", lambda world: world.record(3, of=OTHER), GateError, f"the shard {OTHER}"),
    (
        "another app's shard",
        lambda world: world.record(3, project="other"),
        GateError,
        "is of app 'other'",
    ),
]


@pytest.mark.parametrize(
    ("prepare", "error", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_must_not_be_done_is_refused_and_changes_nothing(
    world: World, prepare: Callable[[World], object], error: type[HoldfastError], message: str
) -> None:
    prepare(world)
    before = dict(world.store.objects)

    with pytest.raises(error, match=message) as raised:
        world.adopt(world.write(state(3, "a")))

    assert raised.value.next_step
    assert world.store.objects == before
    assert world.file.exists()


def test_objects_that_another_state_has_are_named_with_it_and_shared_settings_are_not(world: World) -> None:
    """By the states; the same name in another region is another object, an ARN tells where it is."""
    abroad, limits = (OTHER.replace("eu-west-1", "us-east-1"), OTHER.replace("api", "limits"))
    world.store.create(f"{abroad}/terraform.tfstate", named(state(1, "a", lineage="abroad")))
    setting = state(3, "a", lineage="setting").replace(b"aws_sns_topic", b"aws_ecs_account_setting_default")
    world.store.create(f"{limits}/terraform.tfstate", named(setting))
    world.propose(world.write(named(state(3, "a"))))
    arn = "arn:aws:sns:eu-west-1:123456789012:b"
    world.store.create(
        f"{abroad.replace('api', 'far')}/terraform.tfstate", named(state(1, "b", lineage="far"), arn=arn)
    )

    with pytest.raises(GateError, match=r"1 of the objects in .* are in the state of far/") as raised:
        world.propose(world.write(named(state(3, "a", "b"))))

    assert "such as aws_sns_topic.b (there: aws_sns_topic.b)" in str(raised.value)


def test_beside_a_state_that_cannot_be_read_nothing_is_adopted(world: World) -> None:
    world.store.create(f"{OTHER}/terraform.tfstate", b"{")

    with pytest.raises(GateError, match=f"the state {OTHER}/terraform.tfstate cannot be read") as raised:
        world.propose(world.write(state(3, "a")))

    assert raised.value.next_step == f"put it right: holdfast state backups {OTHER}"


def test_a_state_at_a_states_name_in_the_same_bucket_is_adopted_and_is_nobodys_afterwards(
    world: World,
) -> None:
    """Also where the first try was killed before the old place was marked."""
    key, content = "old/terraform.tfstate", named(state(3, "a"))
    world.store.create(key, content)
    world.old = world.store
    for _ in range(2):
        source = ObjectSource(world.store, "states", key)
        world.adopt(source)
        assert {*StateOwners(world.store).now().states} == {FOLDER}
        del world.store.objects[key + MARK]
    assert {*StateOwners(world.store).now().states} == {FOLDER, "old"}


def named(body: bytes, **more: str) -> bytes:
    """The state with objects that have their names, too."""
    document = json.loads(body)
    for one in document["resources"]:
        one["instances"][0]["attributes"] |= {"name": one["name"], **more}
    return json.dumps(document).encode()


def test_the_state_of_another_stack_is_refused_with_the_stack_it_belongs_to(world: World) -> None:
    with pytest.raises(UsageError, match="is the state of stack 'api', not of 'web'") as raised:
        world.adopt(world.write(state(3, "c")))

    assert str(raised.value.next_step).startswith("holdfast adopt api --env dev --from ")


def test_the_place_where_another_stack_is_said_to_be_is_its_own(world: World) -> None:
    place = str(world.file)
    web, api = world.shards
    world.shards = (web, replace(api, elsewhere=StateElsewhere(kind="local", place=place, source=place)))

    with pytest.raises(UsageError, match="is the state of stack 'api'"):
        world.adopt(world.write(state(3, "a")))


def test_a_state_of_nothing_in_the_app_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match=r"nothing that .* manages is in the configuration of web"):
        world.adopt(world.write(state(3, "zzz")))


def test_the_shards_own_place_and_those_of_others_are_no_source(world: World) -> None:
    own, other = (ObjectSource(world.store, "states", one.state.key) for one in world.shards)

    with pytest.raises(UsageError, match="is where the state of web belongs already"):
        world.adopt(own)
    with pytest.raises(UsageError, match="is the state of api, which Holdfast keeps itself"):
        world.adopt(other)


def test_an_object_that_went_to_another_shard_is_refused_by_its_mark(world: World) -> None:
    source = world.write_object(state(3, "a"))
    world.old.create(f"old/web.tfstate{MARK}", b'{"state_is_now_at": "s3://states/elsewhere"}')

    with pytest.raises(GateError, match="was adopted before: its state is at s3://states/elsewhere now"):
        world.adopt(source)


def test_an_older_state_that_came_from_there_is_written_over_and_kept(world: World) -> None:
    first, second = state(3, "a"), state(4, "a", "b")
    world.adopt(world.write(first))

    done = world.adopt(world.write(second))

    assert world.store.objects[KEY] == second
    assert done.backup is not None
    assert world.store.objects[done.backup] == first
    assert done.mark == f"{world.file}{MARK}-2"


def test_a_file_that_was_deployed_from_after_its_adoption_is_not_taken_for_old(world: World) -> None:
    world.adopt(world.write(state(3, "a")))
    head = world.store.head(KEY)
    assert head is not None
    world.store.replace(KEY, state(7, "a"), etag=head.etag)

    with pytest.raises(GateError, match="each was written since without the other"):
        world.adopt(world.write(state(4, "a", "b")))


def test_a_source_somebody_works_on_is_left_alone(world: World) -> None:
    source = world.write(state(3, "a"))
    if not (child := os.fork()):
        with world.file.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            (world.folder / "locked").touch()
            signal_free(world.folder / "free")
        os._exit(0)
    signal_free(world.folder / "locked")
    try:
        with pytest.raises(LeasedError, match="Terraform is at work on"):
            world.adopt(source)
    finally:
        (world.folder / "free").touch()
        os.waitpid(child, 0)
    assert KEY not in world.store.objects

    old = world.write_object(state(3, "a"))
    lock = holding_lock(world.old, "old/web.tfstate", bucket="old-states", operation="Apply", now=NOW)
    with lock, pytest.raises(LeasedError, match="Apply"):
        world.adopt(old)
    assert KEY not in world.store.objects


def signal_free(file: Path) -> None:
    while not file.exists():
        os.sched_yield()


@dataclass(frozen=True)
class OneStore:
    held: MortalStore

    def store(self, _shard: Shard) -> Any:
        return self.held


def test_a_stack_whose_state_is_elsewhere_waits_until_that_was_adopted(world: World) -> None:
    source = world.write(state(3, "a"))
    there = StateElsewhere(
        kind="local", place=source.place, source=source.place, lineage="ours", serial=3, objects=1
    )
    web = replace(world.shards[0], elsewhere=there)
    tools: Any = OneStore(world.store)
    told: list[str] = []

    with pytest.raises(UsageError, match="is in the local file") as raised:
        refuse_states_elsewhere(tools, [web])
    assert raised.value.next_step == f"holdfast adopt web --env dev --from {source.place}"
    world.adopt(source)
    refuse_states_elsewhere(tools, [web], told.append)
    written_since = replace(web, elsewhere=replace(there, serial=4))

    assert told == [
        f"web: its state was taken over from {source.place}, which is out of date; remove that file"
    ]
    with pytest.raises(UsageError, match="is in the local file"):
        refuse_states_elsewhere(tools, [written_since])


def test_a_declared_backend_is_let_pass_once_its_state_was_adopted_from_wherever(world: World) -> None:
    cloud = StateElsewhere(kind="cloud", place="cloud (app.terraform.io/acme/web)")
    world.shards = (replace(world.shards[0], elsewhere=cloud), world.shards[1])
    tools: Any = OneStore(world.store)

    with pytest.raises(UsageError, match="declares a backend of its own") as raised:
        refuse_states_elsewhere(tools, world.shards)
    world.adopt(world.write(state(3, "a")))

    assert "state pull > web-123456789012-eu-west-1-dev.tfstate" in str(raised.value.next_step)
    refuse_states_elsewhere(tools, world.shards)
