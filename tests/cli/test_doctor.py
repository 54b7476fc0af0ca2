"""`holdfast doctor`: what is found, what is missing and what mends it; skipped is not missing."""

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions
import jsonschema
import pytest
from click.testing import CliRunner

from holdfast_orchestrator.api.machine import examine
from holdfast_orchestrator.cli.doctor import command
from holdfast_orchestrator.engine.warm import folders
from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.testing import RefusingAws, captured_terminal, refusing_runtime

PROD = """
account = "210987654321"
regions = ["eu-west-1"]
[state]
bucket = "acme-state"
"""


class Client:
    """Answers STS and S3: `caller` is an account or an exception; the rest is of the only bucket."""

    def __init__(self, caller: str | Exception, bucket: str, versions: str, *, closed: bool | None) -> None:
        self._caller, self._bucket, self._versions, self._closed = caller, bucket, versions, closed

    def get_caller_identity(self) -> dict[str, str]:
        if isinstance(self._caller, Exception):
            raise self._caller
        return {"Account": self._caller, "Arn": f"arn:aws:iam::{self._caller}:user/ada"}

    def head_bucket(self, *, Bucket: str) -> None:  # noqa: N803 - boto3's names
        if Bucket != self._bucket:
            raise client_error("404", "HeadBucket")

    def get_bucket_versioning(self, *, Bucket: str) -> dict[str, str]:  # noqa: N803
        return {"Status": self._versions}

    def get_public_access_block(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803
        if self._closed is None:
            raise client_error("NoSuchPublicAccessBlockConfiguration", "GetPublicAccessBlock")
        names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        return {"PublicAccessBlockConfiguration": {**dict.fromkeys(names, True), names[0]: self._closed}}


class FakeAws:
    """The door to AWS, with the same client behind every service."""

    def __init__(
        self,
        caller: str | Exception = "210987654321",
        bucket: str = "acme-state",
        versions: str = "Enabled",
        *,
        closed: bool | None = True,
    ) -> None:
        self._client = Client(caller, bucket, versions, closed=closed)

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        return self._client


def client_error(code: str, operation: str) -> botocore.exceptions.ClientError:
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def world(tmp_path: Path) -> Runtime:
    """Return a runtime with an engine, in a project without environments."""
    (tmp_path / "cdktf.json").write_text('{"app": "python main.py"}')
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho Terraform v1.11.4\n")
    program.chmod(0o755)
    return refusing_runtime(
        environ={
            "PATH": str(program.parent),
            "HOME": str(tmp_path),
            "HOLDFAST_PROVIDER_MIRROR": mirror(tmp_path),
        },
        cwd=tmp_path,
        processes=SystemProcesses(),
        aws=RefusingAws(),
        terminal=captured_terminal(),
        cache=tmp_path / "cache",
    )


def mirror(tmp_path: Path) -> str:
    (tmp_path / "mirror" / "registry.terraform.io").mkdir(parents=True)
    return str(tmp_path / "mirror")


def environment(runtime: Runtime, name: str, text: str) -> None:
    folder = runtime.cwd / "environments"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text)


def ask(runtime: Runtime, *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    result = CliRunner().invoke(command, [*options, "--json"], obj=runtime, catch_exceptions=False)
    document = json.loads(runtime.terminal.out.getvalue())  # type: ignore[attr-defined]
    jsonschema.validate(document, SCHEMAS["doctor.v1.json"]())
    assert document["ok"] is (result.exit_code == 0)
    return result.exit_code, {check["name"]: check for check in document["checks"]}


def test_a_whole_toolchain_is_ok_and_needs_no_cloud(world: Runtime) -> None:
    code, checks = ask(world)

    assert code == 0
    assert checks["engine"]["found"] == f"terraform 1.11.4 ({world.cwd}/bin/terraform)"
    assert {
        checks[name]["status"] for name in ("project", "python", "packages", "node", "engine", "providers")
    } == {"ok"}
    assert checks["local cloud"]["status"] == "skipped"
    assert checks["local cloud"]["next"] == "holdfast local up"
    assert "credentials" not in checks


def test_the_folder_of_a_dead_gateway_is_removed_and_named(world: Runtime, temporary: Path) -> None:
    folder = folders.make_folder()
    held = folders.hold(folder)
    assert ask(world)[1]["leftovers"]["found"] == "none of dead runs in the temporary folder"
    world.terminal.out.truncate(0)
    world.terminal.out.seek(0)
    os.close(held)

    assert ask(world)[1]["leftovers"]["found"] == f"removed what dead runs left: {folder}"
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "found", "way_on"),
    [
        (None, "there is no cdktf.json in", "--project"),
        ("{", "is not valid JSON", "correct"),
        ('{"app": 1}', "`app` must be the command", None),
    ],
)
def test_a_folder_that_is_no_project_is_missing_one(
    world: Runtime, content: str | None, found: str, way_on: str | None
) -> None:
    file = world.cwd / "cdktf.json"
    file.unlink()
    if content is not None:
        file.write_text(content)

    code, checks = ask(world)

    assert code == 1
    assert checks["project"]["status"] == "missing"
    assert found in checks["project"]["found"]
    assert (way_on or "") in (checks["project"]["next"] or "")


