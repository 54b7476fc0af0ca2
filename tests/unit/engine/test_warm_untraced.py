"""After an apply that the gateway may not have seen whole, nothing that was read before is used."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.engine.warm.client import AttachedProviders, WarmProviders
from holdfast_orchestrator.engine.warm.untraced import Untraced
from holdfast_orchestrator.system.runtime import real_runtime
from holdfast_orchestrator.terraform.reads import Reading
from holdfast_orchestrator.testing import refusing_runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.warm.shard import WarmShard

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


@dataclass
class Seeing:
    """What a shard is to Terraform: a gateway that saw so many changes of an apply."""

    seen: int
    traceable: bool = True
    untraced_applies: int = 0

    @contextmanager
    def lent(self, *_needs: Any) -> Iterator[AttachedProviders]:
        yield AttachedProviders(reattach={"aws": {}}, applied=self.seen)

    def traces(self, _place: Any) -> bool:
        return self.traceable

    @contextmanager
    def untraced(self) -> Iterator[None]:
        self.untraced_applies += 1
        yield


def applied(folder: Path, seeing: Seeing, *actions: str, traceable: bool = True) -> int:
    """Apply what reports these actions; return how often what was read before became worthless."""
    hooks = [{"action": action, "resource": {"addr": "a.b", "resource_type": "a"}} for action in actions]
    (folder / "events").write_text(
        "".join(json.dumps({"type": "apply_start", "hook": hook}) + "\n" for hook in hooks)
    )
    engine = folder / "terraform"
    engine.write_text(f"#!/bin/sh\ncat {folder / 'events'}\n")
    engine.chmod(0o755)
    (folder / "cdk.tf.json").write_text("{}")
    (folder / "plan.tfplan").touch()
    runtime = real_runtime()
    terraform = Terraform(
        Engine(engine, "terraform", (1, 11, 4)),
        runtime,
        folder,
        dict(runtime.environ),
        warm=cast("WarmShard", seeing),
    )
    assert terraform.apply(folder / "plan.tfplan", traceable=traceable)
    return seeing.untraced_applies


def test_an_apply_all_of_whose_changes_were_seen_is_traced(tmp_path: Path) -> None:
    assert applied(tmp_path, Seeing(3), "create", "update", "delete", "read") == 0


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_an_apply_that_reports_another_number_of_changes_than_were_seen_is_not(
    tmp_path: Path, seen: int
) -> None:
    assert applied(tmp_path, Seeing(seen), "create", "update") == 1


def test_an_apply_is_traced_only_where_its_caller_and_its_shard_say_that_it_can_be(tmp_path: Path) -> None:
    assert applied(tmp_path, Seeing(1, traceable=False), "create") == 1
    assert applied(tmp_path, Seeing(1), "create", traceable=False) == 1
