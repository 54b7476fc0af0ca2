"""A shard that reads from another one, deployed once, and everything that may change from then on."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.change_detection.decide import Decision
from holdfast_orchestrator.change_detection.fingerprinting import fingerprint_of, upstream_stamps
from holdfast_orchestrator.change_detection.inspect import ChangeDetector
from holdfast_orchestrator.change_detection.upstream import mark_of
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.context.tools import Versions
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.fingerprint import Build, ObjectStamp, VerifiedInputs
from holdfast_orchestrator.record.last_good import LastGood, promote
from holdfast_orchestrator.record.state_record import (
    Leftovers,
    StateRecord,
    read_state_record,
    write_state_record,
)
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state_key import state_key
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.stop import StopSignal
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.state_file import Recorded
from holdfast_orchestrator.testing import FrozenClock, refusing_runtime

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AWS = "registry.terraform.io/hashicorp/aws"
REFERENCE = "${data.terraform_remote_state.up.outputs.id}"
FAR = "${upper(data.terraform_remote_state.up.outputs.far)}"


def key(service: str) -> str:
    return state_key(service, "123456789012", "eu-west-1", "dev")


def first_configuration() -> dict[str, Any]:
    source = {"backend": "s3", "config": {"bucket": "states", "key": key("up"), "region": "eu-west-1"}}
    return {
        "terraform": {
            "required_providers": {"aws": {"source": "aws", "version": "5.100.0"}},
            "backend": {"s3": {"bucket": "states", "key": key("down")}},
        },
        "provider": {"aws": [{"region": "eu-west-1"}]},
        "data": {"terraform_remote_state": {"up": source}},
        "resource": {
            "aws_sqs_queue": {"q": {"name": "a", "tags": {"//": "a key"}, "delay": 1.5, "up": REFERENCE}},
            "aws_sns_topic": {"t": {"name": f"t-{FAR}", "list": [1, 2, {"deep": True}]}},
        },
        "output": {"name": {"value": "${aws_sqs_queue.q.name}"}},
    }


@dataclass
class World:
    """All that can change. What the oracle compares is `meaning`."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    configuration: dict[str, Any] = field(default_factory=first_configuration)
    comments: dict[str, Any] = field(default_factory=dict)
    indent: int | None = None
    backwards: bool = False
    outputs: dict[str, Any] = field(default_factory=lambda: {"id": {"value": 1}, "far": {"value": "x"}})
    state: dict[str, Any] = field(default_factory=lambda: {"version": 4, "lineage": "l", "serial": 1})
    engine: str = "terraform 1.11.4"
    locks: dict[str, tuple[str, frozenset[str]]] = field(
        default_factory=lambda: {AWS: ("5.100.0", frozenset({"h1:a", "zh:b"}))}
    )
    said: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    own_endpoint: str = "http://127.0.0.1:4001"
    locked: bool = False
    leftovers: bool = False
    is_open: bool = False
    good: str = "1"

    def meaning(self) -> Any:
        return copy.deepcopy(
            (
                spelled(self.configuration),
                {name: self.outputs.get(name) for name in ("id", "far")},
                self.state,
                self.engine,
                self.trusted,
                self.said,
                self.heard,
                (self.locked, self.leftovers, self.is_open, self.good),
            )
        )

    @property
    def trusted(self) -> Any:
        """What the lock file allows; fewer builds of the same provider are nothing new."""
        version, hashes = self.locks.get(AWS, ("", frozenset()))
        return (version, bool(hashes), hashes - {"h1:a", "zh:b"})

    @property
    def heard(self) -> Any:
        """What providers read of the environment; the configuration may say itself which region is meant."""
        (block,) = self.configuration["provider"]["aws"] or [{}]
        said = block.get("region") if isinstance(block, dict) else None
        heeded = {name: value for name, value in self.environ.items() if name not in UNHEEDED}
        return {name: value for name, value in heeded.items() if name != "AWS_REGION" or not said}

    @property
    def shard(self) -> Shard:
        return replace(bare("down", self.written, after=("up",)), **self.said)

    @property
    def written(self) -> bytes:
        document = copy.deepcopy(self.configuration)
        if self.comments:
            document["//"] = self.comments
            for by_name in document.get("resource", {}).values():
                for body in by_name.values():
                    body["//"] = {**self.comments, "path": "somewhere"}
        if self.backwards:
            document = turned(document)
        return json.dumps(document, indent=self.indent).encode()

    def settle(self) -> None:
        """Bring the bucket to what the world says."""
        put(self.store, key("up"), {"version": 4, "lineage": "u", "serial": 1, "outputs": self.outputs})
        put(self.store, key("down"), self.state)
        lock = f"{key('down')}.tflock"
        self.store.objects.pop(lock, None)
        if self.locked:
            self.store.objects[lock] = b"{}"
        kept = read_state_record(self.store, self.shard.state.folder)
        if kept is not None:
            leftovers = Leftovers(touched=frozenset({"aws_sqs_queue.q"})) if self.leftovers else Leftovers()
            record = replace(kept.record, is_open=self.is_open, leftovers=leftovers)
            if record != kept.record:
                write_state_record(self.store, self.shard.state.folder, record, after=kept)

    def run(self) -> Run:
        return Run(
            id="R1",
            manifest=Manifest((bare("up", b"{}"), self.shard)),
            tools=FakeTools(self),
            runtime=refusing_runtime(clock=FrozenClock(), environ=self.environ),
            redactor=Redactor(),
            emit=lambda _event: None,
            stop=StopSignal(),
            label=lambda name: name,
        )

    def prove(self) -> None:
        """What a deploy does once a plan has found nothing."""
        self.settle()
        shard, store, run = self.shard, self.store, self.run()
        head = store.head(shard.state.key)
        mark = mark_of(head)
        assert mark is not None
        locks = {name: lockfile.LockedProvider(v, "", tuple(h)) for name, (v, h) in self.locks.items()}
        (self.folder / "down").mkdir(exist_ok=True)
        (self.folder / "down" / lockfile.NAME).write_text(lockfile.render(locks))
        leased: Any = SimpleNamespace(shard=shard, run=run, workdir=self.folder / "down", store=store)
        inputs = upstream_stamps(leased, json.loads(shard.configuration))
        assert inputs is not None
        proven = VerifiedInputs(inputs=inputs, state=mark.etag)
        promoted = promote(store, shard.state.folder, good_deploy(mark), after=None)
        record = StateRecord(
            run="R1",
            is_open=False,
            state=Recorded("l", 1, "ab"),
            at=NOON,
            fingerprint=fingerprint_of(leased, promoted, state=mark, proven=proven),
        )
        assert record.fingerprint is not None
        write_state_record(store, shard.state.folder, record, after=None)

    def decide(self) -> Decision:
        self.settle()
        quick = ChangeDetector(run=self.run(), readers=1).first((self.shard,))["down"]
        thorough = ChangeDetector(run=self.run(), readers=1, explain=True).first((self.shard,))["down"]
        assert quick.unchanged == thorough.unchanged
        assert quick.unchanged == ChangeDetector(run=self.run()).again(self.shard).unchanged
        return quick


