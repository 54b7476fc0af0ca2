"""A canary in every place a secret can stand, and none of them where anybody may look."""

import json
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.terraform.conftest import App

FAULT_APP = Path(__file__).resolve().parent.parent / "fixtures" / "fault_app" / "app.py"
# What holds secrets by design: encrypted, and nothing else reads it.
STATE = "shop/123456789012/eu-west-1/dev/terraform.tfstate"
SECRET_PLACES = ("backups/", "artifacts/", "audit-raw/", "rescued/")
PLACES = (
    "secure_parameter",
    "secret_version",
    "database_password",
    "container_environment",
    "container_token",
    "sensitive_variable",
    "sensitive_output",
    "caller_environment",
    "named_in_environment",
    "named_in_cdktf_json",
    "connection_string",
    "command_line",
)
CANARIES = {place: f"canary0{place.replace('_', '')}7Qe0" for place in PLACES}
KNOWN_FROM_THE_BEGINNING = ("caller_environment", "named_in_environment", "named_in_cdktf_json")
# Recognized by what stands around them.
ONLY_IN_A_SETTING = ("connection_string", "command_line")
URL = f"postgres://app:{CANARIES['connection_string']}@db.internal/shop"
ACCESS_KEY = "AKIAQ7CANARY0XYZ1234"
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEcanary0privatekey\n-----END RSA PRIVATE KEY-----"
EVERYTHING = {**CANARIES, "access_key": ACCESS_KEY, "private_key": "MIIEcanary0privatekey"}

APP_SPEAKS = """
import sys
print("the app says", os.environ["SHOP_API_TOKEN"], file=sys.stderr)
if Path("break-synth").exists():
    raise SystemExit("cannot synthesize with " + Path("said-by-synth.txt").read_text())
"""


@dataclass
class Seen:
    """What was shown to anybody so far, by where."""

    texts: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, text: str) -> None:
        self.texts[where] = self.texts.get(where, "") + text

    def leaks(self) -> list[str]:
        return [
            f"{place} in {where}"
            for where, text in self.texts.items()
            for place, canary in EVERYTHING.items()
            if canary in text
        ]


