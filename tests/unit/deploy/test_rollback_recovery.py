"""Reading stored states without trust, and which one counts after an apply."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.deploy.decisions.apply_progress import Step
from holdfast_orchestrator.deploy.decisions.state_recovery import (
    AskOperator,
    Evidence,
    MergeByImport,
    NothingToDo,
    PutRescued,
    RebuildByImport,
    RestoreCopy,
    UseStored,
    decide,
)
from holdfast_orchestrator.terraform.state_file import (
    Condition,
    Recorded,
    Standing,
    StateObject,
    compare,
    read_state,
)


def document(serial: int, *ids: str, lineage: str = "L") -> dict[str, Any]:
    return {
        "version": 4,
        "serial": serial,
        "lineage": lineage,
        "resources": [
            {
                "mode": "managed",
                "type": "aws_sns_topic",
                "name": name,
                "provider": "p",
                "instances": [{"attributes": {"id": name}}],
            }
            for name in ids
        ],
    }


def state(source: str, serial: int, *ids: str, lineage: str = "L") -> StateObject:
    return read_state(source, json.dumps(document(serial, *ids, lineage=lineage)).encode())


def recorded(of: StateObject) -> Recorded:
    return Recorded(of.lineage, of.serial, of.sha256)


def create(name: str) -> Step:
    return Step(address=f"aws_sns_topic.{name}", action="create", id_value=name)


ABSENT = read_state("stored", None)
BEFORE = state("stored", 1, "a")


@pytest.mark.parametrize(
    ("content", "condition"),
    [
        (None, Condition.ABSENT),
        (b"", Condition.EMPTY),
        (b" \n", Condition.EMPTY),
        (b'{"version":4}', Condition.HOLLOW),
        (json.dumps(document(3, lineage="")).encode(), Condition.HOLLOW),
        (json.dumps(document(3, "a")).encode()[:-20], Condition.BROKEN),
        (b"null", Condition.BROKEN),
        (b'{"version":5,"serial":1,"lineage":"L","resources":[]}', Condition.BROKEN),
        (b'{"version":4,"serial":"1","lineage":"L","resources":[]}', Condition.BROKEN),
        (b'{"version":4,"serial":1,"lineage":"L","resources":[{}]}', Condition.BROKEN),
        (b"\xff\xfe", Condition.BROKEN),
        (json.dumps(document(0)).encode(), Condition.WHOLE),
    ],
)
def test_a_stored_object_is_read_without_trust(content: bytes | None, condition: Condition) -> None:
    assert read_state("stored", content).condition is condition


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_at_all_can_break_the_reader(content: bytes) -> None:
    found = read_state("stored", content)

    assert found.condition is not Condition.ABSENT
    assert (found.document is not None) == (found.condition is Condition.WHOLE)


@given(st.integers(1, 400))
def test_a_state_cut_short_is_never_whole(missing: int) -> None:
    content = json.dumps(document(3, "a", "b")).encode()

    found = read_state("stored", content[: max(0, len(content) - missing)])

    assert found.condition is not Condition.WHOLE


@pytest.mark.parametrize(
    ("stored", "standing"),
    [
        (BEFORE, Standing.SAME),
        (ABSENT, Standing.ABSENT),
        (read_state("stored", b""), Standing.DAMAGED),
        (read_state("stored", b'{"version":4}'), Standing.DAMAGED),
        (state("stored", 1, "a", lineage="M"), Standing.FOREIGN),
        (state("stored", 0, "a"), Standing.OLDER),
        (state("stored", 2, "a"), Standing.NEWER),
        (state("stored", 1, "b"), Standing.EDITED),
    ],
)
def test_a_stored_state_is_held_against_the_record(stored: StateObject, standing: Standing) -> None:
    assert compare(stored, recorded(BEFORE)) is standing


def test_without_a_record_only_nothing_at_all_is_fine() -> None:
    assert compare(ABSENT, None) is Standing.NONE_YET
    assert compare(BEFORE, None) is Standing.UNRECORDED
    assert compare(read_state("stored", b""), None) is Standing.UNRECORDED


def test_nothing_stored_and_nothing_created_needs_nothing() -> None:
    assert decide(Evidence(stored=ABSENT, recorded=None)) == NothingToDo()


def test_a_state_with_everything_is_used() -> None:
    evidence = Evidence(stored=state("stored", 2, "a", "b"), recorded=recorded(BEFORE), created=[create("b")])

    assert decide(evidence) == UseStored(drop=())


def test_a_killed_first_apply_is_rebuilt_from_its_events() -> None:
    evidence = Evidence(stored=ABSENT, recorded=None, created=[create("a"), create("b")])

    assert decide(evidence) == RebuildByImport(None, None, (create("a"), create("b")))


def test_a_killed_later_apply_imports_what_its_state_misses() -> None:
    evidence = Evidence(stored=BEFORE, recorded=recorded(BEFORE), created=[create("b")])

    assert decide(evidence) == MergeByImport((create("b"),), drop=())


def test_a_rescued_state_that_continues_the_stored_one_is_put_with_the_next_serial() -> None:
    rescued = state("errored", 2, "a", "b")
    evidence = Evidence(stored=BEFORE, recorded=recorded(BEFORE), rescued=[rescued], created=[create("b")])

    decision = decide(evidence)

    assert isinstance(decision, PutRescued)
    assert (decision.state["serial"], decision.state["lineage"]) == (3, "L")


def test_a_rescued_state_may_lack_what_this_run_destroyed() -> None:
    stored, rescued = state("stored", 2, "a", "b"), state("errored", 3, "b")
    evidence = Evidence(
        stored=stored, recorded=recorded(BEFORE), rescued=[rescued], gone=[("aws_sns_topic", "a")]
    )

    assert isinstance(decide(evidence), PutRescued)


def test_a_rescued_state_that_was_saved_after_all_is_dropped() -> None:
    saved = state("stored", 2, "a", "b")
    evidence = Evidence(
        stored=saved,
        recorded=recorded(BEFORE),
        rescued=[state("errored", 2, "a", "b")],
        created=[create("b")],
    )

    assert decide(evidence) == UseStored(drop=("errored",))


@pytest.mark.parametrize("serial", [2, 3, 9])
def test_a_fork_keeps_the_stored_state_and_imports_the_rest(serial: int) -> None:
    evidence = Evidence(
        stored=state("stored", 2, "a", "theirs"),
        recorded=recorded(BEFORE),
        rescued=[state("errored", serial, "a", "ours")],
        created=[create("ours")],
    )

    assert decide(evidence) == MergeByImport((create("ours"),), drop=("errored",))


def test_of_a_fork_all_that_still_exists_is_imported_even_what_no_event_tells() -> None:
    rescued = document(2, "a", "ours", "destroyed", "nameless")
    rescued["resources"][3]["instances"] = [{"attributes": {}}]
    rescued["resources"][1]["instances"].append({"attributes": {"id": "waiting"}, "deposed": "k"})
    evidence = Evidence(
        stored=state("stored", 2, "a", "theirs"),
        recorded=recorded(BEFORE),
        rescued=[read_state("errored", json.dumps(rescued).encode())],
        gone=[("aws_sns_topic", "destroyed")],
    )

    decision = decide(evidence)

    assert isinstance(decision, MergeByImport)
    assert [(step.address, step.id_value) for step in decision.missing] == [
        ("aws_sns_topic.ours", "ours"),
        ("aws_sns_topic.ours", "waiting"),
        ("aws_sns_topic.nameless", None),
    ]


def test_an_object_without_an_id_is_known_by_its_address() -> None:
    stored = document(2, "a")
    stored["resources"][0]["instances"] = [{"attributes": {}}]
    evidence = Evidence(
        stored=read_state("stored", json.dumps(stored).encode()),
        recorded=recorded(BEFORE),
        created=[Step(address="aws_sns_topic.a", action="create")],
    )

    assert decide(evidence) == UseStored(drop=())


def test_a_first_apply_whose_state_a_thief_wrote_is_merged_into_it() -> None:
    evidence = Evidence(stored=state("stored", 2, "b"), recorded=None, created=[create("a")])

    assert decide(evidence) == MergeByImport((create("a"),), drop=())


def test_the_first_state_that_could_not_be_saved_is_put_with_its_own_lineage() -> None:
    rescued = state("errored", 1, "a", lineage="new")

    decision = decide(Evidence(stored=ABSENT, recorded=None, rescued=[rescued], created=[create("a")]))

    assert isinstance(decision, PutRescued)
    assert (decision.state["lineage"], decision.state["serial"]) == ("new", 2)


@pytest.mark.parametrize("content", [None, b"", b'{"version":4}', b'{"version":4,"ser'])
def test_a_lost_state_comes_back_from_the_newest_copy_of_its_lineage(content: bytes | None) -> None:
    evidence = Evidence(
        stored=read_state("stored", content),
        recorded=recorded(BEFORE),
        copies=[
            state("old", 0),
            state("newest", 1, "a"),
            state("other shard", 9, "x", lineage="M"),
            read_state("damaged", b"{"),
        ],
    )

    decision = decide(evidence)

    assert isinstance(decision, RestoreCopy)
    assert (decision.source, decision.state["serial"], decision.state["lineage"]) == ("newest", 2, "L")


def test_a_state_lost_together_with_new_objects_is_restored_and_they_are_imported() -> None:
    evidence = Evidence(
        stored=ABSENT, recorded=recorded(BEFORE), copies=[state("copy", 1, "a")], created=[create("b")]
    )

    decision = decide(evidence)

    assert isinstance(decision, RebuildByImport)
    assert (decision.source, decision.missing) == ("copy", (create("b"),))


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(stored=state("stored", 5, lineage="M"), recorded=recorded(BEFORE)),
        Evidence(stored=state("stored", 1, "edited"), recorded=recorded(BEFORE)),
        Evidence(stored=ABSENT, recorded=recorded(BEFORE)),
        Evidence(stored=ABSENT, recorded=recorded(BEFORE), copies=[state("too old", 0, "a")]),
        Evidence(stored=BEFORE, recorded=recorded(BEFORE), rescued=[state("errored", 2, lineage="M")]),
        Evidence(stored=read_state("stored", b""), recorded=None),
        Evidence(
            stored=ABSENT,
            recorded=None,
            rescued=[state("one", 1, lineage="M"), state("other", 1, lineage="N")],
        ),
    ],
)
def test_what_nobody_can_tell_goes_to_a_person(evidence: Evidence) -> None:
    decision = decide(evidence)

    assert isinstance(decision, AskOperator)
    assert decision.next_step


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    def one(name: str) -> StateObject:
        ids = sorted(draw(st.frozensets(st.sampled_from("abcd"))))
        return state(name, draw(st.integers(0, 5)), *ids, lineage=draw(st.sampled_from("LLLM")))

    broken = [read_state("stored", None), read_state("stored", b"{"), read_state("stored", b"")]
    stored = draw(st.sampled_from([*broken, one("stored"), one("stored")]))
    record = draw(st.sampled_from([None, recorded(one("record")), *([recorded(stored)] * stored.serial)]))
    return Evidence(
        stored=stored,
        recorded=record,
        rescued=[one(f"rescued {number}") for number in range(draw(st.integers(0, 2)))],
        copies=[one(f"copy {number}") for number in range(draw(st.integers(0, 3)))],
        created=[create(name) for name in sorted(draw(st.frozensets(st.sampled_from("abcd"))))],
    )


def written(decision: object) -> StateObject | None:
    if isinstance(decision, PutRescued | RestoreCopy | RebuildByImport) and decision.state is not None:
        return read_state("written", json.dumps(decision.state).encode())
    return None


@given(evidences())
def test_what_is_written_has_the_recorded_lineage_and_a_serial_above_all_seen(evidence: Evidence) -> None:
    put = written(decide(evidence))

    if put is not None:
        seen = [evidence.stored, *evidence.rescued, *evidence.copies]
        assert all(put.serial > each.serial for each in seen if each.lineage == put.lineage)
        assert evidence.recorded is None or (
            put.lineage == evidence.recorded.lineage and put.serial > evidence.recorded.serial
        )


@given(evidences())
def test_no_copy_older_than_the_newest_whole_one_is_ever_picked(evidence: Evidence) -> None:
    put = written(decide(evidence))

    if put is not None:
        seen = [*evidence.rescued, *evidence.copies, evidence.stored]
        ours = [each for each in seen if each.lineage == put.lineage]
        if evidence.stored.condition is Condition.WHOLE:
            ours = [each for each in ours if each in evidence.rescued or each is evidence.stored]
        if compare(evidence.stored, evidence.recorded) is Standing.OLDER:
            ours = [each for each in seen if each.lineage == put.lineage]
        newest = max(each.serial for each in ours)
        assert put.ids in {each.ids for each in ours if each.serial == newest}


@given(evidences())
def test_every_object_created_is_known_afterwards_or_imported_or_asked_about(evidence: Evidence) -> None:
    decision = decide(evidence)

    known = (written(decision) or evidence.stored).ids
    missing = {("aws_sns_topic", step.id_value) for step in getattr(decision, "missing", ())}
    made = {("aws_sns_topic", step.id_value) for step in evidence.created}
    # A rescued state is put first; what it misses is imported when the question is asked again.
    assert isinstance(decision, PutRescued) or made <= known | missing


@given(evidences())
def test_a_stored_state_another_run_wrote_to_is_never_overwritten_by_one_that_knows_less(
    evidence: Evidence,
) -> None:
    put, stored = written(decide(evidence)), evidence.stored

    standing = compare(stored, evidence.recorded)
    if put is not None and standing in (Standing.NEWER, Standing.UNRECORDED):
        assert stored.ids <= put.ids
