"""`project.plan(env="dev", refresh=True)` is `project.plan(select(env="dev"), PlanOptions(refresh=True))`."""

from dataclasses import replace

import pytest

from holdfast_orchestrator.api.keywords import (
    DeployKeywords,
    PlanKeywords,
    RunKeywords,
    SelectionKeywords,
    optioned,
    selected,
)
from holdfast_orchestrator.api.options import DeployOptions, PlanOptions, RunOptions
from holdfast_orchestrator.app.selection import EVERYTHING, select
from holdfast_orchestrator.deploy.run_context import DeployPolicy


def names(keywords: type) -> set[str]:
    return set(keywords.__annotations__) - set(SelectionKeywords.__annotations__)


def test_keywords_are_the_fields_of_the_options() -> None:
    assert names(PlanKeywords) - {"one_environment"} == set(PlanOptions.__annotations__)
    assert names(RunKeywords) - {"allow_destroy"} == set(RunOptions.__annotations__)
    assert names(DeployKeywords) - names(RunKeywords) == set(DeployOptions.__annotations__)


def test_keywords_say_which_shards_and_how() -> None:
    given = {"env": "dev", "stack": ["a", "b*"], "refresh": True, "one_environment": True, "max_parallel": 2}

    assert selected(EVERYTHING, given) == replace(select(env="dev", stack=("a", "b*")), one_environment=True)
    assert optioned(PlanOptions(explain=True), given) == PlanOptions(
        explain=True, refresh=True, max_parallel=2
    )


def test_a_selection_is_not_said_twice() -> None:
    with pytest.raises(TypeError, match="env: the selection or plan that is given says"):
        selected(select(stack="a"), {"env": "dev"})
    assert selected(select(stack="a"), {"refresh": True}) == select(stack="a")


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword: atomic"):
        optioned(PlanOptions(), {"atomic": True})


def test_addresses_that_may_be_lost_are_added_to_the_policy() -> None:
    policy = DeployPolicy(allowed=frozenset({"a.b"}), rollback=False)

    found = optioned(DeployOptions(), {"allow_destroy": ["c.d"], "policy": policy, "atomic": True})

    assert found == DeployOptions(policy=replace(policy, allowed=frozenset({"a.b", "c.d"})), atomic=True)
    assert optioned(RunOptions(), {"allow_destroy": ()}) == RunOptions()
