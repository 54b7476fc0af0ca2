"""`holdfast advise` from the command line to the bucket and back; the bucket is moto's."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.support.command_line import Ran, run_cli
from tests.support.written_app import ACCOUNT, REGION, WrittenApp

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.artifact import Artifact, keep_artifact
from holdfast_orchestrator.record.journal.entry import JournalName
from holdfast_orchestrator.record.journal.journal import Journal
from holdfast_orchestrator.record.last_good import LastGood, Promoted, promote
from holdfast_orchestrator.record.runs import RunEnd, RunRecord, begin_run, end_run
from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.run_id import new_run_id
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.system.process import Command, Completed
from holdfast_orchestrator.system.runtime import Boto3Aws
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.state_file import Recorded
from holdfast_orchestrator.testing import FrozenClock, ScriptedProcesses, captured_terminal, refusing_runtime

ACTOR = Actor(kind="user", name="jane", host="laptop")


def key(service: str) -> str:
    return f"{service}/{ACCOUNT}/{REGION}/prod/terraform.tfstate"


def queues(service: str, **groups: int) -> dict[str, Any]:
    """So many queues in each construct of a stack."""
    return {
        f"{group}_{number}": {"//": {"metadata": {"path": f"{service}-prod/{group}/{number}"}}}
        for group, size in groups.items()
        for number in range(size)
    }


def state(names: Sequence[str]) -> bytes:
    resources = [
        {
            "mode": "managed",
            "type": "aws_sns_topic",
            "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"schema_version": 0, "attributes": {"id": f"arn:{name}"}}],
        }
        for name in names
    ]
    document = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l", "outputs": {}}
    return json.dumps({**document, "resources": resources}).encode()


class Machine:
    """An app that was synthesized, and a bucket that remembers its deploys."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.bucket = f"states-{uuid.uuid4().hex[:8]}"

        self.clock = FrozenClock()
        self.runtime = refusing_runtime(
            clock=self.clock,
            aws=Boto3Aws(),
            environ=dict(local_environ(endpoint)),
            cwd=folder,
            cache=folder / "cache",
        )
        s3 = self.runtime.aws.client("s3", region=REGION, environ=self.runtime.environ)
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.store = S3Store(s3, StateLocation(bucket=self.bucket, key="", region=REGION), cloud="aws")
        self.app = WrittenApp(folder, self.bucket)
        (folder / "cdktf.json").write_text('{"app": "false"}')

    def run(self, *argv: str, **doors: Any) -> Ran:
        return run_cli(["advise", *argv], replace(self.runtime, terminal=captured_terminal(), **doors))

    def document(self, *argv: str) -> Any:
        ran = self.run(*argv, "--json")
        assert ran.code == 0, ran.err
        jsonschema.validate(ran.document, SCHEMAS["advise.v1.json"]())
        return ran.document

    def add(self, service: str, topics: dict[str, Any], *, reads: str = "", deployed: bool = True) -> bytes:
        """Add a stack to the app, and its state to the bucket; returns the configuration."""
        blocks: dict[str, Any] = {"resource": {"aws_sns_topic": topics}}
        if reads:
            config = {"bucket": self.bucket, "key": key(reads), "region": REGION}
            blocks["data"] = {"terraform_remote_state": {"up": {"backend": "s3", "config": config}}}
            next(iter(topics.values()))["name"] = "${data.terraform_remote_state.up.outputs.url}"
        after = [f"{reads}-prod"] if reads else []
        body = self.app.add(f"{service}-prod", after=after, bucket=self.bucket, blocks=blocks)
        if deployed:
            self.store.create(key(service), state(list(topics)))
        return body

    def deployed(self, **seconds: float) -> str:
        """Record a run that changed these services; returns its name."""
        self.clock.sleep(3600)
        run, shards = new_run_id(self.clock.now()), {f"{one}-prod": took for one, took in seconds.items()}
        begin_run(
            self.store,
            RunRecord(
                run=run,
                command="holdfast deploy --env prod",
                actor=ACTOR,
                environments=("prod",),
                shards=tuple(shards),
                started=self.clock.now(),
            ),
        )
        end = RunEnd(
            status="committed",
            ended=self.clock.now() + timedelta(minutes=1),
            outcomes=dict.fromkeys(shards, "committed"),
            seconds=shards,
        )
        end_run(self.store, run, end)
        return run

    def promoted(self, service: str, run: str, configuration: bytes, after: Promoted | None) -> Promoted:
        artifact = Artifact(configuration=configuration, lock=None, engine="terraform 1.11.4", providers={})
        record = LastGood(
            generation=1,
            run=run,
            artifact=keep_artifact(self.store, artifact),
            state=Recorded("l", 1, "b" * 64),
            outputs_sha256="c" * 64,
            index=IdentityIndex(),
            actor=ACTOR,
            at=self.clock.now(),
        )
        return promote(self.store, key(service).rpartition("/")[0], record, after=after)

    def planned(self, service: str, run: str, seconds: float) -> None:
        """Journal a verify that took so long."""
        name = JournalName(run, f"{service}-prod")
        with Journal.begin(name, runtime=self.runtime, store=self.store) as journal:
            journal.append(Phase.VERIFY, "before", epoch=1, data={})
            self.clock.sleep(seconds)
            journal.append(Phase.VERIFY, "after", epoch=1, data={})

    def synthesizing(self) -> ScriptedProcesses:
        """An app that synthesizes to what lies there now."""
        out = self.app.out
        kept = {path: path.read_bytes() for path in out.rglob("*.json")}

        def answer(command: Command) -> Completed:
            for path, body in kept.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
            return Completed(command=command, code=0)

        return ScriptedProcesses(answer)

    def everything(self) -> list[tuple[str, str]]:
        return [(head.key, head.etag) for head in self.store.list("")]


