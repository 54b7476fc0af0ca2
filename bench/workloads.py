"""What the peers of `peers.py` deploy: so many shards of quick resources, or a whole environment.

A workload lies in a folder of its own: it writes there what a phase begins with, and looks afterwards at what
the cloud holds. It knows nothing of who deploys it.
"""

import json
import shlex
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from measure import ROOT
from peers_check import Client, check_environment, check_shards

from holdfast_orchestrator.local.environment import ACCOUNT, REGION, STATE_BUCKET

FULL = "full"
_SETTINGS = {"state_bucket": STATE_BUCKET, "region": REGION, "environment": "dev", "account": ACCOUNT}
_SHARDS_APP = ROOT / "bench" / "peers_app.py"


class Workload(ABC):
    """One peer's own copy of what it deploys, in `folder`, and what has been done with it so far."""

    words: tuple[str, ...] = ()
    """What `holdfast` is told besides its verb."""
    environ: Mapping[str, str] = {}
    """What the app finds in its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def begin(self, phase: str) -> None:
        """Write what this phase deploys."""

    @abstractmethod
    def check(self, client: Client) -> None:
        """Look whether the cloud holds what the phase was to leave there. Raises NotSoError."""

    def _write_project(self, app: tuple[str, ...], context: Mapping[str, object]) -> None:
        project = {
            "language": "python",
            "app": shlex.join((sys.executable, *app)),
            "projectId": "peers",
            "sendCrashReports": "false",
            "context": context,
        }
        (self.folder / "cdktf.json").write_text(json.dumps(project))


class QuickShards(Workload):
    """So many shards of three quick resources each; the one in the middle changes."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(folder)
        self._count = count
        self._writes: dict[str, int] = {}
        self._version = 1

    def begin(self, phase: str) -> None:
        changing = self._count // 2
        match phase:
            case "first":
                self._writes = {f"shard-{number:02}": 1 for number in range(self._count)}
            case "changed":
                self._version += 1
                self._writes[f"shard-{changing:02}"] += 1
            case "destroy":
                self._writes = {}
        peers = {"shards": self._count, "changing": changing, "version": self._version}
        self._write_project((str(_SHARDS_APP),), {"holdfast": _SETTINGS, "peers": peers})

    def check(self, client: Client) -> None:
        check_shards(client, self._writes)


class FullStack(Workload):
    """Environment `local` of this repository's own app; the storefront gets another image."""

    words = ("--env", "local")
    environ: Mapping[str, str] = {"HOLDFAST_ENV": "local"}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._digest = "1" * 64
        self._exists = False

    def begin(self, phase: str) -> None:
        if phase == "first":
            shutil.copytree(ROOT / "environments", self.folder / "environments")
            self._write_project(("-m", "holdfast_stacks"), {})
        if phase in {"first", "changed"}:
            self._deploy_image("1" if phase == "first" else "2")
        self._exists = phase != "destroy"

    def _deploy_image(self, digit: str) -> None:
        settings = self.folder / "environments" / "local.toml"
        before, image, rest = settings.read_text(encoding="utf-8").partition("/storefront@sha256:")
        self._digest = digit * len(self._digest)
        settings.write_text(before + image + self._digest + rest[len(self._digest) :], encoding="utf-8")

    def check(self, client: Client) -> None:
        out = self.folder / "cdktf.out"
        check_environment(client, out, image=f"storefront@sha256:{self._digest}", exists=self._exists)


def workload(name: str, folder: Path) -> Workload:
    """Return what is called `name`: a number of shards, or FULL."""
    return FullStack(folder) if name == FULL else QuickShards(folder, int(name))
