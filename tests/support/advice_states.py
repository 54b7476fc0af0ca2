"""The states a shard can be in when a command ends with advice: how each comes about, and what corrects it.

A state is a name, the exit code and outcome that its command ends with, `build`, which brings a new app into
it and runs that command, and `correct`, which does what the advice leaves to a person: correct the app, or
take the cause away. After every command of the advice, `deploy` of the corrected app must come to a good end.
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.record.artifact import artifact_key
from holdfast_orchestrator.record.last_good import last_good_key
from holdfast_orchestrator.state.lease_record import LeaseRecord, lease_key
from holdfast_orchestrator.state.process_identity import ProcessIdentity

if TYPE_CHECKING:
    from tests.terraform.conftest import App

Ran = subprocess.CompletedProcess[str]
SHARD = "shop"
FOLDER = f"{SHARD}/123456789012/eu-west-1/dev"
STATE = f"{FOLDER}/terraform.tfstate"
DEPLOY = ("deploy", "--yes", "--json")


@dataclass(frozen=True, kw_only=True)
class State:
    """One state. `quick` ones run in `make test`, the others are long."""

    code: int
    outcome: Outcome | None
    build: Callable[["App"], Ran]
    correct: Callable[["App"], None]
    quick: bool = False


def stack(value: str, *, fails: bool = False, **more: Any) -> dict[str, Any]:
    resources: dict[str, Any] = {"kept": {"input": value, **more}}
    if fails:
        command = {"local-exec": {"command": "echo no luck today >&2; exit 3"}}
        resources["broken"] = {"depends_on": ["terraform_data.kept"], "provisioner": [command]}
    return {"resource": {"terraform_data": resources}}


def shop(value: str, *, fails: bool = False) -> dict[str, Any]:
    return {SHARD: stack(value, fails=fails)}


def two(value: str, *, fails: bool = False) -> dict[str, Any]:
    """An upstream and a dependent that reads its output."""
    reference = "${data.terraform_remote_state.cross-stack-reference-input-base.outputs.value}"
    base = stack(value) | {"output": {"value": {"value": value}}}
    dependent = stack(f"{value} on {reference}", fails=fails) | {"dependencies": ["base"]}
    return {"base": base, SHARD: dependent}


def deployed(app: "App", stacks: Mapping[str, Any], *words: str) -> Ran:
    app.write(stacks)
    return app.run(*DEPLOY, *words)


def good(app: "App", stacks: Mapping[str, Any]) -> None:
    ran = deployed(app, stacks)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def versioned(app: "App") -> None:
    app.s3.put_bucket_versioning(Bucket=app.bucket, VersioningConfiguration={"Status": "Enabled"})


def corrected(app: "App") -> None:
    app.write(shop("3"))


def two_corrected(app: "App") -> None:
    app.write(two("3"))


def failed_kept(app: "App") -> Ran:
    good(app, shop("1"))
    return deployed(app, shop("2", fails=True), "--no-rollback")


def failed_first(app: "App") -> Ran:
    return deployed(app, shop("1", fails=True))


def rolled_back(app: "App") -> Ran:
    good(app, shop("1"))
    return deployed(app, shop("2", fails=True))


def skipped(app: "App") -> Ran:
    stacks = two("1")
    stacks["base"] = stack("1", fails=True) | {"output": stacks["base"]["output"]}
    return deployed(app, stacks)


def rollback_blocked(app: "App") -> Ran:
    """The upstream was committed with another output than the dependent's last good version read."""
    versioned(app)
    good(app, two("1"))
    return deployed(app, two("2", fails=True))


def rollback_stuck(app: "App") -> Ran:
    """The way back fails as well, as long as there is a file."""
    check = [{"local-exec": {"command": f"test ! -e {app.folder}/stuck"}}]

    def version(value: str, *, fails: bool) -> dict[str, Any]:
        version = {SHARD: stack(value, fails=fails, triggers_replace=value, provisioner=check)}
        if fails:
            command = f"touch {app.folder}/stuck; exit 3"
            version[SHARD]["resource"]["terraform_data"]["broken"]["provisioner"] = [
                {"local-exec": {"command": command}}
            ]
        return version

    good(app, version("1", fails=False))
    return deployed(app, version("2", fails=True))


def unstuck(app: "App") -> None:
    (app.folder / "stuck").unlink(missing_ok=True)
    corrected(app)


def strange_state(app: "App") -> Ran:
    good(app, shop("1"))
    state = app.state(SHARD)
    state["serial"] += 5
    app.s3.put_object(Bucket=app.bucket, Key=STATE, Body=json.dumps(state).encode())
    return deployed(app, shop("2"))


def state_gone(app: "App") -> Ran:
    versioned(app)
    for value in ("1", "2"):
        good(app, shop(value))
    app.s3.delete_object(Bucket=app.bucket, Key=STATE)
    return deployed(app, shop("3"))


def state_damaged(app: "App") -> Ran:
    for value in ("1", "2"):
        good(app, shop(value))
    app.s3.put_object(Bucket=app.bucket, Key=STATE, Body=b'{"version": 4')
    return deployed(app, shop("3"))


def locked(app: "App") -> Ran:
    good(app, shop("1"))
    lock = {
        "ID": "9f1d2c3b-0000-4000-8000-000000000000",
        "Operation": "OperationTypeApply",
        "Info": "",
        "Who": "joe@runner-9",
        "Version": "1.11.4",
        "Created": "2026-11-01T10:00:00Z",
        "Path": f"{app.bucket}/{STATE}",
    }
    app.s3.put_object(Bucket=app.bucket, Key=f"{STATE}.tflock", Body=json.dumps(lock).encode())
    return deployed(app, shop("2"))