@dataclass
class FakeTools:
    world: World

    def store(self, shard: Shard) -> Any:
        return self.world.store

    def copies(self, shard: Shard) -> tuple[Any, ...]:
        return ()

    def environ(self, cloud: str) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.world.own_endpoint, **self.world.environ}

    def versions(self) -> Versions:
        locks = {name: Build(version, hashes) for name, (version, hashes) in self.world.locks.items()}
        return Versions(engine=self.world.engine, registry="registry.terraform.io", locks=locks)

    def workdir(self, shard: Shard) -> Path:
        return self.world.folder / shard.name

    def terraform(self, shard: Shard, on_event: object) -> Any:
        raise AssertionError("nobody may start Terraform to find out whether it is needed")

    @contextmanager
    def folder(self, shard: Shard) -> Iterator[None]:
        raise AssertionError("nobody may hold a folder to find out whether there is something to do")
        yield


def bare(name: str, configuration: bytes, *, after: tuple[str, ...] = ()) -> Shard:
    return Shard(
        name=name,
        directory=Path(),
        configuration=configuration,
        service=name,
        environment="dev",
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key=key(name), region="eu-west-1"),
        depends_on=after,
    )


def good_deploy(mark: ObjectStamp) -> LastGood:
    return LastGood(
        generation=0,
        run="R1",
        artifact="ab",
        state=Recorded("l", 1, "ab"),
        state_version=mark.version,
        outputs_sha256="ab",
        index=IdentityIndex(),
        actor=Actor(kind="user", name="me", host="here"),
        at=NOON,
    )


def put(store: MemoryStore, at: str, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    found = store.get(at)
    if found is None:
        store.create(at, body)
    elif found.body != body:
        store.replace(at, body, etag=found.head.etag)


def spelled(value: Any) -> Any:
    """A value in which 1, 1.0 and true are three things."""
    match value:
        case dict():
            return {name: spelled(inner) for name, inner in value.items()}
        case list():
            return [spelled(inner) for inner in value]
        case _:
            return json.dumps(value)


def turned(value: Any) -> Any:
    match value:
        case dict():
            return {name: turned(value[name]) for name in reversed(value)}
        case list():
            return [turned(inner) for inner in value]
        case _:
            return value


UNHEEDED = {"AWS_ACCESS_KEY_ID": ["one", "two"], "AWS_PROFILE": ["me", "you"], "HTTPS_PROXY": ["http://p"]}
