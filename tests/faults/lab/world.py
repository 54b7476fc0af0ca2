"""One test's world: a project, a cloud of its own, the proxy between them, and what happened there.

world.begin(FIRST)                      # deployed before, in a cloud this one is a twin of
world.write(FAILING)
ended = world.holdfast("deploy", "--yes", "--json")
assert_safe(world, ended, code=5)
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.faults.lab.cloud import BUCKET, Cloud, Clouds
from tests.faults.lab.provider import WarmProvider, terraform_wrapper
from tests.faults.lab.proxy import Proxy
from tests.faults.lab.scenarios import SHARD, Version
from tests.support.forked_commands import run_command

from holdfast_orchestrator.engine.workdir import INIT_KEY, work_root, workdir_of
from holdfast_orchestrator.local.environment import REGION, towards_local
from holdfast_orchestrator.system.runtime import real_runtime

HOLDFAST = Path(sys.executable).with_name("holdfast")
APP = Path(__file__).resolve().parents[2] / "fixtures" / "fault_app" / "app.py"
SETTINGS = {
    "state_bucket": BUCKET,
    "region": REGION,
    "environment": "dev",
    "account": "123456789012",
}
DEPLOY = ("deploy", "--yes", "--json")

_MARK = "FAULTS_WORLD"
# The lab's own provider is attached to; a second one beside it would only cost time.
_NO_GATEWAY = {"HOLDFAST_COLD_PROVIDERS": "1"}
_PATIENCE_SECONDS = 240.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A holdfast command that ended; a negative code is the signal that ended it."""

    argv: tuple[str, ...]
    code: int
    out: str = field(repr=False)
    err: str = field(repr=False)

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    def outcome(self, shard: str = SHARD) -> str:
        found: str = self.shard(shard)["outcome"]
        return found

    def shard(self, name: str = SHARD) -> Mapping[str, Any]:
        shards = {entry["name"]: entry for entry in self.document["shards"]}
        entry: Mapping[str, Any] = shards[name]
        return entry

    @property
    def run(self) -> str:
        name: str = self.document["run"]
        return name

    def __str__(self) -> str:
        return f"holdfast {' '.join(self.argv)}: exit code {self.code}\n{self.out}\n{self.err}"


