"""Start, find, empty and stop the local cloud of a project.

One server a project, in a session of its own: it outlives the command that started it and is found
again through `<project>/.holdfast/local/cloud.json`. That file names the process by its id *and* the
moment it began, so that after a crash or a reboot somebody else's process with the same id is never
taken for ours, and never stopped.
"""

import contextlib
import json
import re
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from holdfast_orchestrator.errors import HoldfastError, ToolchainError, UsageError
from holdfast_orchestrator.local.environment import REGION, STATE_BUCKET, towards_local
from holdfast_orchestrator.system.json_input import parse_json
from holdfast_orchestrator.system.private_files import (
    locked,
    project_folder,
    read_file,
    refuse_link,
    replace_file,
)
from holdfast_orchestrator.system.process import Command
from holdfast_orchestrator.system.runtime import Runtime

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_START_SECONDS = 60.0
_POLL_SECONDS = 0.02
_STOP_SECONDS = 10.0
_LOG_TAIL_LINES = 15
_RESET_SECONDS = 30
# What the server's environment has none of, and how moto behaves in it.
_FOREIGN = ("AWS_", "MOTO_", "TF_")
_MOTO = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    "MOTO_ACM_VALIDATION_WAIT": "0",
    "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStatus:
    """What is known of the local cloud. `since` is ISO 8601 in UTC; all None where it does not run."""

    running: bool
    endpoint: str | None = None
    pid: int | None = None
    since: str | None = None
    state_buckets: tuple[str, ...] = ()
    log: str | None = None

    @property
    def state_bucket(self) -> str | None:
        """The first state bucket: the one environment `local` uses."""
        return next(iter(self.state_buckets), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """The state file. `birth` is what `Processes.birth` returned for the process when it was started."""

    pid: int
    birth: str
    endpoint: str
    since: str
    log: str
    state_buckets: tuple[str, ...]


_FOLDER = (".holdfast", "local")


class LocalCloud:
    """The local cloud of the project in folder `project`."""

    def __init__(self, project: Path, runtime: Runtime) -> None:
        self._project = project.absolute()
        self._folder = self._project.joinpath(*_FOLDER)
        self._runtime = runtime

    def status(self) -> LocalStatus:
        """Say whether it runs and where; never starts anything."""
        record = self._record()
        if record is None:
            return LocalStatus(running=False)
        public = {name: value for name, value in asdict(record).items() if name != "birth"}
        return LocalStatus(running=True, **public)

    def up(self, *, port: int = 0, buckets: Sequence[str] = (STATE_BUCKET,)) -> LocalStatus:
        """Start it where it does not run, make the state buckets, and return once it answers.

        `port` 0 takes any free one; a running one keeps the port it has. Raises ToolchainError where
        moto is not installed, HoldfastError with the end of the log where the server does not start, and
        UsageError for what is no name of a bucket.
        """
        _check_bucket_names(buckets)
        with self._alone():
            record = self._record()
            if record is None:
                record = self._start(port)
                # Kept before anything else is tried: a server nobody can find again cannot be stopped.
                self._keep(record)
            names = tuple(dict.fromkeys((*record.state_buckets, *buckets)))
            self._make_buckets(record.endpoint, names)
            self._keep(replace(record, state_buckets=names))
        return self.status()

    def down(self) -> bool:
        """Stop it and forget everything in it. False where it did not run."""
        with self._alone():
            record = self._record()
            if record is not None:
                self._runtime.processes.terminate(record.pid, grace=_STOP_SECONDS)
            self._file.unlink(missing_ok=True)
        return record is not None

    def reset(self) -> LocalStatus:
        """Empty it, and make its state buckets again. Raises HoldfastError where it does not run."""
        with self._alone():
            record = self._record()
            if record is None:
                raise HoldfastError("the local cloud does not run", next_step="holdfast local up")
            _post(f"{record.endpoint}/moto-api/reset")
            self._make_buckets(record.endpoint, record.state_buckets)
        return self.status()

    @property
    def _file(self) -> Path:
        return self._folder / "cloud.json"

    def _record(self) -> _Record | None:
        """What was written of the server, where that still runs. Raises UnsafePlaceError for a link."""
        try:
            for folder in (self._folder.parent, self._folder):
                refuse_link(folder, of=self._project)
            kept = parse_json(read_file(self._file))
            record = _Record(**{**kept, "state_buckets": tuple(kept["state_buckets"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        alive = self._runtime.processes.birth(record.pid) == record.birth
        return record if alive else None

    def _keep(self, record: _Record) -> None:
        replace_file(self._file, (json.dumps(asdict(record), indent=2) + "\n").encode())

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep two commands from starting two servers; the lock goes with the process that holds it."""
        with locked(project_folder(self._project, *_FOLDER) / "lock"):
            yield

    def _start(self, port: int) -> _Record:
        if find_spec("moto") is None:
            raise ToolchainError(
                "the local cloud needs the package moto, which is not installed",
                next_step="pip install 'holdfast[local]'",
            )
        announced = self._folder / "endpoint"
        log = self._folder / "cloud.log"
        announced.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
        pid = self._runtime.processes.start_detached(self._command(port, announced), log=log)
        birth = self._runtime.processes.birth(pid)
        endpoint = self._wait(pid, announced)
        if endpoint is None or birth is None:
            self._runtime.processes.terminate(pid, grace=_STOP_SECONDS)
            raise HoldfastError(
                f"the local cloud did not start; the end of its log:\n{_tail(log)}",
                next_step=f"see {log}, or choose another port: holdfast local up --port 0",
            )
        since = self._runtime.clock.now().isoformat(timespec="seconds")
        return _Record(pid=pid, birth=birth, endpoint=endpoint, since=since, log=str(log), state_buckets=())

    def _command(self, port: int, announced: Path) -> Command:
        module = "holdfast_orchestrator.local.server"
        # -P: nothing in the folder it starts in may shadow a module.
        argv = (sys.executable, "-P", "-m", module, "--port", str(port), "--announce", str(announced))
        environ = self._runtime.environ
        kept = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
        return Command(argv=argv, cwd=self._folder, environ={**kept, **_MOTO})

    def _wait(self, pid: int, announced: Path) -> str | None:
        clock = self._runtime.clock
        deadline = clock.monotonic() + _START_SECONDS
        while clock.monotonic() < deadline:
            if announced.exists():
                return read_file(announced).decode()
            if self._runtime.processes.birth(pid) is None:
                return None
            clock.sleep(_POLL_SECONDS)
        return None

    def _make_buckets(self, endpoint: str, names: Sequence[str]) -> None:
        environ = towards_local(self._runtime.environ, endpoint)
        s3 = self._runtime.aws.client("s3", region=REGION, environ=environ)
        existing = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        for name in names:
            if name not in existing:
                s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
                s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def _post(url: str) -> None:
    # The URL is our own server's, from a file of ours; proxies are never asked for loopback.
    request = urllib.request.Request(url, method="POST")  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=_RESET_SECONDS).close()


def _tail(log: Path) -> str:
    try:
        lines = read_file(log).decode(errors="replace").splitlines()
    except FileNotFoundError:
        return "(empty)"
    return "\n".join(lines[-_LOG_TAIL_LINES:]) or "(empty)"


def _check_bucket_names(names: Sequence[str]) -> None:
    for name in names:
        if _BUCKET.fullmatch(name) is None:
            raise UsageError(
                "the name of a bucket must be 3 to 63 lower-case letters, digits, hyphens and single dots, "
                f"with a letter or digit at both ends; got {name!r}",
                next_step="give --bucket another name, such as my-state",
            )
