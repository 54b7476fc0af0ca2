"""`holdfast move` at its writes: a kill after any of them is made good by the same command."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.stores import Killed, MortalStore

from holdfast_orchestrator.app.manifest import Shard, StateLocation
from holdfast_orchestrator.errors import NeedsPersonError, UsageError
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.artifact import Artifact, keep_artifact, read_artifact
from holdfast_orchestrator.record.begun_moves import begun_move
from holdfast_orchestrator.record.last_good import LastGood, deployments, promote, read_last_good
from holdfast_orchestrator.record.moving import refuse_half_moved
from holdfast_orchestrator.record.shard_record import note_of, shard_of
from holdfast_orchestrator.record.state_record import StateRecord, read_state_record, write_state_record
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state_admin.move import Proposal, Wanted, propose
from holdfast_orchestrator.state_admin.move_writes import Done, carry_out
from holdfast_orchestrator.state_admin.operator import Operator
from holdfast_orchestrator.state_admin.restore import StatePlace
from holdfast_orchestrator.state_admin.restore import propose as propose_restore
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import SystemClock
from holdfast_orchestrator.terraform.handed_blocks import (
    NotWrittenOutError,
    StateValues,
    moved_blocks,
    with_blocks,
    without_blocks,
)
from holdfast_orchestrator.terraform.identity import index_state
from holdfast_orchestrator.terraform.references import Reference
from holdfast_orchestrator.terraform.state_file import Recorded, read_state
from holdfast_orchestrator.terraform.stateful_types import Protection
from holdfast_orchestrator.testing import refusing_runtime

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACTOR = Actor(kind="user", name="jane", host="laptop")
BACKEND = {"backend": {"s3": {"key": "%s"}}, "required_providers": {"aws": {"source": "hashicorp/aws"}}}


def folder(name: str) -> str:
    return f"{name}/123456789012/eu-west-1/dev"


def topics(*names: str, **blocks: Any) -> bytes:
    resources = {"aws_sns_topic": {name: {"name": name} for name in names}}
    settings = json.loads(json.dumps(BACKEND))
    return json.dumps({"terraform": settings, "resource": resources, **blocks}).encode()


def state(*names: str, lineage: str) -> bytes:
    resources = [
        {
            "mode": "managed",
            "type": "aws_sns_topic",
            "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"attributes": {"id": f"id-{name}", "name": name}}],
        }
        for name in names
    ]
    return json.dumps(
        {"version": 4, "serial": 3, "lineage": lineage, "outputs": {}, "resources": resources}
    ).encode()


def shard(name: str, *declares: str) -> Shard:
    return Shard(
        name=name,
        directory=Path(),
        configuration=topics(*declares),
        service=name,
        environment="dev",
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key=f"{folder(name)}/terraform.tfstate", region="eu-west-1"),
    )


def deployed(store: MemoryStore, of: Shard, *names: str) -> None:
    """The state, the record and the last good deployment of a shard."""
    body = state(*names, lineage=of.name)
    read = read_state("", body)
    recorded = Recorded(read.lineage, read.serial, read.sha256)
    store.create(of.state.key, body)
    artifact = keep_artifact(store, Artifact(configuration=topics(*names), engine="terraform 1.11.4"))
    good = LastGood(
        generation=0,
        run=f"DEPLOY-{of.name}",
        artifact=artifact,
        state=recorded,
        outputs_sha256="",
        index=index_state(read.document, protection=Protection()),
        actor=ACTOR,
        at=NOW,
        project="shop",
        shard=note_of(of),
        verb="deploy",
    )
    promote(store, of.state.folder, good, after=None)
    record = StateRecord(run=good.run, is_open=False, state=recorded, at=NOW, project="shop")
    write_state_record(store, of.state.folder, record, after=None)


class World:
    """FROM has a, b and c; of these TO declares b and c now. `renamed`: FROM is gone, and TO is new."""

    def __init__(self, *, renamed: bool) -> None:
        self.store, self.renamed = MortalStore(), renamed
        self.giver = shard("from", "a")
        self.gainer = shard("to", "a", "b", "c") if renamed else shard("to", "b", "c", "z")
        deployed(self.store, self.giver, "a", "b", "c")
        if not renamed:
            deployed(self.store, self.gainer, "z")

    def propose(self) -> Proposal:
        return propose(
            Wanted(
                source=self.giver,
                target=self.gainer,
                store=self.store,
                project="shop",
                source_in_app=not self.renamed,
            )
        )

    def move(self, run: str = "RUN") -> Done:
        runtime = refusing_runtime(clock=SystemClock(), processes=SystemProcesses())
        return carry_out(self.propose(), Operator(runtime=runtime, actor=ACTOR, run=run))

    def has(self, of: Shard) -> list[str]:
        document = json.loads(self.store.objects[of.state.key])
        return [one["name"] for one in document["resources"]]

    def record(self, of: Shard) -> StateRecord | None:
        kept = read_state_record(self.store, of.state.folder)
        return None if kept is None else kept.record

    def good(self, of: Shard) -> tuple[LastGood, list[str], list[str]]:
        """The last good deployment, what its configuration declares and what its index has."""
        kept = read_last_good(self.store, of.state.folder)
        assert kept is not None
        declared = json.loads(read_artifact(self.store, kept.record.artifact).configuration)
        names = sorted(declared.get("resource", {}).get("aws_sns_topic", {}))
        return kept.record, names, sorted(one.address.partition(".")[2] for one in kept.record.index)

    def died(self) -> bool:
        try:
            self.move()
        except Killed:
            return True
        finally:
            self.store.revive(self.giver.state.folder, self.gainer.state.folder)
        return False


@pytest.mark.parametrize("renamed", [False, True])
def test_a_kill_at_any_write_is_made_good_by_the_same_command(*, renamed: bool) -> None:
    killed = 0
    moved = ["a", "b", "c"] if renamed else ["b", "c"]
    for writes in range(40):
        world = World(renamed=renamed)
        world.store.writes_left = writes
        if world.died():
            killed += 1
            seen = {*world.has(world.giver)}
            if world.gainer.state.key in world.store.objects:
                seen |= {*world.has(world.gainer)}
            assert {*moved} <= seen
            ended = [world.record(one) for one in (world.giver, world.gainer)]
            if not renamed and all(one is not None and one.run == "RUN" for one in ended):
                with pytest.raises(UsageError, match="nothing that from has"):
                    world.move("AGAIN")
            else:
                assert world.move("AGAIN").not_good is None

        ours, theirs = (["a", "b", "c"], []) if renamed else (["b", "c", "z"], ["a"])
        assert (sorted(world.has(world.gainer)), world.has(world.giver)) == (ours, theirs)
        for one, names in ((world.gainer, ours), (world.giver, theirs)):
            good, declared, indexed = world.good(one)
            kept = world.record(one)
            assert kept is not None
            assert (declared, indexed) == (names, names)
            assert (good.verb, good.is_destroy) == ("move", False)
            assert kept.moving is None
            assert kept.state == good.state
            assert good.state.sha256 == read_state("", world.store.objects[one.state.key]).sha256
            came = kept.received if one is world.gainer else kept.handed
            assert sorted(each.identity.value for each in came) == [f"id-{name}" for name in moved]
    assert 10 < killed < 39


def test_what_was_half_moved_is_deployed_only_after_the_same_command() -> None:
    """A mark of a move that nothing was written of says nothing; one that was begun names the command."""
    said = []
    for writes in range(40):
        world = World(renamed=False)
        world.store.writes_left = writes
        if not world.died():
            break
        for one in (world.giver, world.gainer):
            kept = read_state_record(world.store, one.state.folder)
            try:
                refuse_half_moved(world.store, None if kept is None else kept.record.moving)
            except NeedsPersonError as error:
                said.append(error.next_step)
    assert set(said) == {"holdfast move from to --env dev --yes"}


def half_moved(writes: int) -> "World | None":
    """A renamed stack whose move a kill ended after so many writes; None where nothing was moved yet."""
    world = World(renamed=True)
    world.store.writes_left = writes
    world.died()
    return world if begun_move(world.store, "from", "to", ()) is not None else None


def test_a_move_ends_though_the_receiver_left_the_app_again() -> None:
    """The code was changed back, or the stack renamed once more: the records know both places."""
    keys = []
    for world in filter(None, map(half_moved, range(40))):
        begun = begun_move(world.store, "from", "to", ("dev",))
        assert begun is not None
        assert begun_move(world.store, "to", "from", ()) is None
        assert begun_move(world.store, "from", "to", ("prod",)) is None
        world.gainer = shard_of(begun.target)

        world.move("AGAIN")

        assert (sorted(world.has(world.gainer)), world.has(world.giver)) == (["a", "b", "c"], [])
        good, declared, indexed = world.good(world.gainer)
        assert declared == indexed == ["a", "b", "c"]
        artifact = json.loads(read_artifact(world.store, good.artifact).configuration)
        keys.append(artifact["terraform"]["backend"]["s3"]["key"])
    # Last come those where the run that was killed had written it, as its app had it.
    assert len(keys) > 3
    assert keys[0] == shard("to").state.key
    assert {*keys} <= {keys[0], BACKEND["backend"]["s3"]["key"]}


def test_a_state_is_not_put_back_while_a_move_of_it_is_half_done() -> None:
    """Where the giver has let go already, putting the receiver back would leave the objects in no state."""
    refused = 0
    for world in filter(None, map(half_moved, range(40))):
        for one in (world.giver, world.gainer):
            place = StatePlace(
                store=world.store, key=one.state.key, shard=one.name, bucket=one.state.bucket, project="shop"
            )
            copies = place.copies.all()
            kept = read_state_record(world.store, one.state.folder)
            if copies and kept is not None and kept.record.moving is not None:
                with pytest.raises(NeedsPersonError, match="did not end") as raised:
                    propose_restore(place, copies[0])
                assert raised.value.next_step == "holdfast move from to --env dev --yes"
                refused += 1
    assert refused > 3


def test_a_move_of_others_that_did_not_end_is_ended_first() -> None:
    world = World(renamed=False)
    for writes in range(40):
        world = World(renamed=False)
        world.store.writes_left = writes
        world.died()
        kept = read_state_record(world.store, world.gainer.state.folder)
        if kept is not None and kept.record.moving is not None and kept.record.moving.is_begun(world.store):
            break
    world.giver = shard("other", "a")
    deployed(world.store, world.giver, "y")

    with pytest.raises(NeedsPersonError, match="the move from from to to did not end") as raised:
        world.propose()

    assert raised.value.next_step == "holdfast move from to --env dev --yes"


def test_a_rollback_by_hand_counts_a_move_as_the_deployment_that_it_changed() -> None:
    world = World(renamed=False)
    kept = read_last_good(world.store, world.gainer.state.folder)
    assert kept is not None
    first = replace(kept.record, run="FIRST", generation=1)
    second = replace(first, run="SECOND", generation=2)
    moves = [replace(first, run=f"MOVE{n}", generation=n, verb="move") for n in (3, 4)]
    third = replace(first, run="THIRD", generation=5)

    found = deployments((third, *reversed(moves), second, first))

    assert [one.run for one in found] == ["THIRD", "MOVE4", "FIRST"]


REFERRING: dict[str, Any] = {
    "resource": {
        "aws_sns_topic": {"t": {"name": "n"}},
        "aws_ssm_parameter": {
            "p": {
                "value": "${aws_sns_topic.t.arn}",
                "tags": {"in": "x-${upper(aws_sns_topic.t.name)}-$${aws_sns_topic.t.name}"},
                "depends_on": ["aws_sns_topic.t", "aws_ssm_parameter.q"],
            },
            "q": {"value": "${data.aws_region.here.name}", "for_each": '${toset(["a"])}'},
        },
    },
    "data": {"aws_region": {"here": {}}},
    "output": {"o": {"value": "${aws_sns_topic.t.tags}"}},
    "moved": [{"from": "aws_sns_topic.old", "to": "aws_sns_topic.t"}],
}


def resource(mode: str, kind: str, name: str, *instances: dict[str, Any]) -> dict[str, Any]:
    return {"mode": mode, "type": kind, "name": name, "provider": "p", "instances": list(instances)}


VALUES = StateValues(
    [
        {
            "resources": [
                resource(
                    "managed",
                    "aws_sns_topic",
                    "t",
                    {"attributes": {"arn": "arn:${x}", "name": 'n"', "tags": {"a": "${b}"}}},
                ),
                resource("data", "aws_region", "here", {"attributes": {"name": "eu-west-1"}}),
            ]
        }
    ]
)


def test_what_stays_has_the_values_of_what_went() -> None:
    left = without_blocks(REFERRING, moved_blocks(["aws_sns_topic.t"], ["aws_sns_topic.t"]), VALUES)

    assert left["resource"] == {
        "aws_ssm_parameter": {
            "p": {
                "value": "arn:$${x}",
                "tags": {"in": 'x-${upper("n\\"")}-$${aws_sns_topic.t.name}'},
                "depends_on": ["aws_ssm_parameter.q"],
            },
            "q": REFERRING["resource"]["aws_ssm_parameter"]["q"],
        }
    }
    assert left["output"] == {"o": {"value": {"a": "$${b}"}}}
    assert "moved" not in left


def test_what_came_has_the_values_of_what_it_left() -> None:
    gainer: dict[str, Any] = {"resource": {"aws_sqs_queue": {"z": {}}}}

    gained = with_blocks(gainer, REFERRING, [Reference("resource", "aws_ssm_parameter", "q")], VALUES)

    assert gained["resource"] == {
        "aws_sqs_queue": {"z": {}},
        "aws_ssm_parameter": {"q": {"value": "eu-west-1", "for_each": '${toset(["a"])}'}},
    }
    assert with_blocks(gained, REFERRING, [Reference("resource", "aws_ssm_parameter", "q")], VALUES) == gained


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("${var.x}", "the value of var.x is not known"),
        ("${aws_sns_topic.other.arn}", "the value of aws_sns_topic.other.arn is not known"),
        ("${data.aws_region.here.nothing}", "not known"),
    ],
)
def test_what_cannot_be_written_out_is_not_guessed(value: str, said: str) -> None:
    giver = {"resource": {"aws_sns_topic": {"n": {"name": value}}}}

    with pytest.raises(NotWrittenOutError, match=said):
        with_blocks({}, giver, [Reference("resource", "aws_sns_topic", "n")], VALUES)


def test_what_is_secret_is_not_written_out() -> None:
    secret = {
        "attributes": {"value": "s"},
        "sensitive_attributes": [[{"type": "get_attr", "value": "value"}]],
    }
    values = StateValues([{"resources": [resource("managed", "aws_ssm_parameter", "s", secret)]}])
    giver = {"resource": {"aws_sns_topic": {"n": {"name": "${aws_ssm_parameter.s.value}"}}}}

    with pytest.raises(NotWrittenOutError, match="secret"):
        with_blocks({}, giver, [Reference("resource", "aws_sns_topic", "n")], values)


@pytest.mark.parametrize("stays", ['aws_sns_topic.t["b"]', "aws_sns_topic.t[1]"])
def test_a_block_does_not_move_in_part(stays: str) -> None:
    with pytest.raises(NotWrittenOutError, match=r"not every object of aws_sns_topic\.t moves"):
        moved_blocks([stays, 'aws_sns_topic.t["a"]'], ['aws_sns_topic.t["a"]'])
