from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.app.manifest import Shard, StateLocation
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.gate.base import Finding, Proposal
from holdfast_orchestrator.gate.gates import findings, refuse_findings
from holdfast_orchestrator.plan.document import Action, PlanDocument, ResourceChange

DATABASE = "aws_db_instance.db"


def shard(environment: str = "prod") -> Shard:
    return Shard(
        name="data",
        directory=Path(),
        configuration=b"{}",
        service="data",
        environment=environment,
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="b", key="k", region="eu-west-1"),
        protected=(DATABASE,),
    )


def plan(action: Action, address: str = DATABASE, **before: Any) -> PlanDocument:
    change = ResourceChange(
        address=address, type=address.split(".", maxsplit=1)[0], action=action, before=before
    )
    return PlanDocument(changes=(change,))


def found(document: PlanDocument, **rest: Any) -> list[str]:
    rest.setdefault("shard", shard())
    return [finding.gate for finding in findings(Proposal(document=document, **rest))]


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE])
@pytest.mark.parametrize("address", [DATABASE, f"{DATABASE}[0]", f'{DATABASE}["a.b"]'])
def test_losing_a_protected_resource_is_stopped(action: Action, address: str) -> None:
    assert found(plan(action, address)) == ["protection"]


@pytest.mark.parametrize("action", [Action.UPDATE, Action.CREATE, Action.FORGET])
def test_what_keeps_a_protected_resource_passes(action: Action) -> None:
    assert found(plan(action)) == []


def test_a_protected_resource_may_be_lost_when_it_is_named() -> None:
    assert found(plan(Action.DELETE), allowed=frozenset({DATABASE})) == []


def test_naming_another_resource_does_not_help() -> None:
    assert found(plan(Action.DELETE), allowed=frozenset({"aws_db_instance.other"})) == ["protection"]


def test_losing_what_is_not_protected_passes() -> None:
    assert found(plan(Action.DELETE, "aws_sqs_queue.q")) == []


def test_what_says_itself_that_it_is_protected_is_so_even_when_the_app_forgot_it() -> None:
    assert found(plan(Action.DELETE, "aws_rds_cluster.gone", deletion_protection=True)) == ["protection"]


def test_nothing_is_protected_in_environment_local() -> None:
    assert found(plan(Action.DELETE, deletion_protection=True), shard=shard("local")) == []


def shrunk(environment: str = "prod") -> Proposal:
    change = ResourceChange(
        address=DATABASE,
        type="aws_db_instance",
        action=Action.UPDATE,
        before={"allocated_storage": 150},
        after={"allocated_storage": 100},
    )
    return Proposal(shard=shard(environment), document=PlanDocument(changes=(change,)))


@pytest.mark.parametrize("environment", ["prod", "local"])
def test_what_aws_refuses_is_stopped_with_both_values_whatever_somebody_allows(environment: str) -> None:
    proposal = replace(shrunk(environment), allowed=frozenset({DATABASE}))

    with pytest.raises(GateError) as raised:
        refuse_findings(findings(proposal))

    assert str(raised.value) == (
        f"{DATABASE}: AWS refuses allocated_storage = 100, it is 150 now: RDS makes no storage smaller\n"
        "  next: write 150, which it has; for less, make a new database and copy the data into it"
    )


def test_what_was_shown_passes() -> None:
    document = plan(Action.DELETE, "aws_sqs_queue.q")

    assert found(document, shown=document) == []


def test_a_loss_that_was_not_shown_is_stopped() -> None:
    assert found(plan(Action.DELETE, "aws_sqs_queue.q"), shown=PlanDocument()) == ["shown"]


def test_a_gate_that_crashes_has_found_something() -> None:
    def broken(_proposal: Proposal) -> Iterator[Finding]:
        raise ZeroDivisionError

    found_by_it = findings(Proposal(shard=shard(), document=PlanDocument()), [broken])

    assert [finding.gate for finding in found_by_it] == ["broken"]


def test_an_empty_plan_passes_every_gate() -> None:
    refuse_findings(findings(Proposal(shard=shard(), document=PlanDocument())))


def test_the_error_says_what_would_be_lost_and_how_to_allow_it() -> None:
    with pytest.raises(GateError) as raised:
        refuse_findings(findings(Proposal(shard=shard(), document=plan(Action.REPLACE))))

    assert raised.value.exit_code == 4
    assert f"would replace {DATABASE}, which is protected" in str(raised.value)
    assert f"--allow-destroy {DATABASE}" in str(raised.value)


def test_an_address_with_a_key_is_told_as_a_shell_takes_it() -> None:
    with pytest.raises(GateError) as raised:
        refuse_findings(findings(Proposal(shard=shard(), document=plan(Action.DELETE, f'{DATABASE}["a.b"]'))))

    assert f"--allow-destroy '{DATABASE}[\"a.b\"]'" in str(raised.value)
