"""The table of phases: what may follow which, and what a restart does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.lifecycle import (
    ARROWS,
    WRITING,
    Phase,
    Resume,
    Resumption,
    WrongArrowError,
    follow,
    next_after_crash,
)


def test_every_phase_has_arrows_and_is_reached() -> None:
    reached = {after for targets in ARROWS.values() for after in targets}

    assert set(ARROWS) == set(Phase)
    assert reached == set(Phase) - {Phase.PREPARED}
    assert {phase for phase, targets in ARROWS.items() if not targets} == {
        Phase.PROMOTED,
        Phase.ROLLED_BACK,
        Phase.KEPT,
        Phase.HELD,
        Phase.NEEDS_OPERATOR,
    }


@given(before=st.sampled_from(Phase), after=st.sampled_from(Phase))
def test_a_step_that_the_table_does_not_have_is_a_defect(before: Phase, after: Phase) -> None:
    if after in ARROWS[before]:
        assert follow(before, after) is after
    else:
        with pytest.raises(WrongArrowError, match=f"{before} does not lead to {after}"):
            follow(before, after)


def test_a_rollback_never_leads_to_another_rollback_or_a_forward_apply_by_itself() -> None:
    back = {phase for phase in Phase if phase.startswith("rb_")}
    seen, waiting = set[Phase](), list(back)
    while waiting:
        phase = waiting.pop()
        if phase not in seen | {Phase.NEEDS_OPERATOR, Phase.ROLLED_BACK}:
            seen.add(phase)
            waiting.extend(ARROWS[phase])

    assert seen <= back


def test_nothing_is_applied_without_its_gate() -> None:
    before_apply = {phase for phase in Phase if Phase.APPLYING in ARROWS[phase]}
    before_rollback = {phase for phase in Phase if Phase.RB_APPLYING in ARROWS[phase]}

    assert before_apply == {Phase.PREPARED, Phase.RETRY_FORWARD}
    assert before_rollback == {Phase.RB_PLANNED}
    assert {phase for phase in Phase if Phase.RB_PLANNED in ARROWS[phase]} == {Phase.RB_BUILD}


def test_before_the_first_apply_every_phase_is_read_only() -> None:
    assert Phase.PREPARED not in WRITING
    assert Phase.APPLYING in WRITING


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (Phase.PREPARED, Resumption(Resume.START_OVER, Phase.PREPARED)),
        (Phase.APPLYING, Resumption(Resume.REDO, Phase.SETTLE)),
        (Phase.HEALTH, Resumption(Resume.REDO, Phase.HEALTH)),
        (Phase.DELETING, Resumption(Resume.REDO, Phase.DELETING)),
        (Phase.RB_PLANNED, Resumption(Resume.REDO, Phase.RB_BUILD)),
        (Phase.RB_APPLYING, Resumption(Resume.REDO, Phase.RB_SETTLE)),
        (Phase.PROMOTED, Resumption(Resume.REDO, Phase.VERIFY)),
        (Phase.NEEDS_OPERATOR, Resumption(Resume.WAIT_FOR_PERSON, Phase.NEEDS_OPERATOR)),
        (Phase.KEPT, Resumption(Resume.NOTHING, Phase.KEPT)),
        (Phase.HELD, Resumption(Resume.NOTHING, Phase.HELD)),
        (Phase.ROLLED_BACK, Resumption(Resume.NOTHING, Phase.ROLLED_BACK)),
    ],
)
def test_a_restart_knows_what_to_do(last: Phase, expected: Resumption) -> None:
    assert next_after_crash(last) == expected


@given(last=st.sampled_from(Phase))
def test_a_restart_never_goes_straight_into_an_apply(last: Phase) -> None:
    found = next_after_crash(last)

    assert found.phase not in (Phase.APPLYING, Phase.RB_APPLYING)
    assert found.phase not in WRITING or found.phase is last or found.phase is Phase.RB_BUILD
