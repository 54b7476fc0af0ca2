"""After an apply that the gateway may not have seen whole, nothing that was read before is used."""

import pytest

from holdfast_orchestrator.engine.warm.client import WarmProviders
from holdfast_orchestrator.engine.warm.untraced import Untraced
from holdfast_orchestrator.terraform.reads import Reading
from holdfast_orchestrator.testing import refusing_runtime

PLAN, VERIFY = Reading("a"), Reading("a", recalls=True)


def test_a_verify_uses_the_plan_of_its_shard_alone() -> None:
    untraced = Untraced()

    assert not untraced.allows(VERIFY)
    assert untraced.allows(PLAN)
    assert untraced.allows(VERIFY)
    assert not untraced.allows(Reading("b", recalls=True))


def test_an_untraced_apply_between_plan_and_verify_counts_in_every_shard() -> None:
    untraced = Untraced()
    untraced.allows(PLAN)

    with untraced.running():
        assert not untraced.allows(VERIFY)

    assert not untraced.allows(VERIFY)
    assert untraced.allows(PLAN)
    assert untraced.allows(VERIFY)


def test_a_plan_beside_an_untraced_apply_is_not_remembered_nor_is_the_one_before() -> None:
    untraced = Untraced()
    untraced.allows(PLAN)

    with untraced.running():
        assert not untraced.allows(PLAN)

    assert not untraced.allows(VERIFY)


def test_an_apply_that_fails_has_ended() -> None:
    untraced = Untraced()

    with pytest.raises(OSError, match="x"), untraced.running():
        raise OSError("x")

    assert untraced.allows(PLAN)


def test_a_full_verify_remembers_nothing() -> None:
    providers = WarmProviders(refusing_runtime(), lambda _: None, full_verify=True)

    assert providers._reads(PLAN) is None
    assert WarmProviders(refusing_runtime(), lambda _: None)._reads(PLAN) is not None
