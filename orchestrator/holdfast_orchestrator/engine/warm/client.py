"""The orchestrator's side: starts the gateway, asks it for doors, ends it with the run.

Whatever is wrong with the gateway is no error here: a command is lent nothing then, and goes the ordinary
way. A notice says so once.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from holdfast_orchestrator.engine.lockfile import LockedProvider
from holdfast_orchestrator.engine.providers import Requirement
from holdfast_orchestrator.engine.warm.folders import CONTROL, LOG, WORK, hold, make_folder, sweep
from holdfast_orchestrator.engine.warm.packages import Package, find_package, hash_ahead
from holdfast_orchestrator.engine.warm.process_spec import Spec
from holdfast_orchestrator.engine.warm.untraced import Untraced
from holdfast_orchestrator.system.private_files import UnsafePlaceError
from holdfast_orchestrator.system.process import Command, Running
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import Holdings, Sighting, Sightings
from holdfast_orchestrator.terraform.reads import LEAST_REMEMBERED, OLDEST_SECONDS, ReadCount, Reading

_MODULE = "holdfast_orchestrator.engine.warm"
_START_SECONDS = 30.0
_ANSWER_SECONDS = 60.0
_END_SECONDS = 10.0
_LOOK_SECONDS = 0.01
# Go's GOGC: garbage is collected at five times what lives, and not at twice.
_SELDOM = "400"
_PASSED_ON = frozenset({
    "PATH", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE",
})  # fmt: skip
_QUIET = {"GRPC_ENABLE_FORK_SUPPORT": "0", "GRPC_VERBOSITY": "NONE"}


class WarmError(Exception):
    """The gateway is not there, or cannot do what it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What to watch of a command: `plans` looks for what it plans to create, `applies` guards its creates."""

    holdings: Holdings
    plans: bool = False
    applies: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields for the gateway."""
        return {
            "plans": self.plans,
            "applies": self.applies,
            "holdings": self.holdings.to_json(),
            "tags": dict(self.holdings.tags),
        }


@dataclass(slots=True)
class AttachedProviders:
    """What a command was lent; `trouble` is known once it has been given back.

    `watched` is what was seen of the creates of a command that was to be watched, None where nobody watched.
    `reads` counts the reads of a command that was to remember or recall them, `applied` the objects that were
    changed through the gateway.
    A `roomy` one may let its garbage lie: so small, Terraform spends a sixth of its time collecting it.
    """

    reattach: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""
    roomy: bool = False
    watched: Sightings | None = None
    reads: ReadCount | None = None
    applied: int = 0

    @property
    def environ(self) -> dict[str, str]:
        """The variables to run the command with."""
        if not self.reattach:
            return {}
        room = {"GOGC": _SELDOM} if self.roomy else {}
        return {"TF_REATTACH_PROVIDERS": json.dumps(self.reattach), **room}


def is_supported() -> bool:
    """Say whether this machine can have a gateway at all."""
    return sys.platform in {"linux", "darwin"} and importlib.util.find_spec("grpc") is not None