@pytest.fixture
def machine(tmp_path: Path, endpoint: str) -> Machine:
    return Machine(tmp_path, endpoint)


def test_small_shards_without_history_are_left_alone(machine: Machine) -> None:
    machine.add("data", queues("data", jobs=3))
    machine.add("orders", queues("orders", api=3), reads="data")
    machine.add("reports", queues("reports", api=90), deployed=False)

    ran = machine.run()

    assert ran.code == 0
    assert ran.out == "nothing to advise: 2 shards and 0 runs were looked at\n"


def test_a_bucket_full_of_history_is_read_and_left_as_it_was(machine: Machine) -> None:
    machine.add("data", queues("data", jobs=3))
    machine.add("orders", queues("orders", api=3), reads="data")
    machine.add("big", queues("big", mail=40, jobs=30))
    for _ in range(5):
        machine.deployed(data=10.0, orders=20.0)
    before = machine.everything()

    document = machine.document("--env", "prod")

    assert machine.everything() == before
    assert (document["shards"], document["runs"]) == (["big-prod", "data-prod", "orders-prod"], 5)
    (split,), (merge,) = document["splits"], document["merges"]
    assert (split["shard"], split["moves"]["constructs"]) == ("big-prod", ["jobs"])
    assert (merge["shard"], merge["into"], merge["outputs"], merge["runs"]) == (
        "orders-prod",
        "data-prod",
        ["url"],
        5,
    )
    assert (merge["effect"]["seconds_before"], merge["effect"]["seconds_after"]) == (30.0, 27.0)
    asked = [command for step in merge["steps"] for command in step["commands"]]
    assert "holdfast move orders-prod data-prod --env prod --yes" in asked


def test_earlier_deployments_and_the_last_plan_are_part_of_what_is_known(machine: Machine) -> None:
    topics = queues("slow", jobs=10, mail=10)
    configuration = json.loads(machine.add("slow", topics))
    good = None
    for number in range(7):
        changed = "jobs_0" if number % 3 else "mail_0"
        configuration["resource"]["aws_sns_topic"][changed]["display_name"] = f"{number}"
        run = machine.deployed(slow=50.0)
        good = machine.promoted("slow", run, json.dumps(configuration).encode(), good)
    machine.planned("slow", run, 42.0)

    (split,) = machine.document()["splits"]

    assert split["why"] == ["a plan takes 42 s"]
    assert split["changes"] == 6
    assert (split["moves"]["changed_alone"], split["stays"]["changed_alone"]) in ((4, 2), (2, 4))


def test_damaged_history_only_makes_the_advice_poorer(machine: Machine) -> None:
    machine.add("big", queues("big", mail=40, jobs=30))
    machine.store.create(f"_holdfast/last-good/{key('big').rpartition('/')[0]}.json", b"{")

    (split,) = machine.document()["splits"]

    assert split["changes"] == 0


def test_people_read_the_advice_and_its_steps_when_asked_for(machine: Machine) -> None:
    machine.add("big", queues("big", mail=40, jobs=30))

    short, long = machine.run().out, machine.run("--stack", "big-prod", "--steps").out

    assert "split big-prod: it holds 70 objects" in short
    assert "moves out  30 objects: jobs" in short
    assert "how        holdfast advise --stack big-prod --steps" in short
    assert "nothing was changed" in short
    assert "holdfast move big-prod NEW --env prod --yes" in long
    assert "holdfast plan --env prod --service big --stack big-prod --refresh" in long
    assert "aws_sns_topic.jobs_0" not in short


def test_a_damaged_state_is_one_clear_error(machine: Machine) -> None:
    machine.add("data", queues("data", jobs=3), deployed=False)
    machine.store.create(key("data"), b"")

    ran = machine.run()

    assert ran.code == 6
    assert "is not a usable state" in ran.err
    assert ran.out == ""


def test_a_missing_bucket_is_one_clear_error(machine: Machine) -> None:
    machine.bucket = "no-such-bucket"
    machine.add("data", queues("data", jobs=3), deployed=False)

    ran = machine.run("--json")

    assert ran.code == 1
    assert "the state bucket 'no-such-bucket' does not exist" in ran.err
    jsonschema.validate(json.loads(ran.out), SCHEMAS["error.v1.json"]())


def test_a_name_that_matches_nothing_is_wrong_usage(machine: Machine) -> None:
    machine.add("data", queues("data", jobs=3), deployed=False)

    ran = machine.run("--stack", "no-such", processes=machine.synthesizing())

    assert ran.code == 64
    assert "--stack 'no-such' matches no stack; there are: data-prod" in ran.err
