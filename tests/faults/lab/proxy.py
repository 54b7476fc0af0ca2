"""The fault-injecting proxy between Holdfast with its Terraform and the local cloud.

    proxy.add(Rule(what=state("PUT"), fault=Answer(500), times=5))

The first rule that matches a request and is due says what becomes of it. Without one it goes through.
Everything that passed is in `log`, in order, so that a test can say what was and was not asked for.
"""

import contextlib
import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from tests.faults.lab.matches import Match, Request

_UPSTREAM_SECONDS = 120
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "expect"})


class Trip(Protocol):
    """One request on its way, as a fault sees it."""

    def forward(self, *, without: str = "") -> "Reply":
        """Have the cloud do what it was asked."""

    def answer(self, reply: "Reply") -> int: ...

    def answer_error(self, fault: "Answer") -> int: ...

    def hang_up(self) -> int: ...

    def wait(self, seconds: float) -> None: ...


class Fault(Protocol):
    """What becomes of a request; returns the status it was answered with, 0 where it was not."""

    def befall(self, trip: Trip) -> int: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What the cloud answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Nothing:
    """The request goes through."""

    def befall(self, trip: Trip) -> int:
        return trip.answer(trip.forward())


@dataclass(frozen=True, slots=True)
class Answer:
    """The cloud is not asked; it answers with an AWS error."""

    status: int
    code: str = "InternalError"
    message: str = "injected by the test"

    def befall(self, trip: Trip) -> int:
        return trip.answer_error(self)


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed. `after`: the cloud has done what it was asked, only the answer is lost."""

    after: bool = False

    def befall(self, trip: Trip) -> int:
        if self.after:
            trip.forward()
        return trip.hang_up()


@dataclass(frozen=True, slots=True)
class Delay:
    """The request waits so many seconds before the cloud gets it."""

    seconds: float

    def befall(self, trip: Trip) -> int:
        trip.wait(self.seconds)
        return trip.answer(trip.forward())


@dataclass(frozen=True, slots=True)
class Hang:
    """The request is never answered, and never reaches the cloud."""

    def befall(self, trip: Trip) -> int:
        trip.wait(3600.0)
        return trip.hang_up()


@dataclass(frozen=True, slots=True)
class Strip:
    """The request goes through without a header, as to a store that ignores it."""

    header: str

    def befall(self, trip: Trip) -> int:
        return trip.answer(trip.forward(without=self.header))


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The answer's body is changed on its way back."""

    change: Callable[[bytes], bytes]

    def befall(self, trip: Trip) -> int:
        reply = trip.forward()
        return trip.answer(replace(reply, body=self.change(reply.body)))


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Something happens while a request is under way: before the cloud gets it, or `after` that."""

    what: Callable[[], object]
    after: bool = False

    def befall(self, trip: Trip) -> int:
        if not self.after:
            self.what()
        reply = trip.forward()
        if self.after:
            self.what()
        return trip.answer(reply)


@dataclass(slots=True, kw_only=True)
class Rule:
    """What happens to requests that match, after `skip` of them, `times` times (None: for ever)."""

    what: Match
    fault: Fault
    skip: int = 0
    times: int | None = None
    hits: int = 0

    def due(self, request: Request) -> bool:
        if not self.what(request):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request that passed, the status it was answered with (0: not at all), and what was done to it."""

    request: Request
    status: int
    fault: Fault


class Proxy:
    """One door, in front of one cloud at a time."""

    def __init__(self) -> None:
        # Reentrant: a rule may look at what passed so far.
        self._lock = threading.RLock()
        self._calm = threading.Event()
        self._upstream = ""
        self._rules: list[Rule] = []
        self.log: list[Exchange] = []
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stand_before(self, upstream: str) -> None:
        """Forget all rules, let go of whoever waits, and lead to another cloud."""
        with self._lock:
            self._calm.set()
            self._calm = threading.Event()
            self._upstream, self._rules, self.log = upstream, [], []

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def heal(self) -> None:
        """From now on nothing is disturbed; what waits is let go."""
        with self._lock:
            self._rules = []
            self._calm.set()
            self._calm = threading.Event()

    def seen(self, what: Match) -> list[Exchange]:
        with self._lock:
            return [exchange for exchange in self.log if what(exchange.request)]

    def close(self) -> None:
        self._calm.set()
        self._server.shutdown()
        self._server.server_close()

    def serve(self, handler: "_Handler", request: Request) -> None:
        with self._lock:
            upstream, calm, log = self._upstream, self._calm, self.log
            fault = next((rule.fault for rule in self._rules if rule.due(request)), Nothing())
        trip = _Trip(handler=handler, request=request, upstream=upstream, calm=calm)
        status = fault.befall(trip)
        with self._lock:
            log.append(Exchange(request=request, status=status, fault=fault))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trip:
    handler: "_Handler"
    request: Request
    upstream: str
    calm: threading.Event

    def forward(self, *, without: str = "") -> Reply:
        address = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=_UPSTREAM_SECONDS
        )
        request, dropped = self.request, _HOP_BY_HOP | {without.lower()}
        headers = {name: value for name, value in request.headers.items() if name not in dropped}
        target = request.path + (f"?{request.query}" if request.query else "")
        with contextlib.closing(connection):
            connection.request(request.method, target, body=request.body or None, headers=headers)
            response = connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())

    def answer(self, reply: Reply) -> int:
        return self.handler.answer(self.request, reply)

    def answer_error(self, fault: Answer) -> int:
        return self.handler.answer_error(self.request, fault)

    def hang_up(self) -> int:
        return self.handler.hang_up()

    def wait(self, seconds: float) -> None:
        self.calm.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed in the middle is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy
    _headers_buffer: list[bytes]

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self.proxy.serve(self, self._request())
        except OSError:
            self.close_connection = True

    def _request(self) -> Request:
        address = urlsplit(self.path)
        return Request(
            method=self.command,
            path=address.path,
            query=address.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
        )

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionError("whoever asks was killed in the middle of a request")
            return body
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def answer(self, request: Request, reply: Reply) -> int:
        self.send_response_only(reply.status)
        length = next((value for name, value in reply.headers if name.lower() == "content-length"), None)
        for name, value in reply.headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        # The answer to a HEAD speaks of a body it does not have.
        told = length if request.method == "HEAD" and length else str(len(reply.body))
        if reply.status not in (204, 304):
            self.send_header("Content-Length", told)
        # Head and body in one write: between two, the AWS SDK for Go can close the connection, and asks again
        # (aws-sdk-go-v2 issue 2737), which makes an object twice.
        head = b"".join([*self._headers_buffer, b"\r\n"])
        self._headers_buffer = []
        self.wfile.write(head if request.method == "HEAD" else head + reply.body)
        return reply.status

    def answer_error(self, request: Request, fault: Answer) -> int:
        if "x-amz-target" in request.headers:
            kind = "application/x-amz-json-1.1"
            body = json.dumps({"__type": fault.code, "message": fault.message}).encode()
        else:
            kind = "application/xml"
            error = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
            body = (f"<ErrorResponse>{error}</ErrorResponse>" if request.action else error).encode()
        headers = [("Content-Type", kind), ("x-amzn-ErrorType", fault.code)]
        return self.answer(request, Reply(fault.status, headers, body))

    def hang_up(self) -> int:
        self.close_connection = True
        self.connection.close()
        return 0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nobody reads it."""


def _handler(proxy: Proxy) -> type[_Handler]:
    return type("_BoundHandler", (_Handler,), {"proxy": proxy})
