"""What the rollback logic takes for true about Terraform, tried on a real Terraform.

Everything here needs the builtin `terraform_data` only, so a command takes a few hundredths of a second. What
needs a cloud is in `test_rollback_claims_aws.py`.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.workbench import Config, Workbench, actions, data, stamp_of, violations

from holdfast_orchestrator.deploy.decisions.apply_progress import (
    Progress,
    settle,
)
from holdfast_orchestrator.deploy.decisions.configuration import (
    RollbackNeeds,
    build_rollback,
    empty_like,
    inverse_moves,
)
from holdfast_orchestrator.deploy.decisions.deferred_deletes import stage, stage_one_problems, stage_two
from holdfast_orchestrator.deploy.decisions.guard import Bounds, Written
from holdfast_orchestrator.deploy.decisions.imports import judge_import_plan
from holdfast_orchestrator.deploy.decisions.reversibility import Kind, judge_forward
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex
from holdfast_orchestrator.terraform.import_ids import ImportBlock, with_imports
from holdfast_orchestrator.terraform.plan import Action, prior_stamp, read_plan
from holdfast_orchestrator.terraform.state_edits import (
    Deposed,
    Move,
    deposed_to_swap,
    forget_in_state,
    move_in_state,
    swap_deposed,
)
from holdfast_orchestrator.terraform.stateful_types import Protection

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")
PROTECT_DATA = Protection(types=frozenset({"terraform_data"}))


@pytest.fixture
def leased(tmp_path: Path) -> Workbench:
    (tmp_path / "cli.tfrc").write_text("")
    return Workbench(tmp_path)


FAILING = {"input": "new", "provisioner": [{"local-exec": {"command": "exit 1"}}]}


def test_the_first_stage_of_a_configuration_that_drops_blocks_deletes_nothing(leased: Workbench) -> None:
    old = {
        **data(a="a", b="${terraform_data.a.id}-${local.suffix}", c={"count": 2, "input": "c"}),
        "locals": {"suffix": "x"},
        "output": {"b": {"value": "${terraform_data.b.output}"}},
    }
    new = {**data(a="changed", d="d"), "locals": {"suffix": "y"}}
    leased.deploy(old)

    staging = stage(new, plan=leased.plan(new), earlier=[old])
    assert staging.stage_one is not None
    first = leased.plan(staging.stage_one)
    problems = stage_one_problems(first, put_off=staging.put_off)
    leased.apply()
    second = stage_two(new, put_off=staging.put_off, state=leased.index())
    deletes = leased.plan(second.configuration)
    leased.apply()

    assert staging.not_put_off == ()
    assert problems == ()
    assert actions(first) == {"terraform_data.a": Action.UPDATE, "terraform_data.d": Action.CREATE}
    assert set(actions(deletes).values()) == {Action.DELETE}
    assert set(actions(deletes)) == set(staging.put_off)
    assert leased.is_clean()


def test_a_removed_instance_of_a_block_that_stays_is_not_put_off(leased: Workbench) -> None:
    old, new = data(a={"count": 2, "input": "a"}), data(a={"count": 1, "input": "a"})
    leased.deploy(old)

    staging = stage(new, plan=leased.plan(new), earlier=[old])

    assert staging.stage_one is None
    assert [each.address for each in staging.not_put_off] == ["terraform_data.a[1]"]


def test_the_plan_of_a_move_an_import_and_a_forget_is_read_as_such(leased: Workbench) -> None:
    leased.deploy(data(a="a", f="f"))
    new = {
        **data(b="a", i="i"),
        "moved": [{"from": "terraform_data.a", "to": "terraform_data.b"}],
        "import": [{"to": "terraform_data.i", "id": "there-before"}],
        "removed": [{"from": "terraform_data.f", "lifecycle": {"destroy": False}}],
    }

    verdict = judge_forward(leased.plan(new), protection=PROTECT_DATA)

    assert verdict.held == ()
    assert {(finding.kind, finding.address) for finding in verdict.findings} == {
        (Kind.MOVED, "terraform_data.b"),
        (Kind.IMPORTED, "terraform_data.i"),
        (Kind.FORGOTTEN, "terraform_data.f"),
    }


def test_the_inverse_of_a_move_changes_nothing_and_without_it_the_original_would_be_destroyed(
    leased: Workbench,
) -> None:
    old = data(a="a")
    new = {**data(b="a", x=FAILING), "moved": [{"from": "terraform_data.a", "to": "terraform_data.b"}]}
    leased.deploy(old)
    last_good = leased.index(PROTECT_DATA)
    settled = settle(leased.deploy(new), before=last_good, now=leased.index())
    bounds = Bounds(
        last_good=last_good,
        created=settled.created,
        touched=frozenset({"terraform_data.a", "terraform_data.b", "terraform_data.x"}),
        prior=stamp_of(leased.state()),
        writer=Written("1.11.4"),
        moves=inverse_moves(last_good, leased.index()),
        health_began=False,
    )

    plain = leased.plan(old)
    naive = violations(leased, plain, bounds)
    built = build_rollback(old, new, needs=RollbackNeeds(moves=bounds.moves), state=leased.index())
    plan = leased.plan(built.configuration)
    guarded = violations(leased, plan, bounds)
    leased.apply()

    assert actions(plain)["terraform_data.b"] is Action.DELETE
    assert {"G1", "G2", "G3"} <= set(naive)
    assert actions(plan) == {"terraform_data.x": Action.DELETE}
    assert guarded == []
    assert leased.is_clean()
    assert {known.identity for known in last_good} == {known.identity for known in leased.index()}


def test_an_old_move_of_the_last_good_version_does_not_meet_its_inverse(leased: Workbench) -> None:
    first, second, third = data(a="a"), data(b="a"), data(c="a")
    second["moved"] = [{"from": "terraform_data.a", "to": "terraform_data.b"}]
    third["moved"] = [*second["moved"], {"from": "terraform_data.b", "to": "terraform_data.c"}]
    leased.deploy(first)
    leased.deploy(second)
    last_good = leased.index()
    leased.deploy(third)
    moves = inverse_moves(last_good, leased.index())

    naive = {**second, "moved": [*second["moved"], {"from": "terraform_data.c", "to": "terraform_data.b"}]}
    refusal = leased.refused(naive)
    built = build_rollback(second, third, needs=RollbackNeeds(moves=moves), state=leased.index())
    plan = leased.plan(built.configuration)

    assert "Ambiguous move statements" in refusal
    assert actions(plan) == {}


def test_two_addresses_that_changed_places_go_back_by_an_edit_of_the_state(leased: Workbench) -> None:
    old = data(a="a", b="b")
    leased.deploy(old)
    last_good = leased.index()
    leased.put(_exchanged(leased.state()))
    moves = inverse_moves(last_good, leased.index())

    refusal = leased.refused({**old, "moved": [{"from": each.source, "to": each.target} for each in moves]})
    built = build_rollback(old, old, needs=RollbackNeeds(moves=moves), state=leased.index())
    leased.put(move_in_state(leased.state(), built.state_moves))
    plan = leased.plan(built.configuration)

    assert "Moved object still exists" in refusal
    assert set(built.state_moves) == set(moves)
    assert actions(plan) == {}


def test_an_object_whose_old_address_was_taken_by_a_new_one_is_not_destroyed(leased: Workbench) -> None:
    old, new = data(a="a"), data(a="another", b="a")
    leased.deploy(old)
    last_good = leased.index()
    leased.deploy({**data(b="a"), "moved": [{"from": "terraform_data.a", "to": "terraform_data.b"}]})
    leased.deploy(new)
    moves = inverse_moves(last_good, leased.index())

    naive = leased.plan({**old, "moved": [{"from": "terraform_data.b", "to": "terraform_data.a"}]})
    built = build_rollback(old, new, needs=RollbackNeeds(moves=moves), state=leased.index())
    leased.put(move_in_state(leased.state(), built.state_moves))
    plan = leased.plan(built.configuration)
    leased.apply()

    assert actions(naive)["terraform_data.b"] is Action.DELETE
    assert actions(plan) == {"terraform_data.b": Action.DELETE}
    assert {known.identity for known in last_good} == {known.identity for known in leased.index()}


def _exchanged(state: Config) -> Config:
    pair = [Move("terraform_data.a", "terraform_data.b"), Move("terraform_data.b", "terraform_data.a")]
    return move_in_state(state, pair)


def _replaced_but_not_deleted(leased: Workbench, old: Config, new: Config) -> Progress:
    """Deploy both versions and leave the old object deposed, as a delete that failed does."""
    leased.deploy(old)
    before = leased.state()["resources"][0]["instances"][0]
    progress = leased.deploy(new)
    state = leased.state()
    state["resources"][0]["instances"].append({**before, "deposed": "00000001"})
    leased.put({**state, "serial": state["serial"] + 1})
    return progress


def _deposed_bounds(leased: Workbench, last_good: IdentityIndex, created: frozenset[Identity]) -> Bounds:
    return Bounds(
        last_good=last_good,
        created=created,
        touched=frozenset({"terraform_data.a"}),
        prior=stamp_of(leased.state()),
        writer=Written("1.11.4"),
        protection=PROTECT_DATA,
        health_began=False,
    )


def test_a_deposed_object_of_the_last_good_version_is_swapped_back_not_destroyed(leased: Workbench) -> None:
    first = {"input": "a", "triggers_replace": ["1"], "lifecycle": {"create_before_destroy": True}}
    old, new = data(a=first), data(a={**first, "triggers_replace": ["2"]})
    progress = _replaced_but_not_deleted(leased, old, new)
    last_good = IdentityIndex(
        tuple(replace(known, deposed=None, stateful=True) for known in leased.index() if known.deposed)
    )
    settled = settle(progress, before=last_good, now=leased.index())

    naive = leased.plan(old)
    naive_rules = violations(leased, naive, _deposed_bounds(leased, last_good, settled.created))
    swaps = deposed_to_swap(leased.state(), last_good)
    leased.put(swap_deposed(leased.state(), swaps))
    plan = leased.plan(old)
    rules = violations(leased, plan, _deposed_bounds(leased, last_good, settled.created))
    leased.apply()

    assert sorted(change.action for change in read_plan(naive)) == [
        Action.DELETE,
        Action.CREATE_THEN_DELETE,
    ]
    assert "G1" in naive_rules
    assert swaps == (Deposed("terraform_data.a", "00000001"),)
    assert actions(plan) == {"terraform_data.a": Action.DELETE}
    assert rules == []
    assert leased.is_clean()
    assert {known.identity for known in leased.index()} == {known.identity for known in last_good}


def test_a_provider_block_only_the_failed_version_has_is_carried_into_the_rollback(leased: Workbench) -> None:
    old = data(a="a")
    new = {
        **data(a="b", west={"provider": "terraform.west", "input": "w"}),
        "provider": {"terraform": [{"alias": "west"}]},
    }
    leased.deploy(old)
    leased.deploy(new)

    refusal = leased.refused(old)
    built = build_rollback(old, new, needs=RollbackNeeds(), state=leased.index())
    plan = leased.plan(built.configuration)
    leased.apply()
    leased.configure(old)

    assert "Provider configuration not present" in refusal
    assert built.added_providers == ("terraform.west",)
    assert actions(plan) == {
        "terraform_data.a": Action.UPDATE,
        "terraform_data.west": Action.DELETE,
    }
    assert leased.is_clean()


def test_what_a_failed_run_imported_is_forgotten_and_not_destroyed(leased: Workbench) -> None:
    old = data(a="a")
    new = {
        **data(a="a", i="i", x=FAILING),
        "import": [{"to": "terraform_data.i", "id": "there-before"}],
    }
    leased.deploy(old)
    leased.deploy(new)

    needs = RollbackNeeds(forget=("terraform_data.i",))
    built = build_rollback(old, new, needs=needs, state=leased.index())
    plan = leased.plan(built.configuration)
    leased.apply()

    assert actions(plan) == {"terraform_data.i": Action.FORGET, "terraform_data.x": Action.DELETE}
    assert leased.is_clean()


def test_what_a_failed_run_forgot_is_imported_again(leased: Workbench) -> None:
    old = data(a="a", f="f")
    new = {
        **data(a="b"),
        "removed": [{"from": "terraform_data.f", "lifecycle": {"destroy": False}}],
    }
    leased.deploy(old)
    forgotten = leased.index().by_address["terraform_data.f"]
    assert forgotten.id is not None
    leased.deploy(new)

    block = ImportBlock("terraform_data.f", forgotten.id, forgotten.id)
    built = build_rollback(old, new, needs=RollbackNeeds(import_again=(block,)), state=leased.index())
    leased.plan(built.configuration)
    leased.apply()

    assert leased.index().by_address["terraform_data.f"].identity == forgotten.identity
    assert leased.is_clean()


def test_one_instance_cannot_be_forgotten_by_a_block_but_by_an_edit_of_the_state(leased: Workbench) -> None:
    two, one = data(a={"count": 2, "input": "a"}), data(a={"count": 1, "input": "a"})
    leased.deploy(two)

    removed = [{"from": "terraform_data.a[1]", "lifecycle": {"destroy": False}}]
    refusal = leased.refused({**one, "removed": removed})
    built = build_rollback(
        one, two, needs=RollbackNeeds(forget=("terraform_data.a[1]",)), state=leased.index()
    )
    leased.put(forget_in_state(leased.state(), built.state_forgets))
    plan = leased.plan(built.configuration)

    assert "Resource instance keys not allowed" in refusal
    assert built.state_forgets == ("terraform_data.a[1]",)
    assert actions(plan) == {}


def test_import_blocks_from_events_rebuild_a_state_that_was_never_saved(leased: Workbench) -> None:
    configuration = data(a="a", b={"for_each": {"x": "1", "${y}": "2"}, "input": "b"}, late=FAILING)
    configuration["resource"]["terraform_data"]["b"]["for_each"] = {"x": "1", "$${y}": "2"}
    progress = leased.deploy(configuration)
    made = {step.address: step.id_value for step in progress.created()}
    leased.state_file.unlink()

    blocks = [ImportBlock(address, found or "", found) for address, found in made.items()]
    fixed = {**configuration, "resource": json.loads(json.dumps(configuration["resource"]))}
    fixed["resource"]["terraform_data"]["late"] = {"input": "new"}
    plan = leased.plan(with_imports(fixed, blocks))
    problems = judge_import_plan(plan, expected=blocks, may_create=["terraform_data.late"])
    leased.apply()

    assert 'terraform_data.b["$${y}"]' in made
    assert problems == ()
    assert {known.address: known.id for known in leased.index()}.items() >= made.items()
    assert leased.is_clean()


def test_a_tainted_object_is_created_by_this_run_and_may_be_deleted(leased: Workbench) -> None:
    leased.deploy(data(a="a"))
    last_good = leased.index()

    progress = leased.deploy(data(a="a", x=FAILING))
    settled = settle(progress, before=last_good, now=leased.index())

    assert [step.address for step in progress.doubt] == ["terraform_data.x"]
    assert settled.in_doubt == ()
    assert settled.unsaved == ()
    assert {identity.kind for identity in settled.created} == {"terraform_data"}


def test_a_plan_file_names_the_state_it_was_made_from(leased: Workbench) -> None:
    leased.plan(data(a="a"))
    first = prior_stamp((leased.folder / "saved.tfplan").read_bytes())
    leased.apply()

    leased.plan(data(a="b"))

    assert first.serial == 0
    assert prior_stamp((leased.folder / "saved.tfplan").read_bytes()) == stamp_of(leased.state())


def test_the_rollback_configuration_of_a_first_deploy_destroys_only_what_was_created(
    leased: Workbench,
) -> None:
    new = {**data(i="i", n="n", x=FAILING), "import": [{"to": "terraform_data.i", "id": "there-before"}]}
    leased.deploy(new)

    needs = RollbackNeeds(forget=("terraform_data.i",))
    built = build_rollback(empty_like(new), new, needs=needs, state=leased.index())
    plan = leased.plan(built.configuration)
    leased.apply()

    assert actions(plan)["terraform_data.i"] is Action.FORGET
    assert actions(plan)["terraform_data.n"] is Action.DELETE
    assert list(leased.index()) == []
    assert leased.is_clean()
