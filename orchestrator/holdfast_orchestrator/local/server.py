"""The local cloud's own program: moto behind one door. Run by `LocalCloud.up`, not by people.

moto is a library of single-threaded dictionaries with a threaded web server in front. Terraform
sends ten requests at a time, several Terraforms at once: dictionaries change size while another
request walks them, and a conditional write (Terraform's state lock!) is checked and done in two
steps that another request may come between. Behind one lock requests run one after another; Python
would not run two of them at a time anyway.

Operations moto does not know answer 501 in words instead of a 500 page: AWS SDKs do not retry a 501,
so Terraform says at once what is missing instead of seeming to hang for minutes.

Requests of foreign web pages are refused (`same_origin`), whatever they ask for.

The gaps of a service are closed when its first request comes, so that starting costs a third of a
second and not two.
"""

import argparse
import functools
import io
import json
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from holdfast_orchestrator.local.moto_patches import close_gaps
from holdfast_orchestrator.local.moto_patches._moto import moto
from holdfast_orchestrator.local.same_origin import foreign
from holdfast_orchestrator.system.garbage import collect_seldom
from holdfast_orchestrator.system.private_files import replace_file

# What moto's web framework answers on a path moto does not route.
_PAGE = b"<!doctype html>"
# AWS SDKs do not ask again after it.
_FINAL = "501 Not Implemented"
# Answers that have no body, and so no length (RFC 9110, section 8.6).
_NO_BODY = ("204", "304")
# Requests of a client that went away in the middle must not hold the others up for ever.
_READ_TIMEOUT_SECONDS = 60
_STOP_CHECK_SECONDS = 0.1
# -1: the default size. Head and body leave in one write; the AWS SDK for Go can close a connection between
# two, and asks again, which makes an object twice (aws-sdk-go-v2 issue 2737; bench/lost_answers.py).
WRITE_BUFFER = -1
# There is one for each service and region that is spoken to.
_HOSTS = 1024

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class OneAtATime:
    """A WSGI application that lets one request through at a time and puts unknown operations into words."""

    def __init__(self, application: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        # The body is read before the lock is taken: a slow upload is nobody else's business.
        body = _body(environ)
        if body is None:
            return _error(
                environ, start_response, "400 Bad Request", "IncompleteBody", "the body was cut short"
            )
        if (why := foreign(environ)) is not None:
            return _error(environ, start_response, "403 Forbidden", "ForeignRequest", why)
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            head, body = self._answer(environ)
        except NotImplementedError as unknown:
            return _not_implemented(environ, start_response, str(unknown))
        except Exception as defect:  # noqa: BLE001 - a client gets an AWS error, whatever broke here
            traceback.print_exc()
            return _error(environ, start_response, _FINAL, "LocalCloudDefect", repr(defect))
        # With its status: an object in S3 may be a page as well.
        if str(head[0]).startswith("404") and body[: len(_PAGE)].lower() == _PAGE:
            return _not_implemented(environ, start_response, "no operation has this path")
        start_response(*_with_length(head, body))
        return [body]

    def _answer(self, environ: Environ) -> tuple[tuple[Any, ...], bytes]:
        """Return what the application gives to start_response, and its whole body."""
        head: list[tuple[Any, ...]] = []
        with self._lock:
            answer = self._application(environ, lambda *given: head.append(given))
            try:
                return head[-1], b"".join(answer)
            finally:
                getattr(answer, "close", lambda: None)()


def _with_length(head: tuple[Any, ...], body: bytes) -> tuple[Any, ...]:
    """Return a head that names its body's length: without it the body would be sent in chunks."""
    status, headers, *rest = head
    named = any(str(name).lower() == "content-length" for name, _ in headers)
    if named or str(status)[:3] in _NO_BODY:
        return head
    return (status, [*headers, ("Content-Length", str(len(body)))], *rest)


def _body(environ: Environ) -> bytes | None:
    """Return a request's body; None where its client went away in the middle: moto would take what came."""
    # A chunked body ends by itself; any other would be waited for beyond its length.
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = bytes(environ["wsgi.input"].read(length))
    return body if len(body) == length else None


def application() -> OneAtATime:
    """Return the whole local cloud as one WSGI application."""
    web = moto("moto_server.werkzeug_app")

    def create_app(service: str) -> Any:
        close_gaps(service)
        return web.create_backend_app(service)

    dispatcher = web.DomainDispatcherApplication(create_app)
    # moto lists its own folder and tries some two hundred patterns for every request: a fifth of its time.
    dispatcher.get_backend_for_host = functools.lru_cache(_HOSTS)(dispatcher.get_backend_for_host)
    return OneAtATime(dispatcher)


def _not_implemented(environ: Environ, start_response: StartResponse, what: str) -> list[bytes]:
    message = f"the local cloud does not have it: {what}"
    print(message, environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"), file=sys.stderr)  # noqa: T201
    return _error(environ, start_response, _FINAL, "NotImplemented", message)


def _error(
    environ: Environ, start_response: StartResponse, status: str, code: str, message: str
) -> list[bytes]:
    if "json" in environ.get("CONTENT_TYPE", ""):
        body, kind = json.dumps({"__type": code, "message": message}), "application/json"
    else:
        text = message.replace("&", "&amp;").replace("<", "&lt;")
        body = _envelope(environ).format(f"<Error><Code>{code}</Code><Message>{text}</Message></Error>")
        kind = "application/xml"
    said = body.encode()
    start_response(*_with_length((status, [("Content-Type", kind), ("x-amzn-ErrorType", code)]), said))
    return [said]


def _envelope(environ: Environ) -> str:
    """S3 answers with a bare Error, EC2 and the other query services wrap it, each in its own way."""
    if environ.get("REQUEST_METHOD") != "POST":
        return "{}"
    ec2 = "/ec2/aws4_request" in environ.get("HTTP_AUTHORIZATION", "")
    return "<Response><Errors>{}</Errors></Response>" if ec2 else "<ErrorResponse>{}</ErrorResponse>"


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; write the endpoint into `--announce` once it answers."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--announce", type=Path, required=True)
    options = parser.parse_args(argv)
    collect_seldom()
    server = _listen(options.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stopping(server))
    replace_file(options.announce, f"http://127.0.0.1:{server.server_port}".encode())
    server.serve_forever(poll_interval=_STOP_CHECK_SECONDS)
    return 0


def _listen(port: int) -> Any:
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415 - comes with moto

    class Handler(WSGIRequestHandler):
        timeout = _READ_TIMEOUT_SECONDS
        wbufsize = WRITE_BUFFER

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Thousands of lines a deploy, and nobody reads them."""

    return make_server("127.0.0.1", port, application(), threaded=True, request_handler=Handler)


def _stopping(server: Any) -> Callable[[int, FrameType | None], None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        # From another thread: shutdown() waits for serve_forever(), which this handler interrupts.
        threading.Thread(target=server.shutdown, daemon=True).start()

    return stop


if __name__ == "__main__":
    sys.exit(main())