@pytest.mark.parametrize("content", [None, b"account = '\xff'"])
def test_settings_of_an_environment_that_cannot_be_read_are_named(
    world: Runtime, content: bytes | None
) -> None:
    file = world.cwd / "environments" / "prod.toml"
    file.parent.mkdir()
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)

    code, checks = ask(world)

    assert code == 1
    assert checks["environments"]["found"].startswith(f"cannot read {file}: ")
    assert checks["environments"]["next"] == "make it a readable file"


def test_a_missing_engine_fails_with_the_command_that_mends_it(world: Runtime) -> None:
    (world.cwd / "bin" / "terraform").unlink()

    code, checks = ask(world)

    assert code == 1
    assert checks["engine"]["status"] == "missing"
    assert checks["engine"]["next"].startswith("make install")


def test_a_mirror_that_is_none_is_missing(world: Runtime) -> None:
    (world.cwd / "mirror" / "registry.terraform.io").rmdir()

    code, checks = ask(world)

    assert code == 1
    assert "HOLDFAST_PROVIDER_MIRROR" in checks["providers"]["next"]


def test_working_credentials_and_a_versioned_bucket_are_ok(world: Runtime) -> None:
    environment(world, "prod", PROD)

    code, checks = ask(dataclasses.replace(world, aws=FakeAws()))

    assert code == 0
    assert checks["credentials"]["found"] == "account 210987654321, arn:aws:iam::210987654321:user/ada"
    assert checks["state bucket (prod)"]["found"] == "acme-state in eu-west-1, versioned"


def test_a_missing_bucket_comes_with_the_command_that_creates_it(world: Runtime) -> None:
    environment(world, "prod", PROD)

    code, checks = ask(dataclasses.replace(world, aws=FakeAws(bucket="other")))

    assert code == 1
    bucket = checks["state bucket (prod)"]
    assert bucket["status"] == "missing"
    assert "aws s3api create-bucket --bucket acme-state --region eu-west-1" in bucket["next"]


def test_a_bucket_without_versions_is_missing_something(world: Runtime) -> None:
    environment(world, "prod", PROD)

    code, checks = ask(dataclasses.replace(world, aws=FakeAws(versions="Suspended")))

    assert code == 1
    assert "put-bucket-versioning --bucket acme-state" in checks["state bucket (prod)"]["next"]


@pytest.mark.parametrize("closed", [False, None])
def test_a_bucket_that_could_become_public_is_missing_something(
    world: Runtime, *, closed: bool | None
) -> None:
    environment(world, "prod", PROD)

    code, checks = ask(dataclasses.replace(world, aws=FakeAws(closed=closed)))

    assert code == 1
    assert "put-public-access-block --bucket acme-state" in checks["state bucket (prod)"]["next"]


@pytest.mark.parametrize(
    "aws", [FakeAws(bucket="other"), FakeAws(versions="Suspended"), FakeAws(closed=None)]
)
def test_what_a_bucket_lacks_is_made_by_bootstrap_where_the_settings_have_a_foundation(
    world: Runtime, aws: FakeAws
) -> None:
    environment(world, "prod", PROD + "[foundation]\n")

    code, checks = ask(dataclasses.replace(world, aws=aws))

    assert (code, checks["state bucket (prod)"]["next"]) == (1, "holdfast bootstrap --env prod")


