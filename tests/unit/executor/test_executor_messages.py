"""Nothing passes between a deployer and its workers but JSON of known types, and pickles do nothing."""

import base64
import dataclasses
import json
import os
import pickle
import typing
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import distributed
import distributed.protocol.pickle
import pytest
from distributed.comm.core import CommClosedError
from distributed.core import clean_exception, error_message
from distributed.protocol.serialize import deserialize, serialize
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator import events
from holdfast_orchestrator.app.manifest import RetentionSettings, Shard, StateLocation
from holdfast_orchestrator.deploy.decisions.reversibility import Approval
from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.shard.intent import Intent, RollbackTarget
from holdfast_orchestrator.errors import GateError, UsageError
from holdfast_orchestrator.events import Event
from holdfast_orchestrator.executor import dask_worker as worker
from holdfast_orchestrator.executor.address import Cluster, refuse_open
from holdfast_orchestrator.executor.job import Job, ProjectSettings
from holdfast_orchestrator.executor.messages import (
    MessageError,
    WorkerError,
    error_text,
    event_of,
    event_text,
    job_of,
    job_text,
    result_of,
    result_text,
)
from holdfast_orchestrator.executor.unpickling import Stranger, loads, plain_values_only
from holdfast_orchestrator.plan.document import Action, PlanDocument, ResourceChange
from holdfast_orchestrator.plan.result import ShardPlan
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.terraform.state_file import StateStamp

SECRET = b'{"resource": {"aws_db_instance": {"db": {"password": "hunter22"}}}, "\xff": 1}'


def a_job() -> Job:
    change = ResourceChange(
        address='aws_x.y["k"]', type="aws_x", action=Action.REPLACE, before={"a": [1, None]}, after={"a": 2.5}
    )
    shown = ShardPlan(
        shard="orders",
        label="orders",
        configuration_sha256="x",
        state=StateStamp(lineage="l", serial=3),
        document=PlanDocument(changes=(change,), outputs=("o",)),
        content=bytes(range(256)),
    )
    shard = Shard(
        name="orders",
        directory=Path("stacks/orders"),
        configuration=SECRET,
        service="orders",
        environment="prod",
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key="orders/terraform.tfstate", region="eu-west-1"),
        keeping=RetentionSettings(),
        tags={"a": "b"},
        health_checks=({"kind": "http", "port": 1, "codes": [200]},),
        depends_on=("network",),
    )
    return Job(
        version=worker.package_version(),
        run="R1",
        project="shop",
        is_named=True,
        shard=shard,
        others=(dataclasses.replace(shard, name="network", configuration=b"{}"),),
        labels={"orders": "o"},
        intent=Intent(allowed=frozenset({"a", "b"}), shown=shown, back=RollbackTarget(to="R0")),
        policy=DeployPolicy(
            approvals=(Approval("a", snapshot="s"),), allowed=frozenset({"c"}), lease_wait=1.5
        ),
        actor=Actor(kind="user", name="jo", host="here"),
        git=None,
        project_settings=ProjectSettings(redact=("a text",), lock_file="locks"),
    )


def a_result() -> ShardResult:
    return ShardResult(
        shard="orders", label="o", outcome=Outcome.ROLLED_BACK, reason="why", evidence=("a", "b"), serial=4
    )


def test_a_job_arrives_as_it_was_sent() -> None:
    assert job_of(job_text(a_job())) == a_job()


def test_a_result_arrives_as_it_was_sent() -> None:
    assert result_of(result_text(a_result()), shard="orders") == a_result()


KINDS = [one for one in vars(events).values() if isinstance(one, type) and issubclass(one, Event)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Event])
def test_an_event_arrives_as_it_was_sent(kind: type[Event]) -> None:
    examples: dict[str, Any] = {"str": "x", "int": 3, "float": 1.5, "bool": True, "dict[str, int]": {"a": 1}}
    values: dict[str, Any] = {"at": datetime(2026, 11, 30, tzinfo=UTC), "shard": "orders"}
    for field in dataclasses.fields(kind):
        if field.name in values:
            continue
        hint = typing.get_type_hints(kind)[field.name]
        name = getattr(hint, "__name__", str(hint)) if typing.get_origin(hint) is None else str(hint)
        values.setdefault(
            field.name, (("a",),) if "tuple[tuple" in name else ("a",) if "tuple" in name else examples[name]
        )
    event = kind(**values)

    assert event_of(event_text(event)) == event


def test_an_error_is_told_with_its_way_on_and_its_code() -> None:
    with pytest.raises(WorkerError, match="not allowed") as told:
        result_of(error_text(GateError("not allowed", next_step="ask")), shard="orders")
    assert (told.value.next_step, told.value.exit_code) == ("ask", 4)

    with pytest.raises(RuntimeError, match="on a worker: KeyError: 'x'"):
        result_of(error_text(KeyError("x")), shard="orders")


def test_a_result_of_another_shard_is_none() -> None:
    with pytest.raises(MessageError, match="orders"):
        result_of(result_text(a_result()), shard="network")


def spoilt(text: str, **more: object) -> str:
    document = json.loads(text)
    inner = document.get("result") or document.get("body")
    inner.update(more)
    return json.dumps(document)


@pytest.mark.parametrize(
    "text",
    [
        b"bytes",
        None,
        pickle.dumps("x"),
        "",
        "[]",
        "[" * 100_000,
        '{"event": "Event", "body": {}}',
        '{"event": "event", "body": {}}',
        '{"event": "notice", "body": {}}',
        '{"event": "notice", "body": {"message": 3}}',
        '{"event": "notice", "body": {"message": "m", "shard": null, "at": null, "extra": 1}}',
        '{"event": {"a": 1}}',
    ],
)
def test_what_is_no_event_is_refused(text: object) -> None:
    with pytest.raises(MessageError):
        event_of(text)


