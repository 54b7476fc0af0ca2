"""Buckets as the version before left them: today's reads the records and ends what is open as that one did.

How they were made is in `tests/fixtures/version_before/README.md`.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy_world import CHAIN, World, key
from tests.support.version_before import DEAD, FOLDER, LONG, Today, bucket, document, plan_folder, shard

from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.deploy.run_context import DeployPolicy, RunContext
from holdfast_orchestrator.deploy.shard.intent import Intent, RollbackTarget
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.deploy.workers import take_over
from holdfast_orchestrator.errors import GateError, HoldfastError
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.plan.saved import keep, read_kept, refuse_stale
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.record.audit.verify import verify_audit
from holdfast_orchestrator.record.journal.entry import JournalName
from holdfast_orchestrator.record.journal.journal import Journal, journalled_shards, read_journal
from holdfast_orchestrator.record.last_good import earlier, read_last_good
from holdfast_orchestrator.record.runs import read_run
from holdfast_orchestrator.record.shard_record import shard_of
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state.backups import list_backups
from holdfast_orchestrator.state.lease import Claim, Leases
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.testing import FrozenClock


def test_the_records_of_a_committed_deploy_are_read() -> None:
    store = bucket("committed")
    good = read_last_good(store, FOLDER)
    record, kept = read_run(store, "01NEXT"), read_state_record(store, FOLDER)
    snapshot, backups = read_snapshot(store, key("network")), list_backups(store, FOLDER)

    assert good is not None
    assert kept is not None
    assert record is not None
    assert snapshot is not None
    assert (good.record.run, kept.record.is_open, record.outcomes) == (
        "01NEXT",
        False,
        {"network": "committed"},
    )
    assert [one.run for one in earlier(store, FOLDER)] == ["01NEXT", "01GOOD"]
    assert read_artifact(store, good.record.artifact).configuration == document("committed")["shard"].encode()
    assert good.record.shard is not None
    assert shard_of(good.record.shard).state == CHAIN[0].state
    assert [one.address for one in good.record.index] == ["aws_ssm_parameter.fresh", "aws_ssm_parameter.kept"]
    assert kept.record.state is not None
    assert kept.record.state.serial == snapshot.serial == 3
    assert [backup.serial for backup in backups] == [1]
    assert not verify_audit(store, clock=FrozenClock()).findings


@pytest.mark.parametrize("name", ["good", "committed", "stuck", *DEAD])
def test_every_journal_is_read_and_its_bytes_stay_as_they_are(tmp_path: Path, name: str) -> None:
    today = Today.at(name, tmp_path)
    before = dict(today.store.objects)
    for run in ("01GOOD", "01NEXT", "01DEAD", "01STUCK"):
        for journalled in journalled_shards(today.store, run):
            here = JournalName(run, journalled)
            entries = read_journal(today.store, here)
            with Journal.resume(here, runtime=today.run(run).runtime, store=today.store) as journal:
                assert journal.entries == entries
            assert entries

    assert today.store.objects == before


EARLIER = {
    **dict.fromkeys(("leased", "preflight", "snapshot", "planned", "gated"), Phase.PREPARED),
    "verify2": Phase.VERIFY,
    "rb_guarded": Phase.RB_PLANNED,
}


def test_phases_of_earlier_names_are_read_as_those_of_today() -> None:
    forward = read_journal(bucket("died_promoted_before"), JournalName("01DEAD", "network"))
    back = read_journal(bucket("died_rolled_back_before"), JournalName("01DEAD", "network"))

    for entry in (*forward, *back):
        assert entry.name == json.loads(entry.line)["phase"]
        assert entry.phase == EARLIER.get(entry.name, entry.name)
    assert {*EARLIER} <= {entry.name for entry in (*forward, *back)}
    assert [entry.seq for entry in forward if entry.begins] == [1]


def test_a_shard_that_the_version_before_had_only_prepared_is_begun_anew_in_its_chain(tmp_path: Path) -> None:
    today = Today.at("died_gated_after", tmp_path)
    run = today.run("01DEAD")
    context = RunContext.open(run, (today.shard,), DeployPolicy(operator=True))

    result = take_over(today.shard, run, Intent(), context)

    assert result.outcome is Outcome.COMMITTED, result
    entries = read_journal(today.store, JournalName("01DEAD", "network"))
    assert [entry.name for entry in entries if entry.begins] == ["leased", "prepared"]


@pytest.mark.parametrize("name", DEAD)
def test_a_run_that_died_is_resumed_to_the_end_that_the_version_before_gave_it(
    tmp_path: Path, name: str
) -> None:
    today = Today.at(name, tmp_path)

    result = today.resumes("01DEAD")

    assert today.ended(result) == document(name)["resumed"]
    assert Leases(today.store, today.run("01NEW").runtime).holder(FOLDER) is None


@pytest.mark.parametrize("name", ["died_gated_after", "died_applying_before", "died_verify2_before"])
def test_after_a_run_that_died_was_ended_the_next_deploy_is_committed(tmp_path: Path, name: str) -> None:
    today = Today.at(name, tmp_path)
    today.resumes("01DEAD")
    today.world.ill = False
    today.shard = shard(document("committed")["third"])

    result = today.works("01LAST")

    assert today.ended(result) == document("committed")["deployed_once_more"]


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (None, "resumed"),
        (OperatorDecision(), "continued"),
        (OperatorDecision(accept_forward=True), "accepted_forward"),
    ],
)
def test_a_run_that_is_stuck_waits_and_ends_as_it_is_decided(
    tmp_path: Path, decision: OperatorDecision | None, expected: str
) -> None:
    today = Today.at("stuck", tmp_path)
    today.world.ill = expected != "accepted_forward"

    result = today.resumes("01STUCK", decision)

    assert today.ended(result) == document("stuck")[expected]


def test_a_good_deployment_is_gone_back_from_by_hand(tmp_path: Path) -> None:
    today = Today.at("committed", tmp_path)

    result = today.works("01BACK", back=RollbackTarget())

    assert today.ended(result) == document("committed")["rolled_back_by_hand"]


def test_the_next_version_is_deployed_after_a_good_deployment(tmp_path: Path) -> None:
    today = Today.at("committed", tmp_path, configuration="third")

    result = today.works("01LAST")

    assert today.ended(result) == document("committed")["deployed_once_more"]


def test_a_saved_plan_is_read_and_applied(tmp_path: Path) -> None:
    today = Today.at("saved_plan", tmp_path)
    kept = read_kept(plan_folder(tmp_path))

    refuse_stale(kept.shards[0], today.shard, read_snapshot(today.store, key("network")), {})
    result = today.works("01APPLY", shown=kept)

    assert today.ended(result) == document("saved_plan")["deployed"]


def test_a_saved_plan_is_written_as_the_version_before_wrote_it(tmp_path: Path) -> None:
    plans = plan_folder(tmp_path)
    before = json.loads((plans / "plan.json").read_text())

    keep(read_kept(plans), plans)

    assert json.loads((plans / "plan.json").read_text()) == before
    assert {file.name for file in plans.iterdir()} == {*document("saved_plan")["files"]}


def test_a_saved_plan_is_refused_once_its_state_is_another(tmp_path: Path) -> None:
    today = Today.at("committed", tmp_path)
    kept = read_kept(plan_folder(tmp_path))

    with pytest.raises(GateError, match=r"against state serial 1 .*now it is state serial 3"):
        refuse_stale(kept.shards[0], today.shard, read_snapshot(today.store, key("network")), {})


@pytest.mark.parametrize("kind", ["run", "human"])
@pytest.mark.parametrize(
    "asking", ["at once, by a run", "at once, by a person", "late, by a run", "late, by a person"]
)
def test_a_lease_that_is_held_is_judged_as_the_version_before_judged_it(
    tmp_path: Path, kind: str, asking: str
) -> None:
    name = f"lease_of_a_{kind}"
    store = bucket(name, after=LONG if asking.startswith("late") else 0.0)
    leases = Leases(store, Today(World(tmp_path, store=store), CHAIN[0]).run("01OTHER").runtime)
    claim = Claim(folder=FOLDER, run="01OTHER", owner="jane", doing="deploying network")

    answer: dict[str, Any]
    try:
        with leases.take(claim, operator=asking.endswith("person")) as lease:
            taken = lease.record.taken
            answer = {"epoch": lease.record.epoch, "why": None if taken is None else taken.why}
    except HoldfastError as error:
        answer = {"what": error.what, "next_step": error.next_step}

    assert answer == document(name)["takeover"][asking]
