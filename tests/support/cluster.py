"""A real Dask cluster: a scheduler and workers, each a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_SECONDS = 120
# Dask looks for spare ports and memory limits by itself; nothing of that is wanted here.
_WORKER = ("--nthreads", "2", "--no-nanny", "--no-dashboard", "--memory-limit", "0")


@dataclass
class Cluster:
    """A scheduler, and workers that can be killed."""

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    host: str = "127.0.0.1"
    protocol: str = "tcp"
    tls: tuple[str, ...] = ()
    """Options of scheduler and workers that name the certificates; with them their address is tls://."""
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    scheduler: "subprocess.Popen[bytes] | None" = None

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    @property
    def address(self) -> str:
        return str(json.loads(self.file.read_bytes())["address"])

    @property
    def _meeting(self) -> tuple[str, ...]:
        own = ("--host", self.host) if self.host == "127.0.0.1" else ()
        return ("--scheduler-file", str(self.file), *own)

    def begin(self) -> None:
        self.scheduler = self._start(
            "scheduler",
            *("--protocol", self.protocol, "--host", self.host, "--port", "0"),
            "--no-dashboard",
            *("--scheduler-file", str(self.file)),
            *self.tls,
        )
        wait_until(self.file.exists, "the scheduler")

    def begin_anew(self, host: str) -> None:
        """Listen elsewhere."""
        self.end()
        self.workers.clear()
        self.file.unlink()
        self.host = host
        self.begin()

    def hire(
        self, count: int = 1, host: tuple[str, ...] = (), **environ: str
    ) -> list["subprocess.Popen[bytes]"]:
        hired = [
            self._start("worker", *self._meeting, *_WORKER, *self.tls, host=host, **environ)
            for _ in range(count)
        ]
        self.workers += hired
        wait_until(lambda: self.present() >= sum(one.poll() is None for one in self.workers), "the workers")
        return hired

    def present(self) -> int:
        ask = (
            "import distributed, sys; ca, cert, key = [*sys.argv[2:], None, None, None][:3];"
            "tls = distributed.Security(tls_ca_file=ca, tls_client_cert=cert, tls_client_key=key);"
            "print(len(distributed.Client(sys.argv[1], security=tls if ca else None).nthreads()))"
        )
        asked = subprocess.run(
            [sys.executable, "-c", ask, self.address, *self.tls[1::2]],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(asked.stdout)

    def at_work(self, marker: Path) -> "subprocess.Popen[bytes]":
        """The worker whose Terraform wrote the marker: the process before Terraform's."""
        wait_until(marker.exists, "Terraform to apply")
        pid = int(marker.read_text())
        ancestors = set()
        while pid > 1:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            ancestors.add(pid)
        return next(worker for worker in self.workers if worker.pid in ancestors)

    def end(self) -> None:
        for process in (*self.workers, *filter(None, [self.scheduler])):
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def _start(
        self, role: str, *words: str, host: tuple[str, ...] = (), **environ: str
    ) -> "subprocess.Popen[bytes]":
        log = (self.folder / f"{role}-{time.monotonic_ns()}.log").open("wb")
        with log:
            return subprocess.Popen(
                [*host, sys.executable, "-m", f"distributed.cli.dask_{role}", *words],
                cwd=self.folder,
                env={**self.environ, **environ},
                stdout=log,
                stderr=log,
            )


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
