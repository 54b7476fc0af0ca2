"""Real Terraform, real AWS provider, attached through the gateway: the same answers as without it."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.diagnostics import CommandFailedError
from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.ui_events import ApplyStart, UiEvent
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.ownership import Holdings

AWS = "registry.terraform.io/hashicorp/aws"
PROVIDER = {
    "region": "eu-west-1",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "s3_use_path_style": True,
    "max_retries": 5,
    "default_tags": [{"tags": {"Environment": "local"}}],
}


def aws(resources: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    required = {"aws": {"source": "aws", "version": "5.100.0"}}
    return {
        "terraform": {"required_providers": required},
        "provider": {"aws": [PROVIDER]},
        "data": {"aws_caller_identity": {"me": {}}},
        "resource": resources,
        "output": {"account": {"value": "${provider::aws::arn_parse(aws_sns_topic.t.arn).account_id}"}},
        **more,
    }


def stack(*, value: str = "1", name: str = "/one", policies: bool = True) -> dict[str, Any]:
    resources: dict[str, Any] = {
        "aws_sns_topic": {"t": {"name": "t"}},
        "aws_ssm_parameter": {"p": {"name": name, "type": "String", "value": value}},
    }
    if policies:
        statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        resources["aws_iam_policy"] = {"i": {"name": "i", "policy": document}}
        resources["aws_ssm_parameter"]["q"] = {
            "name": "/q",
            "type": "String",
            "value": "${aws_iam_policy.i.arn}",
        }
    return aws(resources)


def comparable(plan: Any) -> Any:
    """A plan without its time stamp and without the order inside `relevant_attributes`."""
    match plan:
        case dict():
            kept = {key: comparable(value) for key, value in plan.items() if key != "timestamp"}
            if "relevant_attributes" in kept:
                kept["relevant_attributes"] = sorted(kept["relevant_attributes"], key=json.dumps)
            return kept
        case list():
            return [comparable(inner) for inner in plan]
        case _:
            return plan


def planned(terraform: Terraform, *, destroy: bool = False) -> Any:
    terraform.init()
    return comparable(terraform.show_plan(terraform.plan(destroy=destroy).plan))


@pytest.mark.long
def test_the_plan_is_the_same_with_and_without_for_create_update_replace_and_destroy(world: Any) -> None:
    steps: list[tuple[dict[str, Any], bool]] = [
        (stack(), False),  # create
        (stack(value="2"), False),  # update
        (stack(value="2", name="/two"), False),  # replace
        (stack(value="2", name="/two", policies=False), False),  # types that only the state has
        (stack(value="2", name="/two", policies=False), True),  # destroy
    ]
    actions = []
    for configuration, destroy in steps:
        cold = world.terraform("cold", configuration, warm=False, state="s")
        warm = world.terraform("warm", configuration, state="s")

        plain, attached = planned(cold, destroy=destroy), planned(warm, destroy=destroy)

        assert attached == plain
        actions += [tuple(change["change"]["actions"]) for change in plain["resource_changes"]]
        assert warm.apply(warm.plan(destroy=destroy).plan)
    assert {("create",), ("update",), ("delete", "create"), ("delete",), ("no-op",)} <= set(actions)
    assert world.told == []
    assert len(world.provider_pids) == 1


@pytest.mark.long
def test_a_plan_made_attached_can_be_applied_by_plain_terraform_in_the_same_folder(world: Any) -> None:
    warm = world.terraform("shard", stack(name="/plain"))
    warm.init()
    content = warm.plan().plan.read_bytes()
    cold = world.terraform("shard", stack(name="/plain"), warm=False)
    assert cold.init().skipped
    (cold.workdir / "kept.tfplan").write_bytes(content)

    outcome = cold.apply(cold.workdir / "kept.tfplan")

    assert outcome
    assert cold.plan(destroy=True).changes
    assert cold.apply(cold.plan(destroy=True).plan)


def test_terraform_attached_reads_kilobytes_of_schema_and_installs_nothing(world: Any) -> None:
    warm = world.terraform("shard", stack())

    warm.init()
    warm.plan()

    (linked,) = (warm.workdir / ".terraform" / "providers").rglob("linux_*")
    assert linked.is_symlink()
    (kept,) = (world.runtime.cache / "schemas").iterdir()
    assert kept.suffix == ".5"
    assert kept.stat().st_size > 4_000_000


def hold_and_kill_when(world: Any, event: Callable[[], bool]) -> threading.Thread:
    """Stop the providers, so that whoever asks one waits, and kill them once the event has come."""
    for pid in world.provider_pids:
        os.kill(pid, signal.SIGSTOP)

    def work() -> None:
        while not event():
            time.sleep(0.005)
        for pid in world.provider_pids:
            os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_provider_that_dies_while_terraform_plans_costs_time_and_is_told_once(world: Any) -> None:
    world.terraform("first", stack()).init()
    warm = world.terraform("shard", stack())
    warm.init()
    warm.plan()
    assert len(world.provider_pids) == 1

    def in_use() -> bool:
        return any(one["users"] for pool in world.warm.stats()["pools"] for one in pool)

    while in_use():
        time.sleep(0.005)
    killer = hold_and_kill_when(world, in_use)
    plan = warm.plan()
    killer.join()

    assert {change.address for change in plan.planned} == {
        "aws_iam_policy.i",
        "aws_sns_topic.t",
        "aws_ssm_parameter.p",
        "aws_ssm_parameter.q",
    }
    (sentence,) = world.told
    assert "which only costs time" in sentence
    assert world.terraform("other", stack()).init()


def test_a_gateway_that_dies_costs_time_and_is_told_once(world: Any) -> None:
    warm = world.terraform("shard", stack())
    warm.init()
    before = world.provider_pids
    os.kill(world.warm.pid, signal.SIGKILL)

    plan = warm.plan()
    shown = warm.show_plan(plan.plan)

    assert len(shown["resource_changes"]) == 4
    assert len(world.told) == 1
    assert [pid for pid in before if is_running(pid)] == []


def is_running(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state in "ZX":
            return False
        time.sleep(0.05)
    return True


def test_a_type_that_was_left_out_makes_the_plan_go_the_ordinary_way(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "holdfast_orchestrator.engine.warm.shard.words_of", lambda _: frozenset({"aws_sns_topic"})
    )
    warm = world.terraform("shard", stack())
    warm.init()

    plan = warm.plan()

    assert len(plan.planned) == 4
    assert len(world.told) == 1


def test_a_failure_of_the_configuration_is_told_as_without_and_nothing_is_repeated(world: Any) -> None:
    configuration = stack()
    configuration["resource"]["aws_sns_topic"]["t"]["no_such_attribute"] = 1
    warm = world.terraform("shard", configuration)
    warm.init()

    with pytest.raises(CommandFailedError, match="no_such_attribute"):
        warm.plan()

    assert world.told == []


def test_a_build_the_lock_file_does_not_have_is_not_attached_to_and_init_refuses_it(world: Any) -> None:
    project = world.runtime.cwd
    locks = lockfile.read(project)
    wrong = lockfile.LockedProvider(locks[AWS].version, locks[AWS].constraints, ("h1:" + "A" * 43 + "=",))
    (project / lockfile.NAME).write_text(lockfile.render({AWS: wrong}))

    with pytest.raises(CommandFailedError, match="checksums previously recorded"):
        world.terraform("shard", stack()).init()


@pytest.mark.long
def test_modules_are_attached_to_once_their_files_are_there_and_their_creates_are_guarded(
    world: Any, local_endpoint: str
) -> None:
    inner = world.folder / "module" / "inner"
    inner.mkdir(parents=True)
    group = {"aws_cloudwatch_log_group": {"g": {"name": "in-module"}}}
    outer = {"module": {"inner": {"source": "./inner"}}, "resource": group}
    (inner.parent / "main.tf.json").write_text(json.dumps(outer))
    (inner / "main.tf").write_text('resource "aws_sns_topic" "m" {\n  name = "in-module"\n}\n')
    configuration = {**stack(name="/m"), "module": {"m": {"source": str(inner.parent)}}}
    warm = world.terraform("warm", configuration)
    assert not warm.guards
    plain, attached = planned(world.terraform("cold", configuration, warm=False)), planned(warm)
    assert attached == plain
    assert {"module.m.aws_cloudwatch_log_group.g", "module.m.module.inner.aws_sns_topic.m"} <= {
        change["address"] for change in attached["resource_changes"]
    }
    assert warm.guards
    assert len(world.provider_pids) == 1
    plan = warm.plan(holdings=Holdings()).plan
    session: Any = boto3.Session("testing", "testing", region_name="eu-west-1")
    session.client("sns", endpoint_url=local_endpoint).create_topic(Name="in-module")

    applied = warm.apply(plan, holdings=Holdings())

    (error,) = [one for one in applied.diagnostics if one.is_error]
    assert error.address == "module.m.module.inner.aws_sns_topic.m"
    assert "already exists" in error.text
    assert warm.apply(warm.plan(destroy=True).plan)
    assert world.told == []


@pytest.mark.long
def test_an_interrupt_stops_one_command_and_not_its_neighbours_in_the_same_process(world: Any) -> None:
    # SQS queues take the provider twenty seconds of waiting: long enough to be interrupted in.
    def queue(name: str) -> dict[str, Any]:
        return aws({"aws_sns_topic": {"t": {"name": name}}, "aws_sqs_queue": {"q": {"name": name}}})

    begun = {"a": threading.Event(), "b": threading.Event()}

    def hear(name: str) -> Callable[[UiEvent], None]:
        def listen(event: UiEvent) -> None:
            if isinstance(event, ApplyStart) and event.address == "aws_sqs_queue.q":
                begun[name].set()

        return listen

    shards = {name: world.terraform(name, queue(name), on_event=hear(name)) for name in begun}
    plans = {name: (shard.init(), shard.plan())[1].plan for name, shard in shards.items()}
    outcomes: dict[str, Any] = {}
    threads = [
        threading.Thread(target=lambda name=name: outcomes.update({name: shards[name].apply(plans[name])}))
        for name in shards
    ]
    for thread in threads:
        thread.start()
    for event in begun.values():
        assert event.wait(60)
    assert len(world.provider_pids) == 1

    shards["a"].interrupt()
    for thread in threads:
        thread.join()

    assert outcomes["b"]
    assert outcomes["a"].interrupted
    state = json.loads((world.folder / "a.tfstate").read_bytes())
    assert "aws_sqs_queue.q" in [address for address, _, _ in managed(state)]
