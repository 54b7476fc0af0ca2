"""Which records of a shard are deployments to go back to: no destroy is one, and no rollback by hand."""

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.last_good import LastGood, Rejected, deployments, target_in
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.state_file import Recorded

AT = datetime(2026, 1, 1, tzinfo=UTC)


def record(generation: int, verb: str | None = "deploy", target: int | None = None) -> LastGood:
    return LastGood(
        generation=generation,
        run=f"R{generation}",
        artifact=f"a{generation}",
        state=Recorded("lineage", generation, "sha"),
        outputs_sha256="o",
        index=IdentityIndex(),
        actor=Actor(kind="user", name="jane", host="laptop"),
        at=AT,
        verb=verb,
        target=None if target is None else f"R{target}",
    )


def history(*records: LastGood) -> tuple[LastGood, ...]:
    return tuple(reversed(records))


@pytest.mark.parametrize(
    ("records", "good"),
    [
        ([record(1), record(2)], [2, 1]),
        ([record(1), record(2, "destroy")], [1]),
        ([record(1, "destroy")], []),
        ([record(1), record(2), record(3, "rollback", 1)], [1]),
        ([record(1), record(2), record(3, "rollback", 1), record(4)], [4, 1]),
        ([record(1), record(2), record(3, "rollback", 1), record(4, "destroy")], [1]),
        ([record(1), record(2, "destroy"), record(3, "rollback", 1)], [1]),
        ([record(1), record(2), record(3, "rollback", 1), record(4, "rollback", 3)], [1]),
        ([record(1), record(2), record(3, "rollback", 2), record(4)], [4, 2, 1]),
        # The bucket does not keep what it went back to: what it deployed stands for itself.
        ([record(5), record(6, "rollback", 1)], [6, 5]),
        ([record(1), record(2, verb=None)], [1]),
    ],
)
def test_what_there_is_to_go_back_to(records: list[LastGood], good: list[int]) -> None:
    assert [each.generation for each in deployments(history(*records))] == good


@given(st.lists(st.sampled_from(["deploy", "destroy", "rollback"]), max_size=12), st.data())
def test_a_rollback_never_leads_to_a_destroy_nor_forward(verbs: list[str], data: st.DataObject) -> None:
    records: list[LastGood] = []
    for generation, verb in enumerate(verbs, start=1):
        target = data.draw(st.integers(1, generation - 1)) if verb == "rollback" and generation > 1 else None
        records.append(record(generation, verb, target))

    good = deployments(history(*records))

    generations = [each.generation for each in good]
    assert generations == sorted(set(generations), reverse=True)
    assert not any(each.is_destroy for each in good)
    for each in records:
        assert target_in(history(*records), each).generation <= each.generation


def test_what_was_rejected_is_read_back_and_older_records_have_none() -> None:
    kept = dataclasses.replace(record(1), rejected=(Rejected("R0", "digest"),))

    assert b"digest" in kept.body()
    assert record(1).rejected == ()
