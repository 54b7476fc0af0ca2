"""The HTTP door against real servers on this machine: slow, huge, unverified, and what it never asks."""

import datetime as dt
import http.server
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from holdfast_orchestrator.health.checks import Http
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.health.http_client import (
    CarefulHttp,
    NoAnswerError,
    RefusedUrlError,
    _no_longer_than,
    why_refused,
)
from holdfast_orchestrator.health.kinds import look
from holdfast_orchestrator.health.observation import Standing
from holdfast_orchestrator.system.runtime import SystemClock
from holdfast_orchestrator.testing import RefusingAws, RefusingProcesses

HUGE = 5_000_000


class Pages(http.server.BaseHTTPRequestHandler):
    """What the tests ask for, by path."""

    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        type(self).seen.append((self.path, self.headers["Host"]))
        match self.path.partition("?")[0]:
            case "/ok":
                self._answer(200, b"release 42")
            case "/huge":
                self._answer(200, b"x" * HUGE)
            case "/away":
                self._answer(302, b"", location="http://other.invalid/ok")
            case "/metadata":
                self._answer(302, b"", location="http://169.254.169.254/latest/meta-data/")
            case "/home":
                self._answer(302, b"", location="/ok")
            case "/drip":
                self._drip()
            case _:
                self._answer(404, b"")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.title(), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # The reader may have gone away with what it wanted.
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def _drip(self) -> None:
        """A byte now and then: no single read is ever late."""
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(2000):
                self.wfile.write(b".")
                time.sleep(0.01)
        except OSError:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[http.server.ThreadingHTTPServer]:
    handler = type("Handler", (Pages,), {"seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    # An aborted handshake is the client's business.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def base() -> Iterator[str]:
    with serving() as server:
        yield f"http://127.0.0.1:{server.server_port}"


def standing(url: str, *, marker: str | None = None, door: CarefulHttp | None = None) -> tuple[Standing, str]:
    doors = CheckContext(
        aws=RefusingAws(),
        clock=SystemClock(),
        processes=RefusingProcesses(),
        http=door or CarefulHttp(),
        environ={},
        region="eu-west-1",
        cwd=Path(),
    )
    seen = look(Http(kind="http", name="c", url=url, marker=marker, timeout=5), doors)
    return seen.standing, seen.what


def test_a_page_with_the_marker_is_healthy(base: str) -> None:
    assert standing(f"{base}/ok", marker="release 42")[0] is Standing.HEALTHY


def test_a_page_of_another_release_is_not(base: str) -> None:
    assert standing(f"{base}/ok", marker="release 43")[0] is Standing.UNHEALTHY


def test_the_query_and_the_host_are_sent() -> None:
    with serving() as server:
        CarefulHttp().get(f"http://localhost:{server.server_port}/ok?a=b", timeout=5, limit=10)

        assert server.RequestHandlerClass.seen == [("/ok?a=b", f"localhost:{server.server_port}")]  # type: ignore[attr-defined]


def test_a_redirect_at_home_is_followed(base: str) -> None:
    assert standing(f"{base}/home")[0] is Standing.HEALTHY


@pytest.mark.parametrize(("path", "host"), [("away", "other.invalid"), ("metadata", "169.254.169.254")])
def test_a_redirect_to_another_host_is_not(base: str, path: str, host: str) -> None:
    assert standing(f"{base}/{path}") == (Standing.UNHEALTHY, f"redirects to another host, {host}")


def test_a_huge_body_is_not_read_to_its_end(base: str) -> None:
    answer = CarefulHttp().get(f"{base}/huge", timeout=5, limit=1000)

    assert answer.cut
    assert len(answer.body) == 1000
    assert standing(f"{base}/huge")[0] is Standing.UNHEALTHY


def test_a_body_that_drips_is_given_up_though_no_single_byte_is_late(base: str) -> None:
    with pytest.raises(NoAnswerError, match=r"not all of it came within 0\.2 s"):
        CarefulHttp().get(f"{base}/drip", timeout=0.2, limit=10_000_000)


def reset(connection: socket.socket, *, once_shut: bool) -> None:
    """Fail as a read does whose peer resets the connection, after it was shut where that is said."""
    if once_shut:
        assert connection.recv(1) == b""
    raise ConnectionResetError(104, "Connection reset by peer")


def test_a_connection_that_is_reset_after_it_was_given_up_is_told_as_late() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError, match=r"within 0\.05 s"), _no_longer_than(0.05, ours):
        reset(theirs, once_shut=True)


def test_an_error_before_the_time_is_over_stays_what_it_is() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(ConnectionResetError), _no_longer_than(60, ours):
        reset(theirs, once_shut=False)


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/"

        with pytest.raises(NoAnswerError):
            CarefulHttp().get(url, timeout=0.2, limit=10)


def test_a_port_nobody_listens_on_gives_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert standing(f"http://127.0.0.1:{port}/")[0] is Standing.UNHEALTHY


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9.0xfe.0xa9.0xfe/",
        "http://[::ffff:169.254.169.254]/",
        "http://169.254.170.2/v2/credentials",
        "http://[fd00:ec2::254]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "https://user:password@shop.example/",
        "https://shop.example:99999/",
        "shop.example/up",
        "",
    ],
)
def test_what_is_never_asked(url: str) -> None:
    with pytest.raises(RefusedUrlError):
        CarefulHttp().get(url, timeout=1, limit=10)


