"""Many deployers of one shard: the journals in the bucket prove that no two ever applied at once."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.record.journal.entry import Entry, JournalName
from holdfast_orchestrator.record.journal.journal import read_journal
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.system.runtime import Boto3Aws

if TYPE_CHECKING:
    from tests.terraform.conftest import App

RACER = Path(__file__).resolve().parent.parent / "fixtures" / "deploy_racer.py"
SHOP = {"shop": {"resource": {"terraform_data": {"raced": {"input": "none yet"}}}}}
PATIENCE_SECONDS = 800


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a racer says of one try."""

    run: str
    outcome: str
    code: int
    why: str | None
    number: int


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One run's time on the shard, by its journal: from before its first apply to after its last."""

    run: str
    epochs: frozenset[int]
    serial: int
    begins: datetime
    ends: datetime

    @property
    def epoch(self) -> int:
        (epoch,) = self.epochs
        return epoch


def race(app: "App", racers: int, tries: int, *, lease: str) -> list[Told]:
    """Let so many deployers, each as on a machine of its own, deploy the shard at once, again and again."""
    places = [_place_of_its_own(app, f"racer-{number}") for number in range(racers)]
    started = [_start(app, place, racers, tries, lease=lease) for place in places]
    return [told for racer in started for told in _told(racer)]


def _place_of_its_own(app: "App", name: str) -> Path:
    place = app.folder.parent / "racers" / name
    shutil.copytree(app.folder, place)
    return place


def _start(
    app: "App", place: Path, racers: int, tries: int, *, lease: str = "leave", stack: str = "shop"
) -> "subprocess.Popen[str]":
    meeting = place.parent
    environ = {**app.environ, "HOLDFAST_CACHE_DIR": str(meeting.parent / f"cache-{place.name}")}
    return subprocess.Popen(
        [sys.executable, str(RACER), place.name, str(racers), str(tries), stack, lease],
        cwd=place,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _told(racer: "subprocess.Popen[str]") -> Iterator[Told]:
    out, err = racer.communicate(timeout=PATIENCE_SECONDS)
    assert racer.returncode == 0, err
    for line in out.splitlines():
        said: dict[str, Any] = json.loads(line)
        yield Told(number=said.pop("try"), **said)


def holdings(app: "App", told: Sequence[Told], *, shard: str = "shop") -> list[Holding]:
    """Every run's time on the shard, by the journals in the bucket, in the order of the beginnings."""
    client = Boto3Aws().client(
        "s3", region="eu-west-1", environ=local_environ(app.environ["AWS_ENDPOINT_URL"])
    )
    store = S3Store(client, StateLocation(bucket=app.bucket, key="", region="eu-west-1"), cloud="local")
    journals = {one.run: read_journal(store, JournalName(one.run, shard)) for one in told}
    found = [_holding(run, entries) for run, entries in journals.items() if entries]
    return sorted(found, key=lambda holding: holding.begins)


def _holding(run: str, entries: Sequence[Entry]) -> Holding:
    applying = [entry.at for entry in entries if entry.phase is Phase.APPLYING]
    serials = [entry.data["serial"] for entry in entries if entry.data.get("serial") is not None]
    return Holding(
        run=run,
        epochs=frozenset(entry.epoch for entry in entries),
        serial=serials[0] if serials else 0,
        begins=applying[0],
        ends=applying[-1],
    )


def overlaps(held: Sequence[Holding]) -> list[tuple[str, str]]:
    """The pairs of runs whose applies were going on at the same time; `held` in the order they began."""
    ordered = sorted(held, key=lambda holding: holding.begins)
    pairs = (
        (earlier, later)
        for place, earlier in enumerate(ordered)
        for later in ordered[place + 1 :]
        if later.begins < earlier.ends
    )
    return [(earlier.run, later.run) for earlier, later in pairs]


def assert_one_at_a_time(held: Sequence[Holding]) -> None:
    assert overlaps(held) == []
    # Each holding of the lease has a number of its own, and they were held in that order.
    assert all(earlier.epoch < later.epoch for earlier, later in pairwise(held))
    # Each applied to what the one before had left: no write was lost.
    assert all(earlier.serial < later.serial for earlier, later in pairwise(held))


@pytest.mark.long
def test_in_forty_tries_two_deployers_of_a_shard_never_apply_at_once(plain_app: "App") -> None:
    plain_app.write(SHOP)

    told = race(plain_app, 2, 40, lease="leave")

    held = holdings(plain_app, told)
    assert len({one.number for one in told}) == 40
    assert_one_at_a_time(held)
    left = [one for one in told if one.code == 7]
    assert {one.code for one in told} <= {0, 7}, told
    assert len(held) == len(told) - len(left) == len([one for one in told if one.outcome == "committed"])
    assert all(one.why is not None and "held by" in one.why for one in left)
    # They did meet: else nothing was shown.
    assert len(left) > 20


@pytest.mark.long
def test_whoever_waits_for_the_other_deployer_applies_after_it(plain_app: "App") -> None:
    plain_app.write(SHOP)

    told = race(plain_app, 2, 20, lease="wait")

    held = holdings(plain_app, told)
    assert {(one.outcome, one.code) for one in told} == {("committed", 0)}
    assert len(held) == 40
    assert_one_at_a_time(held)


@pytest.mark.long
def test_of_sixteen_deployers_at_once_one_at_a_time_applies(plain_app: "App") -> None:
    plain_app.write(SHOP)

    told = race(plain_app, 16, 3, lease="leave")

    held = holdings(plain_app, told)
    assert_one_at_a_time(held)
    assert {one.code for one in told} <= {0, 7}, told
    for number in range(3):
        assert [one.code for one in told if one.number == number].count(0) >= 1
    assert [one.code for one in told].count(7) > 16


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"begins": 1.9}, id="it began before the first had ended"),
        pytest.param({"epoch": 1}, id="both held the same lease"),
        pytest.param({"serial": 7}, id="it applied to the state the first had applied to"),
    ],
)
def test_the_proof_fails_for_journals_of_deployers_that_met(second: dict[str, float]) -> None:
    good = [_made_up(begins=1.0, epoch=1, serial=7), _made_up(begins=2.0, epoch=2, serial=8)]
    bad = [good[0], _made_up(**{"begins": 2.0, "epoch": 2, "serial": 8, **second})]

    assert_one_at_a_time(good)

    with pytest.raises(AssertionError):
        assert_one_at_a_time(bad)


