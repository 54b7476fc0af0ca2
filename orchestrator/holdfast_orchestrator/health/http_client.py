"""HTTP for smoke tests, careful about where it goes.

The name is resolved here, every address it has is checked, and the connection is made to the very address
that was checked: a name that resolves differently a moment later changes nothing. Addresses that answer
with credentials to any caller (metadata services) are refused; private addresses are not, because
services inside a VPC live there. Certificates are verified. No proxy is used.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from holdfast_orchestrator.errors import HoldfastError

_PORTS = {"http": 80, "https": 443}
_CHUNK = 64 * 1024

# Link-local ones (169.254.169.254, 169.254.170.2, ...) need no list. These are AWS over IPv6 (instances, EKS
# pods), Alibaba, Azure and Oracle, by their own documentation.
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("fd00:ec2::254", "fd00:ec2::23", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class RefusedUrlError(HoldfastError):
    """A URL that is not asked, whatever it would answer."""


class NoAnswerError(HoldfastError):
    """A URL that did not answer: no name, no connection, no valid certificate, no time left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer. `body` has at most the bytes asked for; `cut`: there were more."""

    status: int
    location: str | None = None
    body: bytes = field(default=b"", repr=False)
    cut: bool = False


class HttpDoor(Protocol):
    """The door to HTTP."""

    def get(self, url: str, *, timeout: float, limit: int) -> Answer:
        """Ask once, follow nothing, read at most `limit` bytes within `timeout` seconds in all.

        Raises RefusedUrlError for a URL that must not be asked, NoAnswerError where none came.
        """


class CarefulHttp:
    """The real door. `trust` is what certificates are verified against (None: the system's authorities)."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        self._trust = trust

    def get(self, url: str, *, timeout: float, limit: int) -> Answer:
        """Ask once. Raises RefusedUrlError and NoAnswerError, see `HttpDoor`."""
        parts, port = _checked(url)
        try:
            plain = _connected(parts.hostname or "", port, timeout)
            with plain, _no_longer_than(timeout, plain):
                return self._ask(plain, parts, port=port, limit=limit)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            # A socket that was shut at the end of its time ends in any of a dozen ways.
            raise NoAnswerError(f"no answer: {str(error) or type(error).__name__}") from None

    def _ask(self, plain: socket.socket, parts: SplitResult, *, port: int, limit: int) -> Answer:
        connection, own = self._connection(plain, parts, port)
        with own:
            connection.sock = own
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request("GET", path, headers={"User-Agent": "holdfast", "Accept": "*/*"})
            with connection.getresponse() as response:
                body = _read(response, limit + 1)
                return Answer(
                    status=response.status,
                    location=response.getheader("Location"),
                    body=body[:limit],
                    cut=len(body) > limit,
                )

    def _connection(
        self, plain: socket.socket, parts: SplitResult, port: int
    ) -> tuple[http.client.HTTPConnection, socket.socket]:
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port), plain
        trust = self._trust or ssl.create_default_context()
        secure = trust.wrap_socket(plain, server_hostname=host)
        return http.client.HTTPSConnection(host, port, context=trust), secure


def why_refused(address: str) -> str | None:
    """Say why an IP address is not asked; None where it may be."""
    ip = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_link_local or ip in _METADATA:
        return "it is where metadata services answer (link-local)"
    if ip.is_multicast or ip.is_unspecified or (ip.version == 4 and ip.is_reserved):  # noqa: PLR2004
        return "it is no address of a single machine"
    return None


def _unwrapped(ip: Ip) -> Ip:
    """The IPv4 address inside an IPv6 one, where it is one of the kinds that lead there."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64 or int(ip) >> 32 == 0 and int(ip) > 1:  # noqa: RUF021 - as read aloud
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def _checked(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedUrlError(f"not a URL: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise RefusedUrlError(f"a URL must begin with https:// or http:// and name a host, got {url!r:.80}")
    if parts.username is not None or parts.password is not None:
        raise RefusedUrlError("a URL must not carry a user or password")
    return parts, port or _PORTS[parts.scheme]


def _connected(host: str, port: int, timeout: float) -> socket.socket:
    addresses = [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in addresses:
        if why := why_refused(address):
            raise RefusedUrlError(f"{host} is {address}, which is not asked: {why}")
    for address in addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, port), timeout)
    return socket.create_connection((addresses[-1], port), timeout)


@contextmanager
def _no_longer_than(seconds: float, connection: socket.socket) -> Iterator[None]:
    """Shut the connection after so many seconds: a socket's own time-out starts anew with every byte."""
    # wrap_socket takes the descriptor away; a copy of it stays usable.
    copy, over = connection.dup(), threading.Event()

    def shut() -> None:
        over.set()
        with suppress(OSError):
            copy.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    late = TimeoutError(f"not all of it came within {seconds:g} s")
    try:
        yield
        # What was shut looks like a body that ended, or like a connection that the peer has reset.
        if over.is_set():
            raise late
    except (OSError, http.client.HTTPException) as error:
        raise (late if over.is_set() else error) from None
    finally:
        timer.cancel()
        timer.join()
        copy.close()


def _read(response: http.client.HTTPResponse, limit: int) -> bytes:
    body = b""
    while len(body) < limit and (piece := response.read1(min(_CHUNK, limit - len(body)))):
        body += piece
    return body