def leased(app: "App") -> Ran:
    record = LeaseRecord(
        run="01JD3K4T7Q9ZV5M2X8R6W1B0CE",
        owner="jane",
        process=ProcessIdentity(host="runner-9", boot="boot-9", namespace="pid:[9]", pid=9, born="then"),
        epoch=1,
        token="t",
        since=datetime.now(UTC),
        doing="deploying shop",
        expires_after=-10.0,
    )
    good(app, shop("1"))
    app.s3.put_object(Bucket=app.bucket, Key=lease_key(FOLDER), Body=record.body())
    return deployed(app, shop("2"))


def killed(app: "App") -> Ran:
    """The runner died after its apply: the next deploy, of anybody, meets its lease."""
    good(app, shop("1"))
    app.write(shop("2"))
    environ = {**app.environ, "HOLDFAST_CRASH_AT": "settle:before"}
    died = subprocess.run(app.argv(*DEPLOY), cwd=app.folder, env=environ, capture_output=True, check=False)
    assert died.returncode == 137
    return deployed(app, shop("3"))


def rejected(app: "App") -> Ran:
    versioned(app)
    for value in ("1", "2"):
        good(app, shop(value))
    back = app.run("rollback", SHARD, "--yes")
    assert back.returncode == 0, back.stdout + back.stderr
    return deployed(app, shop("2"))


def artifact_of(app: "App") -> str:
    body = app.s3.get_object(Bucket=app.bucket, Key=last_good_key(FOLDER))["Body"].read()
    return artifact_key(json.loads(body)["artifact"])


def artifact_lost(app: "App") -> Ran:
    good(app, shop("1"))
    app.s3.delete_object(Bucket=app.bucket, Key=artifact_of(app))
    return deployed(app, shop("2"))


def record_damaged(app: "App") -> Ran:
    good(app, shop("1"))
    app.s3.put_object(Bucket=app.bucket, Key=last_good_key(FOLDER), Body=b"{}")
    return deployed(app, shop("2"))


def nothing_before(app: "App") -> Ran:
    good(app, shop("1"))
    return app.run("rollback", SHARD, "--yes", "--json")


def back_to_a_destroy(app: "App") -> Ran:
    versioned(app)
    good(app, shop("1"))
    ran = app.run("destroy", "--env", "dev", "--yes", "--json")
    return app.run("rollback", SHARD, "--to", json.loads(ran.stdout)["run"], "--yes", "--json")


def half_destroyed(app: "App") -> Ran:
    stacks = shop("1")
    refuses = {"local-exec": {"when": "destroy", "command": f"test -e {app.folder}/let-go"}}
    stacks[SHARD]["resource"]["terraform_data"]["held"] = {"provisioner": [refuses]}
    good(app, stacks)
    return app.run("destroy", "--env", "dev", "--yes", "--json")


def let_go(app: "App") -> None:
    (app.folder / "let-go").touch()


def nobody_to_ask(app: "App") -> Ran:
    good(app, shop("1"))
    return app.run("destroy", "--env", "dev")


def stranded(app: "App") -> Ran:
    good(app, two("1"))
    return app.run("destroy", "--env", "dev", "--stack", "base", "--yes", "--json")


def waits(app: "App") -> Ran:
    return deployed(app, two("1"), "--stack", SHARD)


def no_such_run(app: "App") -> Ran:
    good(app, shop("1"))
    return app.run("resume", "01JD3K4T7Q9ZV5M2X8R6W1B0CE", "--json")


def _failed(code: int, build: Callable[["App"], Ran], **more: Any) -> State:
    return State(code=code, **{"outcome": Outcome.FAILED, "build": build, "correct": corrected, **more})


STATES: Mapping[str, State] = {
    "failed_kept": _failed(1, failed_kept),
    "failed_first": _failed(1, failed_first),
    "rolled_back": _failed(5, rolled_back, outcome=Outcome.ROLLED_BACK),
    "skipped": _failed(1, skipped, outcome=Outcome.SKIPPED, correct=two_corrected),
    "rollback_blocked": _failed(6, rollback_blocked, outcome=Outcome.BLOCKED, correct=two_corrected),
    "rollback_stuck": _failed(6, rollback_stuck, outcome=Outcome.NEEDS_HUMAN, correct=unstuck),
    "strange_state": _failed(4, strange_state, outcome=Outcome.BLOCKED),
    "state_gone": _failed(6, state_gone, outcome=Outcome.NEEDS_HUMAN),
    "state_damaged": _failed(6, state_damaged, outcome=Outcome.NEEDS_HUMAN),
    "locked": _failed(4, locked, outcome=Outcome.BLOCKED),
    "leased": _failed(7, leased, outcome=Outcome.FAILED, quick=True),
    "killed": _failed(7, killed, outcome=Outcome.FAILED),
    "rejected": _failed(4, rejected, outcome=Outcome.BLOCKED),
    "artifact_lost": _failed(4, artifact_lost, outcome=Outcome.BLOCKED),
    "record_damaged": _failed(6, record_damaged, outcome=Outcome.NEEDS_HUMAN),
    "nothing_before": _failed(64, nothing_before),
    "back_to_a_destroy": _failed(64, back_to_a_destroy),
    "half_destroyed": _failed(1, half_destroyed, correct=let_go),
    "nobody_to_ask": _failed(64, nobody_to_ask, outcome=None),
    "stranded": _failed(64, stranded, outcome=None, correct=two_corrected),
    "waits": _failed(1, waits, correct=two_corrected),
    "no_such_run": _failed(64, no_such_run, outcome=None),
}