def _made_up(*, begins: float, epoch: float, serial: float) -> Holding:
    began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=begins)
    return Holding(
        run=f"run at {begins}",
        epochs=frozenset({int(epoch)}),
        serial=int(serial),
        begins=began,
        ends=began + timedelta(seconds=1.0),
    )


def test_deployers_of_two_shards_apply_at_the_same_time(plain_app: "App", tmp_path: Path) -> None:
    """Each apply ends only when the other's has begun: one that waited for the other would fail."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    stacks = {"left": "right", "right": "left"}
    plain_app.write({mine: _waits_for(other, mine=mine, meeting=meeting) for mine, other in stacks.items()})
    left, right = (_place_of_its_own(plain_app, name) for name in ("left", "right"))

    started = [_start(plain_app, place, 2, 1, stack=place.name, lease="leave") for place in (left, right)]
    told = [one for racer in started for one in _told(racer)]

    assert [(one.outcome, one.code) for one in told] == [("committed", 0)] * 2, told
    both = [*holdings(plain_app, told, shard="left"), *holdings(plain_app, told, shard="right")]
    assert len(overlaps(both)) == 1


def _waits_for(other: str, *, mine: str, meeting: Path) -> dict[str, Any]:
    """A stack whose apply makes the file `mine` and then waits up to 20 s for the file `other`."""
    look = f"[ -e '{meeting}/{other}' ] && exit 0; sleep 0.1"
    command = f"touch '{meeting}/{mine}'; for n in $(seq 200); do {look}; done; exit 1"
    provisioner = [{"local-exec": {"command": command}}]
    return {"resource": {"terraform_data": {"raced": {"input": "none yet", "provisioner": provisioner}}}}