@dataclass(kw_only=True)
class Started:
    """A holdfast command that runs."""

    argv: tuple[str, ...]
    process: "subprocess.Popen[str]"
    out: Path
    err: Path

    def wait(self, seconds: float = _PATIENCE_SECONDS) -> Ended:
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return Ended(argv=self.argv, code=code, out=self.out.read_text(), err=self.err.read_text())

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@dataclass
class Lab:
    """What the worlds of one worker share: the first cloud, the proxy's door, the warm provider."""

    folder: Path
    clouds: Clouds = field(default_factory=Clouds)
    proxy: Proxy = field(default_factory=Proxy)
    warm: WarmProvider | None = None
    bases: dict[str, tuple[Cloud, Path]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> "Lab":
        lab = cls(folder)
        terraform_wrapper(folder / "bin")
        lab.warm = WarmProvider.start(folder, towards_local(os.environ, lab.proxy.endpoint))
        return lab

    def world(self, folder: Path, *, cold: bool = False) -> "World":
        """Return a new, empty world; a `cold` one has providers of its own, as users do."""
        folder.mkdir(parents=True, exist_ok=True)
        return World(self, folder, cold=cold)

    def base(self, version: Version) -> tuple[Cloud, Path]:
        """A cloud and a project folder in which this version is deployed: made once, never changed."""
        name = sha256(json.dumps(version, sort_keys=True).encode()).hexdigest()[:12]
        if name not in self.bases:
            world = self.world(self.folder / f"base-{name}")
            world.write(version)
            ended = world.holdfast(*DEPLOY)
            assert ended.code == 0, str(ended)
            world.end(keep_cloud=True)
            self.bases[name] = (world.cloud, world.folder)
        return self.bases[name]

    def cache_of(self, project: Path) -> Path:
        """Where the shards' folders of a base are."""
        return work_root(replace(real_runtime(), cache=project / "cache"), project)

    def close(self) -> None:
        if self.warm is not None:
            self.warm.stop()
        self.proxy.close()
        self.clouds.stop()


class World:
    """A project and a cloud of its own."""

    def __init__(self, lab: Lab, folder: Path, *, cold: bool) -> None:
        self.lab = lab
        self.proxy = lab.proxy
        self.folder = folder
        self.cloud = lab.clouds.empty()
        self.extra: dict[str, str] = {}
        self.search = [lab.folder / "bin"]
        self._cold = cold
        self._commands = 0
        self.proxy.stand_before(self.cloud.endpoint)
        shutil.copy(APP, folder)
        self.configure()

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def configure(self, **settings: str) -> None:
        context = {"holdfast": {**SETTINGS, **settings}}
        # One app, wherever its folder is copied to.
        document = {
            "app": f"{sys.executable} app.py",
            "output": "cdktf.out",
            "projectId": "lab",
            "context": context,
        }
        (self.folder / "cdktf.json").write_text(json.dumps(document))

    def begin(self, version: Version) -> None:
        """Go on from where `version` is deployed."""
        cloud, folder = self.lab.base(version)
        self.cloud.stop()
        self.cloud = self.lab.clouds.fork(cloud)
        self.proxy.stand_before(self.cloud.endpoint)
        self.write(version)
        if (folder / ".terraform.lock.hcl").exists():
            shutil.copy(folder / ".terraform.lock.hcl", self.folder)
        self._take_over_initialization(folder)

    def _take_over_initialization(self, project: Path) -> None:
        """`init` checks the sum of 700 MB of provider: once a base is enough, as on anybody's machine."""
        there = self.lab.cache_of(project)
        here = work_root(replace(real_runtime(), cache=self.cache), self.folder)
        for shard in there.iterdir():
            for name in (".terraform", ".terraform.lock.hcl", INIT_KEY):
                found = workdir_of(there, shard.name) / name
                taken = workdir_of(here, shard.name) / name
                if found.is_dir():
                    shutil.copytree(found, taken, symlinks=True)
                elif found.exists():
                    shutil.copy(found, taken)
        for folder in (here, *here.iterdir()) if here.exists() else ():
            folder.chmod(0o700)

    def write(self, version: Version, *, checks: Sequence[Mapping[str, Any]] = ()) -> None:
        """Make this the app's version; with health checks it is one that writes a holdfast.json."""
        stacks: dict[str, Any] = json.loads(json.dumps(version))
        if checks:
            for name, stack in stacks.items():
                stack.setdefault("terraform", {})["backend"] = {"s3": self._backend(name)}
            shards = {name: self._described(name, checks) for name in stacks}
            document = {"schema": "holdfast/deployment-manifest/v1", "shards": shards}
            (self.folder / "holdfast.json").write_text(json.dumps(document))
        else:
            (self.folder / "holdfast.json").unlink(missing_ok=True)
        (self.folder / "stacks.json").write_text(json.dumps(stacks))

    def _backend(self, shard: str) -> dict[str, Any]:
        skipped = ("credentials_validation", "metadata_api_check", "region_validation")
        return {
            "bucket": BUCKET,
            "key": self.state_key(shard),
            "region": REGION,
            "encrypt": True,
            "use_lockfile": True,
            "use_path_style": True,
            **{f"skip_{what}": True for what in skipped},
        }

    def _described(self, shard: str, checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "service": shard,
            "environment": "dev",
            "account": SETTINGS["account"],
            "region": REGION,
            "state": {"bucket": BUCKET, "key": self.state_key(shard), "region": REGION},
            "health_checks": list(checks),
        }

    def environ(self, **more: str) -> dict[str, str]:
        search = ":".join([*map(str, self.search), os.environ["PATH"]])
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "TF_"))
        }
        return {
            **towards_local(inherited, self.proxy.endpoint),
            **({} if self._cold or self.lab.warm is None else {**self.lab.warm.attach, **_NO_GATEWAY}),
            "PATH": search,
            "HOLDFAST_CACHE_DIR": str(self.cache),
            _MARK: str(self.folder),
            **self.extra,
            **more,
        }

    def start(self, *words: str, **environ: str) -> Started:
        """Start a command in a session of its own; what it prints goes to files."""
        self._commands += 1
        out, err = (self.folder / f"{self._commands:02}-{words[0]}.{kind}" for kind in ("out", "err"))
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen(
                [str(HOLDFAST), *words],
                cwd=self.folder,
                env=self.environ(**environ),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        return Started(argv=words, process=process, out=out, err=err)

    def holdfast(self, *words: str, **environ: str) -> Ended:
        ran = run_command(
            words,
            cwd=self.folder,
            environ=self.environ(**environ),
            seconds=_PATIENCE_SECONDS,
            own_session=True,
        )
        return Ended(argv=words, code=ran.returncode, out=ran.stdout, err=ran.stderr)

    def deploy(self, version: Version | None = None, *words: str, **environ: str) -> Ended:
        if version is not None:
            self.write(version)
        return self.holdfast(*DEPLOY, *words, **environ)

    def resume(self, *words: str) -> Ended:
        """Resume the newest run; nothing is disturbed any more."""
        self.proxy.heal()
        return self.holdfast("resume", self.newest_run(), *words, "--json")

    def newest_run(self) -> str:
        """The name says when a run began, so the last one is the newest."""
        return max(key.split("/")[2] for key in self.cloud.listing("_holdfast/runs/"))

    # What lies in the bucket

    def state_key(self, shard: str = SHARD) -> str:
        return f"{shard}/{SETTINGS['account']}/{REGION}/dev/terraform.tfstate"

    def state(self, shard: str = SHARD) -> Any:
        return json.loads(self.cloud.get(self.state_key(shard)))

    def ids(self, kind: str) -> list[str]:
        """The ids of the resources of a type in the state."""
        resources = [resource for resource in self.state()["resources"] if resource["type"] == kind]
        return [resource["instances"][0]["attributes"]["id"] for resource in resources]

    def put_state(self, content: bytes | Mapping[str, Any], shard: str = SHARD) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.cloud.put(self.state_key(shard), body)

    # What runs

    def processes(self, *words: str) -> list[int]:
        """The ids of this world's processes whose command line has all these words."""
        return [pid for pid, argv in self._running() if all(word in argv for word in words)]

    def kill(self, *words: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal those processes; return how many there were."""
        found = self.processes(*words)
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return len(found)

    def _running(self) -> Iterator[tuple[int, str]]:
        mark = f"{_MARK}={self.folder}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with suppress(OSError):
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()

    def terraform(self) -> list[int]:
        """The ids of running Terraform commands, without their providers."""
        return [pid for pid in self.processes("terraform") if _is_terraform(pid)]

    def kill_terraform(self, number: signal.Signals = signal.SIGKILL) -> None:
        for pid in self.terraform():
            os.kill(pid, number)

    def kill_provider(self) -> None:
        assert self.kill("terraform-provider-aws"), "there is no provider of this world: make it cold"

    # Waiting

    def wait_until(self, holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(_LOOK_SECONDS)

    def events(self) -> list[Any]:
        """What the applies of this world have told so far."""
        found: list[Any] = []
        for file in sorted(self.cache.rglob("*apply*.jsonl")):
            for line in file.read_text(errors="replace").splitlines():
                with suppress(ValueError):
                    found.append(json.loads(line))
        return found

    def wait_for_event(self, kind: str, name: str = "") -> None:
        """Wait until an apply says `apply_start`, `apply_complete` … of the resource."""

        def told() -> bool:
            return any(
                event.get("type") == kind
                and name in str(event.get("hook", {}).get("resource", {}).get("addr"))
                for event in self.events()
            )

        self.wait_until(told, f"{kind} {name}")

    def end(self, *, keep_cloud: bool = False) -> None:
        """Leave nothing running that could disturb the next test."""
        self.proxy.heal()
        while self.kill(""):
            time.sleep(_LOOK_SECONDS)
        if not keep_cloud:
            self.cloud.stop()


def _is_terraform(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/exe").readlink().name in ("terraform", "tofu")
    return False