@pytest.mark.parametrize(
    "more", [{"outcome": "fine"}, {"evidence": "a"}, {"exit_code": "0 or so"}, {"extra": 1}, {"shard": None}]
)
def test_what_is_no_result_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        result_of(spoilt(result_text(a_result()), **more), shard="orders")


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_nothing_else_is_raised_for_any_json(document: object) -> None:
    for text in (json.dumps(document), json.dumps({"event": "notice", "body": document, "error": document})):
        with pytest.raises(MessageError):
            event_of(text)
        with pytest.raises(MessageError):
            result_of(text, shard="orders")


def test_a_worker_of_another_version_says_so_and_does_nothing() -> None:
    job = dataclasses.replace(a_job(), version="0.0.1")

    with pytest.raises(WorkerError, match=r"the run was begun with 0\.0\.1"):
        result_of(worker.carry(job_text(job)), shard="orders")


client: Any = import_module("distributed.client")


class Bomb:
    """Runs a command where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def nested(marker: Path) -> list[bytes]:
    bomb = Bomb(marker)
    command = f"(cposix\nsystem\nS'touch {marker}'\no."
    reduced = f'cbuiltins\neval\n(S\'__import__("os").system("touch {marker}")\'\ntR.'
    by_attribute = pickle.PROTO + b"\x04" + b"\x8c\x08builtins\x8c\x13Exception.__class__\x93."
    return [pickle.dumps(bomb), pickle.dumps({"a": [bomb]}), command.encode(), reduced.encode(), by_attribute]


@pytest.mark.parametrize("number", range(5))
def test_a_pickle_runs_nothing(tmp_path: Path, number: int) -> None:
    marker = tmp_path / "ran"

    loads(nested(marker)[number])

    assert not marker.exists()


def test_while_a_cluster_is_joined_dask_itself_runs_nothing(
    tmp_path: Path,
) -> None:
    marker, before = tmp_path / "ran", distributed.protocol.pickle.loads
    header, frames = serialize(Bomb(marker))
    bomb = pickle.dumps(Bomb(marker))

    with plain_values_only():
        ways: list[Any] = [
            lambda: deserialize(header, frames),  # type: ignore[no-untyped-call]
            lambda: deserialize({"serializer": "dask", "type-serialized": bomb, "sub-header": {}}, []),  # type: ignore[no-untyped-call]
            lambda: clean_exception(bomb, None),
            lambda: client.loads(bomb),
            lambda: client.pickle.loads(bomb),
        ]
        for way in ways:
            with suppress(Exception):
                way()
            assert not marker.exists()
    assert distributed.protocol.pickle.loads is before


@pytest.mark.parametrize(
    "value", [None, "text", ("1", None), {"a": [1, 2.5, b"x"]}, {1, 2}, frozenset("a"), True, 2**70]
)
def test_plain_values_are_loaded(value: object) -> None:
    assert loads(pickle.dumps(value, protocol=5)) == value


def test_errors_keep_their_names_and_lose_their_tracebacks() -> None:
    with plain_values_only():
        for error in (OSError("no"), CommClosedError("gone"), UsageError("wrong")):
            message: Any = error_message(error)
            kind, told, traceback = clean_exception(message["exception"].data, None)
            assert traceback is None
            assert isinstance(told, type(error) if not isinstance(error, UsageError) else Stranger)
            assert kind is type(told)


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:8786", "localhost:8786", "tcp://[::1]:1", "tcp://127.9.9.9:1"],
)
def test_tcp_is_fine_on_loopback(address: str) -> None:
    Cluster(address=address).check()


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.0.0.5:8786",
        "10.0.0.5:8786",
        "scheduler:8786",
        "tcp://127.0.0.1.evil.example:1",
        "TCP://0.0.0.0:1",
        "ucx://127.0.0.1:1",
        "inproc://127.0.0.1/1",
        "ws://10.0.0.5:8786",
    ],
)
def test_anything_else_without_tls_is_refused(address: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Cluster(address=address).check()
    assert refusal.value.exit_code == 64


def test_a_scheduler_that_listens_to_everybody_is_refused_whatever_address_was_given() -> None:
    with pytest.raises(UsageError, match=r"10\.0\.0\.5"):
        refuse_open(Cluster(address="tcp://127.0.0.1:1"), listening="tcp://10.0.0.5:1")
    refuse_open(Cluster(address="tcp://10.0.0.5:1", insecure=True), listening="tcp://10.0.0.5:1")
    refuse_open(Cluster(address="tls://10.0.0.5:1"), listening="tls://10.0.0.5:1")


def test_certificates_are_all_there_or_none(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.touch()

    with pytest.raises(UsageError, match="needs --executor-cert, --executor-key too"):
        Cluster(address="tls://a:1", ca=file).check()
    with pytest.raises(UsageError, match="there is no certificate file"):
        Cluster(address="tls://a:1", ca=file, cert=file, key=tmp_path / "absent").check()
    with pytest.raises(UsageError, match="without TLS, so certificates mean nothing"):
        Cluster(address="tcp://127.0.0.1:1", ca=file).check()
    with pytest.raises(UsageError, match="needs certificates"):
        Cluster(address="tls://a:1").security(distributed)


def test_the_secrets_of_a_job_are_in_no_representation_of_it() -> None:
    job = a_job()

    assert "hunter22" not in repr(job)
    assert base64.urlsafe_b64encode(SECRET).decode() in job_text(job)