class WarmProviders:
    """The gateway of one run, for all its threads. `tell` gets, once, the reason why it is not used.

    With `full_verify` no reads are remembered.
    """

    def __init__(self, runtime: Runtime, tell: Callable[[str], object], *, full_verify: bool = False) -> None:
        self._runtime = runtime
        self._tell = tell
        self._full_verify = full_verify
        self._untraced = Untraced()
        self._lock = threading.Lock()
        self._finding = threading.Lock()
        self._found: dict[object, Package | None] = {}
        self._folder: Path | None = None
        self._hold: socket.socket | None = None
        self._in_use: int | None = None
        self._running: Running | None = None
        self._over = self._told = False

    def package(self, source: str, lock: LockedProvider, roots: Sequence[Path]) -> Package | None:
        """Return the trusted package on this machine, looked for and hashed once a run."""
        key = (source, lock, tuple(roots))
        with self._finding:
            if key not in self._found:
                with contextlib.suppress(OSError, UnsafePlaceError):
                    self._found[key] = find_package(source, lock, roots, cache=self._runtime.cache)
            return self._found.setdefault(key, None)

    def hash_ahead(self, required: Sequence[Requirement], roots: Sequence[Path]) -> None:
        """Hash what the lock file will probably trust in a moment. Never raises."""
        with self._finding, contextlib.suppress(OSError, UnsafePlaceError):
            for each in required:
                hash_ahead(each, roots, cache=self._runtime.cache)

    def begin(self) -> None:
        """Start the gateway ahead of its use. Never raises."""
        with contextlib.suppress(WarmError):
            self._control()

    def warm(self, spec: Spec) -> None:
        """Start a process ahead of its use. Never raises."""
        with contextlib.suppress(WarmError):
            self._ask({"do": "warm", "spec": spec.to_json()})

    @contextmanager
    def attached(
        self,
        specs: Mapping[str, Spec],
        kept: frozenset[str],
        watch: Watching | None = None,
        reading: Reading | None = None,
    ) -> Iterator[AttachedProviders]:
        """Lend one command its providers, by source, and watch its creates; nothing where that fails."""
        lent, numbers = AttachedProviders(), list[int]()
        asked = {
            "kept": sorted(kept),
            "watch": None if watch is None else watch.to_json(),
            "reads": self._reads(reading),
        }
        try:
            lent.reattach = self._doors(specs, asked, numbers)
        except WarmError as error:
            self._give_back(lent, numbers)
            self.give_up(str(error))
        try:
            yield lent
        finally:
            self._give_back(lent, numbers)

    @contextmanager
    def untraced(self) -> Iterator[None]:
        """Let an apply run of which the gateway may not see everything that it changes."""
        with self._untraced.running():
            yield

    def _reads(self, reading: Reading | None) -> dict[str, Any] | None:
        """What the gateway is to do with a plan's reads: nothing where they would prove too little."""
        if reading is None or self._full_verify or not self._untraced.allows(reading):
            return None
        return {**asdict(reading), "least": LEAST_REMEMBERED, "oldest": OLDEST_SECONDS}

    def give_up(self, why: str) -> None:
        """Use no gateway any more in this run."""
        self._over = True
        self.tell_once(why)

    def tell_once(self, why: str) -> None:
        """Say, once in a run, that something goes the ordinary way."""
        with self._lock:
            was_told, self._told = self._told, True
        if not was_told:
            self._tell(f"going on without a warm provider, which only costs time: {why}")

    @property
    def is_over(self) -> bool:
        """Whether it is not used any more."""
        return self._over

    @property
    def pid(self) -> int | None:
        """The gateway's process id, where it was started."""
        return None if self._running is None else self._running.pid

    def stats(self) -> dict[str, Any]:
        """Return the pools and processes of the gateway. Raises WarmError."""
        return self._ask({"do": "stats"})

    def close(self) -> None:
        """End the gateway and its providers. Never raises."""
        with self._lock:
            self._over, running, folder = True, self._running, self._folder
        if running is None or folder is None:
            return
        with contextlib.suppress(WarmError, OSError):
            _exchange(folder / CONTROL, {"do": "close"})
        if self._hold is not None:
            self._hold.close()
        if running.wait(_END_SECONDS) is not None:
            shutil.rmtree(folder, ignore_errors=True)
        if self._in_use is not None:
            os.close(self._in_use)
            self._in_use = None

    def _doors(
        self, specs: Mapping[str, Spec], asked: Mapping[str, Any], numbers: list[int]
    ) -> dict[str, Any]:
        reattach = {}
        for source, spec in specs.items():
            answer = self._ask({"do": "attach", "spec": spec.to_json(), **asked})
            numbers.append(answer["number"])
            reattach[source] = answer["reattach"]
        return reattach

    def _give_back(self, lent: AttachedProviders, numbers: list[int]) -> None:
        while numbers:
            number = numbers.pop()
            try:
                answer = self._ask({"do": "detach", "number": number})
                lent.trouble = lent.trouble or answer["trouble"]
                lent.applied += answer.get("applied", 0)
                if answer.get("reads") is not None:
                    lent.reads = ReadCount(**answer["reads"])
                _take_in(lent, answer.get("watched"))
            except WarmError as error:
                lent.trouble = lent.trouble or str(error)

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        control = self._control()
        try:
            answer = _exchange(control, question)
        except (OSError, ValueError) as error:
            raise WarmError(f"the gateway does not answer: {error or type(error).__name__}") from error
        if "error" in answer:
            raise WarmError(answer["error"])
        return answer

    def _control(self) -> Path:
        with self._lock:
            if self._folder is None:
                if self._over:
                    raise WarmError("the gateway is not used any more")
                self._start()
            if self._hold is None or self._folder is None:
                raise WarmError("the gateway did not start")
            return self._folder / CONTROL

    def _start(self) -> None:
        sweep(self._runtime.clock.now)
        self._folder = make_folder()
        self._in_use = hold(self._folder)
        kept = {name: value for name, value in self._runtime.environ.items() if name in _PASSED_ON}
        self._running = self._runtime.processes.start(
            Command(
                argv=(sys.executable, "-m", _MODULE, str(self._folder), str(self._runtime.cache)),
                cwd=self._folder,
                environ={**kept, **_QUIET},
                stdout=self._folder / LOG,
            )
        )
        self._hold = self._held(self._running, self._folder / CONTROL)

    def _held(self, running: Running, control: Path) -> socket.socket | None:
        deadline = self._runtime.clock.monotonic() + _START_SECONDS
        while running.wait(_LOOK_SECONDS) is None and self._runtime.clock.monotonic() < deadline:
            with contextlib.suppress(OSError):
                hold = _connected(control)
                hold.sendall(json.dumps({"do": "hold"}).encode() + b"\n")
                return hold
        return None

    @property
    def folder(self) -> Path:
        """A folder to start providers in that holds nothing. Raises WarmError."""
        return self._control().parent / WORK


def _take_in(lent: AttachedProviders, watched: Mapping[str, Any] | None) -> None:
    if watched is None:
        return
    lent.watched = lent.watched or Sightings()
    lent.watched.add(map(Sighting.of, watched["seen"]))
    lent.watched.gone.update(ObjectKey(*key) for key in watched["gone"])


def _exchange(control: Path, question: Mapping[str, Any]) -> dict[str, Any]:
    with _connected(control) as asked, asked.makefile("rb") as answers:
        asked.sendall(json.dumps(question).encode() + b"\n")
        answer: dict[str, Any] = json.loads(answers.readline())
        return answer


def _connected(control: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_ANSWER_SECONDS)
        connection.connect(str(control))
    except BaseException:
        connection.close()
        raise
    return connection
