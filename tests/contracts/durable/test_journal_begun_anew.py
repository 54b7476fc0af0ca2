"""A run that died before it changed anything is begun anew in the same chain."""

import pytest
from tests.support.journals import NAME, begun, elsewhere, file_of, known_here_alone, told, write_some

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.journal import Journal, read_journal
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.system.runtime import Runtime


@pytest.mark.parametrize("last", [Phase.PREPARED, Phase.HELD])
@pytest.mark.parametrize("machine", ["the same", "another"])
def test_what_died_before_it_changed_anything_is_begun_anew_in_the_same_chain(
    store: DurableStore, runtime: Runtime, machine: str, last: Phase
) -> None:
    begun(runtime, store, (Phase.PREPARED, "before"), (last, "after"))
    runtime = runtime if machine == "the same" else elsewhere(runtime)

    with Journal.begin_anew(NAME, runtime=runtime, store=store) as journal:
        journal.append(Phase.PREPARED, "before", epoch=2)
        journal.append(Phase.APPLYING, "before", epoch=2)

    expected = [("prepared", "before"), (last.value, "after"), ("prepared", "before"), ("applying", "before")]
    assert told(read_journal(store, NAME)) == expected
    assert len(file_of(runtime).read_bytes().splitlines()) == 4


def test_what_only_the_machine_of_the_dead_knew_is_carried_on_there(runtime: Runtime) -> None:
    store = known_here_alone(runtime, Phase.PREPARED, "after")

    with Journal.begin_anew(NAME, runtime=runtime, store=store) as anew:
        anew.append(Phase.PREPARED, "before", epoch=2)

    assert told(read_journal(store, NAME)) == [("prepared", "after"), ("prepared", "before")]


@pytest.mark.parametrize("last", [Phase.APPLYING, Phase.VERIFY, Phase.KEPT, Phase.NEEDS_OPERATOR])
@pytest.mark.parametrize("machine", ["the same", "another"])
def test_what_may_have_changed_something_is_never_begun_anew(
    store: DurableStore, runtime: Runtime, machine: str, last: Phase
) -> None:
    begun(runtime, store, (Phase.PREPARED, "before"), (last, "before"))
    runtime = runtime if machine == "the same" else elsewhere(runtime)

    with pytest.raises(HoldfastError, match="journal of run"):
        Journal.begin_anew(NAME, runtime=runtime, store=store)
    with Journal.resume(NAME, runtime=runtime, store=store) as resumed:
        assert told(resumed.entries)[-1] == (last.value, "before")


def test_a_run_nobody_had_begun_is_begun(store: DurableStore, runtime: Runtime) -> None:
    with Journal.begin_anew(NAME, runtime=runtime, store=store) as journal:
        write_some(journal)

    assert [entry.seq for entry in read_journal(store, NAME)] == [1, 2, 3]
