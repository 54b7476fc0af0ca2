"""How many answers of the local cloud a client loses, beside a load.

    python bench/lost_answers.py [--requests 20000] [--load 4] [--stock]

The whole environment `local` of this repository's app is deployed and destroyed again and again, with real
Terraform, while `--load` processes keep the cores busy. The server counts requests, and among them those
that ask again (`Amz-Sdk-Request: attempt=2` or more) after an earlier attempt of the same invocation
(`Amz-Sdk-Invocation-Id`) was answered with success: an answer that was sent and did not arrive.
`--stock` sends answers as werkzeug does, head and body in several writes.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from measure import HOLDFAST
from one_plan import copy_app

from holdfast_orchestrator.local import server
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import towards_local
from holdfast_orchestrator.system.process import Command
from holdfast_orchestrator.system.runtime import real_runtime

COUNTS = "HOLDFAST_BENCH_COUNTS"
STOCK = "HOLDFAST_BENCH_STOCK"
ATTEMPT = re.compile(r"attempt=(\d+)")
BUSY = "while True: sum(range(100000))"


@dataclass
class Counter:
    """A WSGI application around the local cloud's that counts what is asked for, and asked for again."""

    application: Callable[..., Iterable[bytes]]
    file: Path
    requests: int = 0
    lost: list[str] = field(default_factory=list)
    answered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", "")
        attempt = ATTEMPT.search(environ.get("HTTP_AMZ_SDK_REQUEST", ""))
        number = int(attempt[1]) if attempt else 1

        def start(status: str, *rest: Any) -> Any:
            with self.lock:
                self.requests += 1
                if self.answered.get(invocation):
                    self.lost.append(f"{environ['REQUEST_METHOD']} {environ['HTTP_HOST']} attempt {number}")
                if invocation and status[:1] == "2":
                    self.answered[invocation].add(number)
                if self.requests % 100 == 0 or self.lost:
                    self.file.write_text(json.dumps({"requests": self.requests, "lost": self.lost}))
            return start_response(status, *rest)

        return self.application(environ, start)


class CountedCloud(LocalCloud):
    """The local cloud whose server counts."""

    def _command(self, port: int, announced: Path) -> Command:
        command = super()._command(port, announced)
        argv = (sys.executable, __file__, "--serve", "--port", str(port), "--announce", str(announced))
        counted = {name: os.environ[name] for name in (COUNTS, STOCK) if name in os.environ}
        return replace(command, argv=argv, environ={**(command.environ or {}), **counted})


def serve() -> int:
    """Be the local cloud's server, with the counter in front."""
    inside = server.application
    file = Path(os.environ[COUNTS])
    server.application = lambda: Counter(inside(), file)  # type: ignore[assignment,return-value]
    if STOCK in os.environ:
        server.WRITE_BUFFER = 0
    return server.main(sys.argv[2:])


@contextmanager
def load(processes: int) -> Iterator[None]:
    busy = [subprocess.Popen((sys.executable, "-c", BUSY)) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def measure(requests: int, processes: int, scratch: Path) -> dict[str, Any]:
    """Deploy and destroy until so many requests were answered."""
    counts = scratch / "counts.json"
    os.environ[COUNTS] = str(counts)
    folder = scratch / "project"
    copy_app(folder)
    cloud = CountedCloud(folder, replace(real_runtime(), cwd=folder))
    endpoint = cloud.up().endpoint
    assert endpoint is not None
    environ = towards_local(os.environ, endpoint) | {"HOLDFAST_CACHE_DIR": str(scratch / "cache")}
    said: dict[str, Any] = {"requests": 0, "lost": []}
    failed = 0
    try:
        with load(processes):
            while said["requests"] < requests:
                for command in ("deploy", "destroy"):
                    argv = (HOLDFAST, command, "--env", "local", "--yes")
                    ended = subprocess.run(
                        argv, check=False, cwd=folder, env=environ, capture_output=True, text=True
                    )
                    failed += ended.returncode != 0
                    said = json.loads(counts.read_text())
                    print(f"{command}: exit {ended.returncode}; {said}", flush=True)
                    if ended.returncode:
                        print(ended.stdout[-4000:], ended.stderr[-2000:], flush=True)
    finally:
        cloud.down()
    return {**said, "failed commands": failed}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--load", type=int, default=4, help="busy processes beside it (default: 4)")
    parser.add_argument("--stock", action="store_true", help="head and body in several writes")
    options = parser.parse_args()
    if options.stock:
        os.environ[STOCK] = "1"
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as made:
        print(json.dumps(measure(options.requests, options.load, Path(made))))


if __name__ == "__main__":
    if "--serve" in sys.argv:
        sys.exit(serve())
    main()