def test_without_credentials_the_cloud_is_skipped(world: Runtime) -> None:
    environment(world, "prod", PROD)
    aws = FakeAws(caller=botocore.exceptions.NoCredentialsError())

    code, checks = ask(dataclasses.replace(world, aws=aws))

    assert code == 0
    assert checks["credentials"]["status"] == "skipped"
    assert "AWS_PROFILE" in checks["credentials"]["next"]
    assert checks["state bucket (prod)"]["found"] == "no credentials"


def test_without_credentials_an_environment_that_was_asked_for_is_missing_them(world: Runtime) -> None:
    environment(world, "prod", PROD)
    aws = FakeAws(caller=botocore.exceptions.NoCredentialsError())

    code, checks = ask(dataclasses.replace(world, aws=aws), "--env", "prod")

    assert code == 1
    assert checks["credentials"]["status"] == "missing"


def test_offline_the_cloud_is_skipped_with_the_reason(world: Runtime) -> None:
    environment(world, "prod", PROD)
    aws = FakeAws(caller=botocore.exceptions.EndpointConnectionError(endpoint_url="https://sts"))

    code, checks = ask(dataclasses.replace(world, aws=aws), "--env", "prod")

    assert code == 0
    assert "AWS cannot be reached from here" in checks["credentials"]["found"]
    assert checks["state bucket (prod)"]["found"] == "offline"


def test_expired_credentials_are_missing_with_what_to_do(world: Runtime) -> None:
    environment(world, "prod", PROD)
    aws = FakeAws(caller=client_error("ExpiredToken", "GetCallerIdentity"))

    code, checks = ask(dataclasses.replace(world, aws=aws))

    assert code == 1
    assert "log in again" in checks["credentials"]["next"]


def test_another_accounts_bucket_is_not_looked_at(world: Runtime) -> None:
    environment(world, "prod", PROD)

    code, checks = ask(dataclasses.replace(world, aws=FakeAws(caller="111111111111")))

    assert code == 0
    found = checks["state bucket (prod)"]["found"]
    assert found == "the credentials are for account 111111111111, not 210987654321"


def test_the_local_environment_that_was_asked_for_must_run(world: Runtime) -> None:
    environment(world, "local", "local = true\n")

    code, checks = ask(world, "--env", "local")

    assert code == 1
    assert checks["local cloud"] == {
        "name": "local cloud",
        "status": "missing",
        "found": "it does not run",
        "next": "holdfast local up",
    }
    assert checks["state bucket (local)"]["status"] == "skipped"


def test_an_unknown_environment_is_named_beside_those_there_are(world: Runtime) -> None:
    environment(world, "local", "local = true\n")

    code, checks = ask(world, "--env", "nope")

    assert code == 1
    assert checks["environments"]["found"] == "there is no environment nope; there are: local"


def test_a_foreign_apps_bucket_comes_from_cdktf_json(world: Runtime) -> None:
    context = {"holdfast": {"state_bucket": "acme-state", "region": "eu-west-1"}}
    (world.cwd / "cdktf.json").write_text(json.dumps({"app": "x", "context": context}))

    _, checks = ask(dataclasses.replace(world, aws=FakeAws()))

    assert checks["state bucket (default)"]["status"] == "ok"


def test_people_read_a_line_a_check_with_what_mends_it_below(world: Runtime) -> None:
    CliRunner().invoke(command, [], obj=world, catch_exceptions=False)

    lines = world.terminal.out.getvalue().splitlines()  # type: ignore[attr-defined]
    assert any(line.startswith("✔ engine") for line in lines)
    assert any(line.startswith("· local cloud") and "skipped: it does not run" in line for line in lines)
    assert "next: holdfast local up" in lines[-1]
    assert "\x1b" not in "".join(lines)


def test_python_gets_the_checks_that_the_command_shows(world: Runtime) -> None:
    checks = {check.name: check for check in examine(env="nowhere", runtime=world)}

    _, shown = ask(world, "--env", "nowhere")
    assert {name: check.status for name, check in checks.items()} == {
        name: check["status"] for name, check in shown.items()
    }
    assert "missing" in {check.status for check in checks.values()}