def test_a_name_that_resolves_to_the_metadata_service_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    metadata = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [harmless, metadata])

    with pytest.raises(RefusedUrlError, match=r"innocent\.example is 169\.254\.169\.254"):
        CarefulHttp().get("http://innocent.example/", timeout=1, limit=10)


@pytest.mark.parametrize(
    "address",
    [
        "fe80::1%eth0",
        "::ffff:a9fe:a9fe",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::a9fe:a9fe",
        "255.255.255.255",
        "::",
        "100.100.100.200",
    ],
)
def test_addresses_that_lead_to_metadata_in_disguise_are_refused(address: str) -> None:
    assert why_refused(address) is not None


@pytest.mark.parametrize("address", ["10.0.3.7", "192.168.1.1", "127.0.0.1", "::1", "203.0.113.9", "2a00::1"])
def test_addresses_where_services_live_are_not(address: str) -> None:
    assert why_refused(address) is None


Certificate = Callable[[str], tuple[ssl.SSLContext, ssl.SSLContext]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Return a function: a host name -> the server's TLS context, and one that trusts its certificate."""

    def make(host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        pem = tmp_path_factory.mktemp("tls") / "server.pem"
        pem.write_bytes(_self_signed(host))
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
        return server, ssl.create_default_context(cafile=str(pem))

    return make


def test_a_certificate_that_is_trusted_and_names_the_host_is_accepted(certificate: Certificate) -> None:
    tls, trust = certificate("localhost")

    with serving(tls) as server:
        url = f"https://localhost:{server.server_port}/ok"

        assert standing(url, marker="release 42", door=CarefulHttp(trust))[0] is Standing.HEALTHY


def test_a_certificate_nobody_vouches_for_is_not(certificate: Certificate) -> None:
    tls, _ = certificate("localhost")

    with serving(tls) as server:
        seen, what = standing(f"https://localhost:{server.server_port}/ok")

    assert seen is Standing.UNHEALTHY
    assert "CERTIFICATE_VERIFY_FAILED" in what


def test_a_certificate_of_another_host_is_not(certificate: Certificate) -> None:
    tls, trust = certificate("other.example")

    with serving(tls) as server:
        seen, what = standing(f"https://localhost:{server.server_port}/ok", door=CarefulHttp(trust))

    assert seen is Standing.UNHEALTHY
    assert "CERTIFICATE_VERIFY_FAILED" in what


def test_a_handshake_that_never_ends_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://localhost:{mute.getsockname()[1]}/"

        with pytest.raises(NoAnswerError):
            CarefulHttp().get(url, timeout=0.2, limit=10)


def _self_signed(host: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM) + private
