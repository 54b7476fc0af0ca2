"""Other machines, as far as namespaces can make them: a name, processes, a network of their own."""

import re
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# As another machine is seen from here: a name, processes and a clock of births of its own.
_NAMESPACES = ("unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c")
# The first process of the host outlives the worker.
ANOTHER_HOST = (*_NAMESPACES, 'hostname far-away && "$@" & sleep 600', "sh")


def can_be_another_host() -> bool:
    try:
        tried = subprocess.run([*_NAMESPACES, "hostname far-away"], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0


@dataclass
class Network:
    """A network namespace at the other end of a cable; from there this machine is `here`, and no loopback."""

    number: int

    @property
    def name(self) -> str:
        return f"holdfast-{self.number}"

    @property
    def here(self) -> str:
        # From the block that is set aside for tests between networks (RFC 2544).
        return f"198.18.{self.number}.1"

    @property
    def inside(self) -> tuple[str, ...]:
        """What runs a command in there."""
        return ("ip", "netns", "exec", self.name)

    def begin(self) -> None:
        near, far = f"hf-near-{self.number}", f"hf-far-{self.number}"
        for words in (
            f"netns add {self.name}",
            f"link add {near} type veth peer name {far} netns {self.name}",
            f"address add {self.here}/30 dev {near}",
            f"link set {near} up",
            f"-n {self.name} address add 198.18.{self.number}.2/30 dev {far}",
            f"-n {self.name} link set {far} up",
            f"-n {self.name} link set lo up",
            f"-n {self.name} route add default via {self.here}",
        ):
            subprocess.run(["ip", *words.split()], check=True)

    def end(self) -> None:
        # The cable goes with the namespace.
        with suppress(OSError):
            subprocess.run(["ip", "netns", "delete", self.name], check=False, capture_output=True)


@contextmanager
def relayed(host: str, target: str) -> Iterator[str]:
    """Let connections to a port of `host` through to a URL's; yields the URL from there.

    The local cloud answers requests with a `Host` of its own only, so each request gets that.
    """
    place = urlsplit(target)
    own_host = f"Host: {place.netloc}".encode()

    class Through(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((place.hostname, place.port)) as there:
                back = threading.Thread(target=pump, args=(there, self.request))
                back.start()
                pump(self.request, there, lambda data: re.sub(foreign_host, own_host, data))
                back.join()

    foreign_host = re.compile(rb"(?i)\bHost: " + re.escape(host.encode()) + rb":\d+")
    with socketserver.ThreadingTCPServer((host, 0), Through) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_address[1]}"
        server.shutdown()


def pump(
    source: socket.socket, sink: socket.socket, changed: Callable[[bytes], bytes] = lambda data: data
) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(changed(data))
        sink.shutdown(socket.SHUT_WR)


def processes_below(pid: int) -> Iterator[tuple[int, str]]:
    """Every descendant of a process, and its command line."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child, Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            yield from processes_below(child)
