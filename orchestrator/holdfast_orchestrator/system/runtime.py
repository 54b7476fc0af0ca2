"""The outside world as one value: environment, folder, clock, processes, AWS, terminal, cache.

`cli.main` and the automation API build it once with `real_runtime()`; nothing below reads the
environment, asks the time, starts a program or makes an AWS client in any other way. Tests build it
with `testing.refusing_runtime()`, whose doors refuse unless the test opens them.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TextIO

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.system.process import Processes, SystemProcesses
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.visible import visible
from holdfast_orchestrator.system.workers import start_helper

# As many as ask at once: what the shards of a run are looked at with, and their deploys.
_CONNECTIONS = 40


class Clock(Protocol):
    """The time, and waiting for it."""

    def now(self) -> datetime:
        """Return the time, in UTC and aware of it."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, from no particular start."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Aws(Protocol):
    """The door to AWS."""

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        """Return a boto3 client; credentials, profile and endpoint come from `environ`'s AWS_*.

        Raises HoldfastError where those do not fit together, such as half a pair of keys.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where a person reads and answers; `width` in columns."""

    out: TextIO
    err: TextIO
    inp: TextIO
    is_tty: bool
    width: int
    color: bool

    def ask(self, prompt: str) -> str:
        """Ask on the error stream and return the line answered, or "" where nobody can answer."""
        self.err.write(visible(prompt))
        self.err.flush()
        return self.inp.readline().strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The outside world. `cache` is the user's cache folder for Holdfast; it need not exist yet.

    `redactor` is what everything visible passes; it knows the environment's secrets.
    """

    environ: Mapping[str, str]
    cwd: Path
    clock: Clock
    processes: Processes
    aws: Aws
    terminal: Terminal
    cache: Path
    redactor: Redactor = field(default_factory=Redactor, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Let the redactor learn."""
        self.redactor.learn_environ(self.environ)


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Boto3Aws:
    """AWS through boto3, imported with the first client; clients are shared between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, frozenset[tuple[str, str]]], Any] = {}

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        relevant = {name: value for name, value in environ.items() if name.startswith("AWS_")}
        key = (service, region, frozenset(relevant.items()))
        with self._lock:
            if key not in self._clients:
                self._clients[key] = _boto3_client(service, region, relevant)
            return self._clients[key]


def load_ahead(aws: Aws) -> None:
    """Make the first client quicker, while there is something else to wait for; asks nobody anything."""
    if isinstance(aws, Boto3Aws):
        start_helper(_load_boto3, name="boto3")


def _load_boto3() -> None:
    import boto3  # noqa: PLC0415 - half a second that most commands do not need
    import botocore.session  # noqa: PLC0415

    # The parts that are only imported with the first client.
    del boto3
    botocore.session.Session()


@cache
def _service_models(search_path: str | None) -> Any:
    """What boto3 knows of AWS's services, read once: a session reads it anew, 40 ms for each client."""
    import botocore.loaders  # noqa: PLC0415

    return botocore.loaders.create_loader(search_path)


# What botocore would read from the process's environment: its name for it, the variable, what holds without.
_SETTINGS = (
    ("config_file", "AWS_CONFIG_FILE", "~/.aws/config"),
    ("credentials_file", "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    ("ec2_metadata_service_endpoint", "AWS_EC2_METADATA_SERVICE_ENDPOINT", None),
    ("ec2_metadata_service_endpoint_mode", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", None),
    ("use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT", False),
    ("use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT", False),
)


def endpoint_variable(service: str) -> str:
    """Return the variable that names a service's endpoint, as Terraform and every AWS SDK spell it.

    The names are those of AWS's service ids: ELASTIC_LOAD_BALANCING_V2, where boto3 says `elbv2`.
    """
    from botocore.utils import CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES as SERVICE_IDS  # noqa: PLC0415

    return f"AWS_ENDPOINT_URL_{SERVICE_IDS.get(service, service).upper().replace('-', '_')}"


def _boto3_client(service: str, region: str, environ: Mapping[str, str]) -> Any:
    import boto3  # noqa: PLC0415 - half a second that most commands do not need
    import botocore.exceptions  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.configprovider import ConstantProvider  # noqa: PLC0415
    from botocore.handlers import add_expect_header  # noqa: PLC0415

    endpoint = environ.get(endpoint_variable(service)) or environ.get("AWS_ENDPOINT_URL")
    # boto3 reads the process's environment by itself: what ours leaves out must be overridden.
    session = botocore.session.Session()
    session.lazy_register_component(
        "data_loader", lambda: _service_models(session.get_config_variable("data_path"))
    )
    # In the order in which Terraform looks; botocore's is the other one.
    profile = ConstantProvider(environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE"))
    session.get_component("config_store").set_config_provider("profile", profile)
    for variable, name, otherwise in _SETTINGS:
        if name in environ:
            session.set_config_variable(variable, environ[name])
        elif name in os.environ:
            session.set_config_variable(variable, otherwise)
    try:
        make: Any = boto3.Session(botocore_session=session).client
        client = make(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=environ.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=environ.get("AWS_SESSION_TOKEN"),
            verify=environ.get("AWS_CA_BUNDLE"),
            config=Config(
                connect_timeout=10,
                read_timeout=60,
                # Slows down by itself where AWS says that requests come too fast.
                retries={"mode": "adaptive", "max_attempts": 6},
                max_pool_connections=_CONNECTIONS,
                # What CloudTrail shows. boto3's own is put together twice a request, a tenth of its cost.
                user_agent=f"holdfast Boto3/{boto3.__version__}",
                s3={"addressing_style": "path"} if endpoint else None,
            ),
        )
        # Small documents are written, and each would wait for "100 Continue": a round trip more.
        client.meta.events.unregister("before-call.s3", add_expect_header)
        return client
    except botocore.exceptions.BotoCoreError as error:
        raise HoldfastError(
            f"AWS cannot be asked: {error}",
            next_step="check AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in again",
        ) from None


def cache_folder(environ: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    """Return the user's cache folder for Holdfast: HOLDFAST_CACHE_DIR, else the system's own place."""
    if named := environ.get("HOLDFAST_CACHE_DIR"):
        return Path(named)
    home = Path(environ.get("HOME") or Path.home())
    if platform == "darwin":
        return home / "Library" / "Caches" / "holdfast"
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "holdfast"


def real_runtime() -> Runtime:
    """Return this machine, this process's environment and folder, and boto3."""
    environ = dict(os.environ)
    return Runtime(
        environ=environ,
        cwd=Path.cwd(),
        clock=SystemClock(),
        processes=SystemProcesses(),
        aws=Boto3Aws(),
        terminal=_terminal(environ),
        cache=cache_folder(environ),
    )


def _terminal(environ: Mapping[str, str]) -> Terminal:
    is_tty = sys.stdout.isatty() and environ.get("TERM") != "dumb"
    color = bool(environ.get("FORCE_COLOR")) or (is_tty and not environ.get("NO_COLOR"))
    return Terminal(
        out=sys.stdout,
        err=sys.stderr,
        inp=sys.stdin,
        is_tty=is_tty,
        width=shutil.get_terminal_size(fallback=(100, 24)).columns,
        color=color,
    )