@dataclass
class Nest:
    """An app full of canaries, and everything that was said about it."""

    app: "App"
    seen: Seen = field(default_factory=Seen)
    commands: int = 0

    def run(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        self.commands += 1
        ran = self.app.run(*argv)
        self.seen.add(f"{self.commands} {argv[0]}: standard output", ran.stdout)
        self.seen.add(f"{self.commands} {argv[0]}: standard error", ran.stderr)
        return ran

    def write(self, version: str, *, fails: bool = False, healthy: bool = True) -> None:
        self.app.write(
            {"shop": _stack(version, self.app.bucket, fails=self.app.folder / "said.txt" if fails else None)}
        )
        check = {"kind": "command", "name": "speaks", "window": 2, "interval": 1, "timeout": 2}
        check["command"] = ["sh", "-c", "true" if healthy else "cat said-by-check.txt >&2; exit 1"]
        (self.app.folder / "holdfast.json").write_text(json.dumps(_manifest(self.app.bucket, check)))


def _manifest(bucket: str, check: dict[str, Any]) -> dict[str, Any]:
    where = {"service": "shop", "account": "123456789012", "region": "eu-west-1", "environment": "dev"}
    state = {"bucket": bucket, "key": STATE, "region": "eu-west-1"}
    shard = {**where, "state": state, "health_checks": [check]}
    return {"schema": "holdfast/deployment-manifest/v1", "shards": {"shop": shard}}


def _backend(bucket: str) -> dict[str, Any]:
    skipped = ("credentials_validation", "metadata_api_check", "region_validation", "requesting_account_id")
    switches = {f"skip_{what}": True for what in skipped} | {"use_lockfile": True, "use_path_style": True}
    return {"bucket": bucket, "key": STATE, "region": "eu-west-1", "encrypt": True, **switches}


def _stack(version: str, bucket: str, *, fails: Path | None) -> dict[str, Any]:
    # A replaced task definition is shown, and not deployed.
    only_planned = version if version == "two" else ""
    container = {
        "name": "web",
        "image": "nginx",
        "memory": 128,
        "environment": [
            {"name": "GREETING", "value": CANARIES["container_environment"] + only_planned},
            {"name": "SHOP_TOKEN", "value": CANARIES["container_token"]},
        ],
    }
    resources: dict[str, Any] = {
        "aws_ssm_parameter": {
            "p": {
                "name": "/shop/p",
                "type": "SecureString",
                "value": CANARIES["secure_parameter"],
            },
            "url": {"name": "/shop/u", "type": "String", "value": f"{URL}/{version}"},
        },
        "aws_secretsmanager_secret": {"s": {"name": "shop-s"}},
        "aws_secretsmanager_secret_version": {
            "v": {
                "secret_id": "${aws_secretsmanager_secret.s.id}",
                "secret_string": CANARIES["secret_version"],
            }
        },
        "aws_ecs_task_definition": {
            "t": {"family": "shop", "container_definitions": json.dumps([container])}
        },
        "terraform_data": {"d": {"input": "${var.secret}"}},
    }
    if fails is not None:
        resources["terraform_data"]["broken"] = {
            "depends_on": ["aws_ssm_parameter.p"],
            "provisioner": [{"local-exec": {"command": f"cat '{fails}' >&2; exit 3"}}],
        }
        # Planned, and never begun.
        resources["aws_db_instance"] = {
            "db": {
                "depends_on": ["terraform_data.broken"],
                "identifier": "shop",
                "engine": "postgres",
                "instance_class": "db.t4g.micro",
                "allocated_storage": 20,
                "username": "app",
                "password": CANARIES["database_password"],
                "skip_final_snapshot": True,
            }
        }
    return {
        "terraform": {
            "required_providers": {"aws": {"source": "aws", "version": "5.100.0"}},
            "backend": {"s3": _backend(bucket)},
        },
        "provider": {"aws": [_PROVIDER]},
        "variable": {
            "secret": {"type": "string", "sensitive": True, "default": CANARIES["sensitive_variable"]}
        },
        "output": {"o": {"value": CANARIES["sensitive_output"], "sensitive": True}},
        "resource": resources,
    }


_PROVIDER = {
    "region": "eu-west-1",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "skip_requesting_account_id": True,
    "skip_region_validation": True,
    "max_retries": 5,
}


@contextmanager
def command_lines_watched(seen: Seen) -> Iterator[None]:
    """Look at every process's command line, again and again, as any user of the machine can."""
    over = threading.Event()

    def look() -> None:
        found: set[str] = set()
        while not over.wait(0.02):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    found.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        # The caller's own word is there whatever we do.
        theirs = (line for line in found if CANARIES["command_line"] not in line)
        seen.add("command lines of processes", "\n".join(theirs))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def nest(plain_app: "App") -> Nest:
    folder = plain_app.folder
    shutil.copy(FAULT_APP, folder / "app.py")
    (folder / "app.py").write_text((folder / "app.py").read_text() + APP_SPEAKS)
    # What a program says that failed before the app was read can only be known by what it looks like.
    told = [URL, ACCESS_KEY, PRIVATE_KEY, *(CANARIES[place] for place in KNOWN_FROM_THE_BEGINNING)]
    (folder / "said-by-synth.txt").write_text(" ".join(told))
    learned = [CANARIES[place] for place in PLACES if place not in ONLY_IN_A_SETTING]
    (folder / "said.txt").write_text(" ".join([*learned, *told]).replace("\n", " "))
    # The database is only in the version that fails.
    checked = [text for text in learned if text != CANARIES["database_password"]]
    (folder / "said-by-check.txt").write_text(" ".join([*checked, *told]).replace("\n", " "))
    settings = json.loads((folder / "cdktf.json").read_text())
    settings["context"]["holdfast"]["redact"] = [CANARIES["named_in_cdktf_json"]]
    (folder / "cdktf.json").write_text(json.dumps(settings))
    environ = {
        **plain_app.environ,
        "SHOP_API_TOKEN": CANARIES["caller_environment"],
        "HOLDFAST_REDACT": CANARIES["named_in_environment"],
    }
    return Nest(type(plain_app)(folder=folder, bucket=plain_app.bucket, environ=environ, s3=plain_app.s3))


@pytest.mark.long
def test_no_canary_is_where_anybody_may_look(nest: Nest) -> None:
    folder = nest.app.folder
    nest.write("one")
    with command_lines_watched(nest.seen):
        first = nest.run("deploy", "--yes", "--events", "events-1.jsonl", "--verbose")
        nest.write("two")
        shown = nest.run("plan", "--markdown", "comment.md", "--verbose")
        nest.run("plan", "--json", "--out", "plans")
        nest.write("three", fails=True)
        option = f"none.none=postgres://app:{CANARIES['command_line']}@db/x"
        failed = nest.run("deploy", "--yes", "--json", "--events", "events-2.jsonl", "--approve", option)
        nest.write("four", healthy=False)
        unwell = nest.run("deploy", "--yes", "--verbose")
        (folder / "break-synth").touch()
        broken = nest.run("synth", "--verbose")
        nest.run("synth", "--json")
        (folder / "break-synth").unlink()
    run = json.loads(nest.run("runs", "--json").stdout)["runs"][0]["run"]
    for words in (["runs"], ["show", run], ["show", run, "--json"], ["audit"], ["audit", "--json"]):
        nest.run(*words)
    nest.run("audit", "--output")
    nest.run("state", "backups", "shop")
    _look_into_files(nest)
    _look_into_the_bucket(nest)

    leaks = nest.seen.leaks()
    assert not leaks, "\n".join(leaks)
    # Everything did speak: what was silent hides nothing.
    assert first.returncode == 0, first.stdout + first.stderr
    assert "the app says (sensitive)" in first.stdout
    assert "aws_ssm_parameter.url" in shown.stdout
    assert "aws_ecs_task_definition.t" in shown.stdout
    assert failed.returncode == 5, failed.stdout + failed.stderr
    assert "exit status 3" in failed.stdout
    assert unwell.returncode == 5, unwell.stdout + unwell.stderr
    assert "exit code 1" in unwell.stdout
    assert "cannot synthesize with" in broken.stderr


def _look_into_files(nest: Nest) -> None:
    """Read what Holdfast wrote and others may read: private files hold secrets, and are private."""
    ours = {
        "app.py",
        "stacks.json",
        "said.txt",
        "said-by-synth.txt",
        "said-by-check.txt",
        "cdktf.json",
        "holdfast.json",
    }
    cache = Path(nest.app.environ["HOLDFAST_CACHE_DIR"])
    for root in (nest.app.folder, cache):
        for file in root.rglob("*"):
            name = str(file.relative_to(root))
            theirs = root == nest.app.folder and (name in ours or name.startswith("cdktf.out/"))
            if theirs or not file.is_file() or file.is_symlink() or file.stat().st_size > 50_000_000:
                continue
            if stat.S_IMODE(file.stat().st_mode) & 0o077:
                nest.seen.add(f"file {name}", file.read_text(errors="replace"))


def _look_into_the_bucket(nest: Nest) -> None:
    for key in nest.app.object_keys():
        kind = key.removeprefix("_holdfast/")
        if key.endswith("terraform.tfstate") or kind.startswith(SECRET_PLACES) or "/plans/" in kind:
            continue
        body = nest.app.s3.get_object(Bucket=nest.app.bucket, Key=key)["Body"].read()
        nest.seen.add(f"object {key}", body.decode(errors="replace"))


def _waiting(stack: dict[str, Any], begun: Path) -> dict[str, Any]:
    """The same stack, whose apply waits in its middle, for long enough to be killed."""
    resources = stack["resource"]
    resources["terraform_data"]["waits"] = {
        "depends_on": ["aws_ssm_parameter.p", "aws_secretsmanager_secret_version.v"],
        "provisioner": [{"local-exec": {"command": f"touch '{begun}'; exec sleep 600"}}],
    }
    return stack


def _processes_of(folder: Path) -> list[int]:
    """Every process that was started with this temporary folder."""
    marker = f"TMPDIR={folder}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if marker in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return found


def _kill_all(folder: Path) -> None:
    while pids := _processes_of(folder):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed run leaves private files")
def test_no_canary_is_on_disk_after_everything_was_killed(nest: Nest, tmp_path: Path) -> None:
    folder = nest.app.folder
    temporary, cache = Path(tempfile.mkdtemp(prefix="t", dir="/tmp")), tmp_path / "own-cache"
    environ = {
        **nest.app.environ,
        "TMPDIR": str(temporary),
        "HOLDFAST_CACHE_DIR": str(cache),
        "TF_VAR_secret": CANARIES["sensitive_variable"],
        "TF_LOG_SDK": "TRACE",
        "TF_LOG_PROVIDER_AWS": "TRACE",
    }
    app = type(nest.app)(folder=folder, bucket=nest.app.bucket, environ=environ, s3=nest.app.s3)
    shutil.copy(Path(__file__).resolve().parents[2] / ".terraform.lock.hcl", folder)
    begun = tmp_path / "begun"
    app.write({"shop": _waiting(_stack("one", app.bucket, fails=None), begun)})
    option = f"none.none=postgres://app:{CANARIES['command_line']}@db/x"
    deploying = app.start("deploy", "--yes", "--verbose", "--events", "events.jsonl", "--approve", option)
    try:
        deadline = time.monotonic() + 120
        while not begun.exists() and deploying.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert begun.exists()
        gateways = list(temporary.glob("hf-*"))
    finally:
        _kill_all(temporary)
        said, _ = deploying.communicate(timeout=30)
    assert gateways, said

    leaks = [*_on_disk(temporary), *_on_disk(cache), *_on_disk(folder)]
    nest.seen.add("what was said", said)
    assert not leaks, "\n".join(leaks)
    assert not nest.seen.leaks()

    after = app.run("doctor", "--json")
    assert "removed what dead runs left" in after.stdout
    assert not list(temporary.glob("hf-*"))
    shutil.rmtree(temporary)


def _on_disk(root: Path) -> list[str]:
    """The canaries in files below a folder, archives unpacked; the app's own files and output are its own."""
    theirs = {"app.py", "stacks.json", "cdktf.json", "holdfast.json", "cdktf.out"}
    found = []
    for file in root.rglob("*"):
        name = str(file.relative_to(root))
        mine = not name.startswith(tuple(theirs)) and not name.startswith("said")
        if mine and file.is_file() and file.stat().st_size < 50_000_000:
            content = file.read_bytes()
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    content += b"".join(archive.read(one) for one in archive.namelist())
            there = (place for place, canary in EVERYTHING.items() if canary.encode() in content)
            found += [f"{place} in {file}" for place in there]
    return found
